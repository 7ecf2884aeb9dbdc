"""Search spaces by name."""

from __future__ import annotations

import re

from ngae.errors import UsageError
from ngae.spaces.base import SearchSpace
from ngae.spaces.enas import EnasSpace


def space_named(name: str) -> SearchSpace:
    """Return the space called `name`: `enas6`, or `enas` with another number of layers.

    Raises:
        UsageError: No such space.
    """
    match = re.fullmatch(r"enas([1-9]\d?)", name)
    if match is None:
        raise UsageError(
            f"space: expected enas<layers> (such as enas6), found {name!r}",
            remedy="pass --space enas6",
        )
    return EnasSpace(int(match[1]))
