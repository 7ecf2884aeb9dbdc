"""D-VAE's text form to CSV: the architecture in one column, the accuracy in the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ngae.data.convert import bad_record
from ngae.errors import DataError, ParseError
from ngae.spaces.nested_lists import scan_integer_lists


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield one row a line `[[type], [type, flag], ...], accuracy`; blank lines hold none.

    Columns: arch, performance, both as they are written.

    Raises:
        DataError: A line of another form.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(path, number, line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected a text that can be read: {error}") from error


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    end = line.rfind("]") + 1
    arch, rest = line[:end], line[end:].lstrip()
    try:
        scan_integer_lists(arch)
        accuracy = float(rest.removeprefix(","))
    except (ParseError, ValueError) as error:
        raise bad_record(path, number, "[[type], ...], accuracy", line) from error
    if not rest.startswith(",") or not math.isfinite(accuracy):
        raise bad_record(path, number, "a comma and a finite accuracy", rest)
    return {"arch": arch, "performance": rest[1:].strip()}
