"""Files that are whole or not there: written beside, flushed, then renamed. No pickle.

Also the version that the files of runs, searches and caches are of.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ngae.errors import RefusedError, WriteError, shown

FORMAT_VERSION = 1  # a new number where older readers would misread what is written
FORMAT_KEY = "format_version"
LATER = "read it with the version of ngae that wrote it, or a later one"
_ENDING = ".part"  # of temporary files
_MOST_LEVELS = 100  # of JSON; far from where the interpreter gives up
_MARKS = re.compile(r'"(?>[^"\\]+|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)  # strings, brackets


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: a temporary file, fsync, rename.

    Raises:
        WriteError: No room, no permission; nothing is changed.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)


def append_line(path: Path, line: str) -> None:
    """Add a line to `path`, which is made where there is none, and wait until it is on disk.

    Raises:
        WriteError: No room, no permission, no folder; a part of the line may be there.
    """
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what the system refuses inside into a WriteError that names `path`."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise WriteError.of(path, error) from error


def parts_of(path: Path) -> list[Path]:
    """Temporary files of writes to `path`: one is under way, or a kill cut it off."""
    begin = f".{path.name}."
    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    return [path.parent / n for n in names if n.startswith(begin) and n.endswith(_ENDING)]


def remove_parts_of(path: Path) -> None:
    """Remove what writes to `path` that a kill cut off have left; nobody may write to it now."""
    for part in parts_of(path):
        part.unlink(missing_ok=True)


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(_ENDING, f".{path.name}.", path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` atomically, indented; numbers that are not finite become null."""
    write_text(path, json.dumps(finite(value), indent=2) + "\n")


def parse_json(text: str | bytes, **hooks: Any) -> Any:
    """Parse JSON that may be of a stranger.

    Args:
        text: The text, or its bytes in UTF-8.
        hooks: As of `json.loads`.

    Raises:
        ValueError: It is no JSON, or nested so deep that whoever walks over it could not.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    if text.count("[") + text.count("{") > _MOST_LEVELS and _levels(text) > _MOST_LEVELS:
        raise ValueError(f"maximum recursion of {_MOST_LEVELS} levels exceeded")
    return json.loads(text, **hooks)


def _levels(text: str) -> int:
    """How deep brackets are nested, or one more than are allowed."""
    level = most = 0
    for match in _MARKS.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        most = max(most, level)
        if most > _MOST_LEVELS:
            break
    return most


def repeated(names: Sequence[str]) -> str | None:
    """Return the first name that stands there more than once."""
    counts = Counter(names)
    return next((name for name in names if counts[name] > 1), None)


def check_version(found: object, place: object, name: str = FORMAT_KEY) -> None:
    """Refuse what a later version of ngae has written in another form.

    Args:
        found: The version in the file.
        place: The file, for the error.
        name: What the file calls it.

    Raises:
        RefusedError: It is above FORMAT_VERSION, or no version.
    """
    if type(found) is not int or not 1 <= found <= FORMAT_VERSION:
        raise RefusedError(
            f"{place}: expected {name} {FORMAT_VERSION} or lower, found {shown(found)}",
            remedy=LATER,
        )


def check_form(values: object, place: object) -> None:
    """Do the same with the version among `values`; files without one are of the first form."""
    if isinstance(values, dict):
        check_version(values.get(FORMAT_KEY, 1), place)


def with_version(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with the version before them."""
    return {FORMAT_KEY: FORMAT_VERSION, **values}


def without_version(values: Any) -> Any:
    """Return `values` without the version; what is no dictionary as it is."""
    if not isinstance(values, dict):
        return values
    return {name: value for name, value in values.items() if name != FORMAT_KEY}


def without_folder(name: str) -> str:
    """Return what stands after the last slash: of `a/space.py:Cell` `space.py:Cell`."""
    return name.rsplit("/", 1)[-1]


def finite(value: Any) -> Any:
    """Return `value` with floats that JSON does not know (NaN, infinities) as None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
