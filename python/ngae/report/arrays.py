"""Arrays in files: .npz without pickled objects, whole or not at all."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ngae.errors import DataError, RefusedError
from ngae.files import write_bytes

Arrays = Mapping[str, NDArray[Any]]
DRAWN = "report.npz"  # beside latents.npz, and in the folder of each search
_PACKED = 1100  # bytes that one byte of deflate can stand for, at most


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of an .npz file; nothing pickled is loaded.

    Raises:
        RefusedError: There is no such file.
        DataError: It is no such file, or a damaged one.
    """
    try:
        with path.open("rb") as file:
            _check_sizes(file, path.stat().st_size)
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError as error:
        raise RefusedError(
            f"{path.parent}: expected {path.name}, found none", remedy=remedy_of(path)
        ) from error
    except OSError as error:
        raise DataError(f"{path}: expected arrays of NumPy: {error.strerror}") from error
    except Exception as error:  # a damaged file can fail anywhere in the reader
        raise DataError(
            f"{path}: expected arrays of NumPy, found another file or a damaged one",
            remedy=remedy_of(path),
        ) from error


def _check_sizes(file: BinaryIO, size: int) -> None:
    """Raise ValueError where an array says that it is larger than its bytes can be."""
    with zipfile.ZipFile(file) as packed:
        for member in packed.infolist():
            with packed.open(member) as content:
                version = np.lib.format.read_magic(content)
                first = version == (1, 0)
                read = np.lib.format.read_array_header_1_0
                read = read if first else np.lib.format.read_array_header_2_0
                shape, _, kind = read(content)
            if math.prod(shape) * kind.itemsize > min(member.file_size, _PACKED * size):
                raise ValueError(f"{member.filename}: an array of {shape}")
    file.seek(0)


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays as .npz, whole or not at all."""
    buffer = io.BytesIO()
    named: dict[str, Any] = {**arrays}
    np.savez_compressed(buffer, **named)  # numbers alone: nothing is pickled
    write_bytes(path, buffer.getvalue())


def array_of(path: Path, arrays: Arrays, name: str) -> NDArray[Any]:
    """Return the array `name` of those that were read from `path`.

    Raises:
        DataError: There is none.
    """
    if name not in arrays:
        raise DataError(
            f"{path}: expected the array {name}, found {', '.join(arrays) or 'none'}",
            remedy=remedy_of(path),
        )
    return arrays[name]


def remedy_of(path: Path) -> str:
    """Say who writes a file of arrays."""
    if path.name == DRAWN:
        return "`ngae report` makes it of a run with a checkpoint"
    run = path.parent
    return f"training writes it: ngae train --config {run / 'config.json'} --out {run} --resume"
