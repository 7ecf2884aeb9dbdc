"""Pickled numbers without pickle's powers: containers, numbers, texts and numpy scalars, no more.

A pickle may name any function to be called while it is read. Here two names are known, both stand
for plain functions of this file, and every other name ends the reading.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any

from ngae.errors import DataError

_NUMBERS = {"f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "u8": "Q", "u4": "I", "b1": "?"}


class ForbiddenGlobalError(pickle.UnpicklingError):
    """The pickle names something that is not on the list."""


class _Dtype:
    """Stands for `numpy.dtype`: knows the format of a number, nothing else."""

    def __init__(self, kind: object, *_: object) -> None:
        if not isinstance(kind, str) or kind not in _NUMBERS:
            raise pickle.UnpicklingError(f"a numpy number of the kind {kind!r}")
        self.kind = kind
        self.order = "<"

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"a numpy number with the byte order {order!r}")
        self.order = ">" if order == ">" else "<"


def _scalar(kind: object, content: object) -> float | int:
    """Stand for `numpy.core.multiarray.scalar`."""
    if not isinstance(kind, _Dtype) or not isinstance(content, bytes):
        raise pickle.UnpicklingError("a numpy scalar that is no number")
    try:
        value: float | int = struct.unpack(kind.order + _NUMBERS[kind.kind], content)[0]
    except struct.error as error:
        raise pickle.UnpicklingError(f"a numpy scalar of {len(content)} bytes") from error
    return value


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return one of the known names."""
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise ForbiddenGlobalError(f"{module}.{name}") from None


def read_pickled_numbers(content: bytes, file: str) -> Any:
    """Read a pickle of dictionaries, lists, texts and numbers.

    Args:
        content: The pickle.
        file: Its path, for errors.

    Returns:
        The value; numpy's scalars as Python's numbers.

    Raises:
        DataError: No pickle, or one that names anything else, with that name.
    """
    stream = io.BytesIO(content)
    try:
        value = _Unpickler(stream).load()
    except ForbiddenGlobalError as error:
        raise DataError(
            f"{file}: expected a pickle of containers and numbers, found the name {error}",
            remedy="do not load this file with anything else: it would run what it names",
        ) from error
    except Exception as error:  # a broken pickle raises almost anything
        raise DataError(f"{file}: expected a pickle of numbers, found {error}") from error
    if stream.read(1):
        raise DataError(f"{file}: expected one pickle, found bytes after its end")
    return value
