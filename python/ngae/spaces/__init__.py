"""Search spaces: what may be built.

Names are imported when first used, so that naming a space needs no more than its own module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.spaces.base import SearchSpace as SearchSpace
    from ngae.spaces.cell import Cell as Cell
    from ngae.spaces.chain import Chain as Chain
    from ngae.spaces.enas import EnasSpace as EnasSpace
    from ngae.spaces.registry import space_named as space_named

_HOME = {
    "SearchSpace": "base",
    "Cell": "cell",
    "Chain": "chain",
    "EnasSpace": "enas",
    "space_named": "registry",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.spaces", _HOME)
