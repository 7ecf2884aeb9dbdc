"""Versions and digests of ngae's own files of safetensors form: checkpoints and packed tables."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import RefusedError
from ngae.files import LATER


@dataclass(frozen=True)
class Form:
    """The form in which a kind of file is written; as text `ngae-<kind>-<version>`.

    Attributes:
        kind: What such a file is, such as `checkpoint`.
        version: The version that is written, and the newest one that is read.
    """

    kind: str
    version: int

    def __str__(self) -> str:
        return f"ngae-{self.kind}-{self.version}"

    def is_known(self, found: object, place: object) -> bool:
        """Say whether `found`, what a file states, names a version that can be read.

        Args:
            found: Of any type; False where it names no version of this kind.
            place: The file, for the error.

        Raises:
            RefusedError: It names a later version.
        """
        pattern = rf"ngae-{self.kind}-([1-9][0-9]{{0,8}})"
        named = re.fullmatch(pattern, found) if isinstance(found, str) else None
        if named is not None and int(named[1]) > self.version:
            raise RefusedError(
                f"{place}: expected a {self.kind} of form {self} or lower, found {found}",
                remedy=LATER,
            )
        return named is not None


def digest(facts: Any, contents: Iterable[tuple[str, NDArray[np.uint8]]]) -> str:
    """Return the SHA-256 of a file's contents, in hexadecimal digits.

    Args:
        facts: Plain values for JSON.
        contents: Name, type and shape of each array in one text, and its bytes (n,).
    """
    sha = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for label, content in contents:
        sha.update(label.encode())
        sha.update(content.data)
    return sha.hexdigest()
