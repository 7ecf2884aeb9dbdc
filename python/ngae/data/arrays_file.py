"""Arrays and one JSON text in a file of safetensors form, mapped into memory when it is read.

A file that is truncated, foreign or altered is refused by name. Nothing is unpickled, and nothing
is copied: the system reads what is asked for, and processes on one machine share it.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from ngae.data.raw import NO_FILE, Problems
from ngae.errors import shown
from ngae.files import write_bytes
from ngae.forms import Form, digest

_FORM = Form("table", 1)
_KEY = "ngae"
_KINDS = {
    "BOOL": np.bool_, "U8": np.uint8, "U16": np.uint16, "U32": np.uint32, "U64": np.uint64,
    "I32": np.int32, "I64": np.int64, "F64": np.float64,
}  # fmt: skip
_LONGEST_HEAD = 1 << 24  # bytes


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write atomically; equal contents give equal bytes."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    sha256 = _digest(whole, dict(facts))
    head = {"format": str(_FORM), "sha256": sha256, "facts": dict(facts)}
    write_bytes(path, save(whole, {_KEY: json.dumps(head, sort_keys=True)}))


def read_arrays(path: Path, problems: Problems) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Map a file.

    Args:
        path: The file.
        problems: Names it in errors.

    Returns:
        The arrays, which cannot be written to, and the facts.

    Raises:
        DataError: No file, or one that is truncated, foreign or altered.
        RefusedError: It is of a later form.
    """
    content = _mapped(path, problems)
    begin = 8 + int.from_bytes(content[:8], "little")
    try:
        if not 8 < begin <= min(len(content), _LONGEST_HEAD):
            raise ValueError("no head")
        entries = json.loads(content[8:begin])
        head = json.loads(entries.pop("__metadata__")[_KEY])
        arrays = {name: _array(content, begin, entry) for name, entry in entries.items()}
        form, sha256, facts = (head[name] for name in ("format", "sha256", "facts"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        found = "a truncated or foreign file"
        raise problems.fatal(None, None, "a packed table", found) from error
    if not _FORM.is_known(form, path):
        raise problems.fatal(None, None, f"a table of form {_FORM}", shown(form))
    if sha256 != _digest(arrays, facts):
        raise problems.fatal(None, None, "the contents that were written", "altered ones")
    return arrays, facts


def _mapped(path: Path, problems: Problems) -> mmap.mmap | bytes:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        problems.remedy = NO_FILE
        raise problems.fatal(None, None, "a file", "nothing of that name") from error
    except ValueError:  # it has no bytes
        return b""
    except OSError as error:
        found = "a folder" if path.is_dir() else str(error)
        raise problems.fatal(None, None, "a file that can be read", found) from error


def _array(content: mmap.mmap | bytes, begin: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    kind = np.dtype(_KINDS[entry["dtype"]])
    shape = tuple(map(int, entry["shape"]))
    first, last = map(int, entry["data_offsets"])
    count = 1
    for size in shape:
        count *= size
    if min(first, count, *shape, 0) < 0 or last - first != count * kind.itemsize:
        raise ValueError("an array that does not fit its place")
    if begin + last > len(content):
        raise ValueError("an array beyond the end")
    if not count:
        return np.zeros(shape, dtype=kind)
    array: NDArray[Any] = np.frombuffer(content, kind, count, begin + first)
    return array.reshape(shape)


def _digest(arrays: Mapping[str, NDArray[Any]], facts: Any) -> str:
    whole = ((name, arrays[name]) for name in sorted(arrays))
    return digest(
        facts, ((f"{n}:{a.dtype}:{a.shape}", a.reshape(-1).view(np.uint8)) for n, a in whole)
    )
