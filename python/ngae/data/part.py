"""The growing part of a file: its bytes, their running checksum, and the file they belong to."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Any

from ngae.data.request import Answer, BrokenConnectionError
from ngae.errors import DataError, NgaeError, RefusedError
from ngae.files import parse_json, write_json

CHUNK = 1 << 18  # bytes; small enough for a bar that moves on a slow line
Open = Callable[[Path, str], RawIOBase]


def open_file(path: Path, mode: str) -> RawIOBase:
    """Open a file for bytes; unbuffered, so that a failed write leaves nothing to come later."""
    return FileIO(path, mode)


@dataclass(frozen=True)
class Wanted:
    """A file as it must be.

    Attributes:
        url: Where it is.
        sha256: Its checksum in hexadecimal digits; None where nobody has stated it.
        size: Its bytes; None where that is not known.
        most: Bytes after which a download stops, whatever the server says.
    """

    url: str
    sha256: str | None
    size: int | None
    most: int


class _Writer:
    """Appends to the part, and says what a full disk means."""

    def __init__(self, part: Part, file: RawIOBase) -> None:
        self.part = part
        self.file = file

    def __enter__(self) -> Callable[[bytes], None]:
        return self.write

    def __exit__(self, *_: object) -> None:
        try:
            self.file.close()
        except OSError as error:
            raise self.part.failed(error) from error

    def write(self, chunk: bytes) -> None:
        """Append, so that a killed process leaves every byte that it counted."""
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[self.file.write(rest) or 0 :]
        except OSError as error:
            raise self.part.failed(error) from error
        self.part.grown(chunk)


class Part:
    """The growing file, its running checksum, and the entity tag that it belongs to."""

    def __init__(self, target: Path, wanted: Wanted, open_part: Open) -> None:
        self.target = target
        self.wanted = wanted
        self.open = open_part
        self.path = target.with_name(target.name + ".part")
        self.facts = target.with_name(target.name + ".part.json")
        self.size = 0
        self.digest = hashlib.sha256()
        self.etag = ""
        self.kept = ""  # checksum of a whole file that was refused for want of a known one
        self._read()

    def _read(self) -> None:
        """Go on with what an earlier process left, if it is a part of the same file."""
        facts = _facts(self.facts)
        tag = str(facts.get("etag", ""))
        tag = tag if tag.isascii() and tag.isprintable() else ""
        self.kept = str(facts.get("sha256", ""))
        known = bool(tag or self.kept) or self.wanted.sha256 is not None
        if not self.path.exists() or facts.get("url") != self.wanted.url or not known:
            self.clear()
            return
        with open(self.path, "rb") as file:
            while chunk := file.read(CHUNK):
                self.digest.update(chunk)
                self.size += len(chunk)
        self.etag = tag
        too_long = self.size > (self.wanted.most if self.wanted.size is None else self.wanted.size)
        wrong = self.size == self.wanted.size and self.wanted.sha256 and not self._is_right()
        if too_long or wrong:
            self.clear()

    def clear(self) -> None:
        """Forget everything that is here."""
        self.path.unlink(missing_ok=True)
        self.facts.unlink(missing_ok=True)
        self.size, self.digest, self.etag, self.kept = 0, hashlib.sha256(), "", ""

    def is_complete(self) -> bool:
        """Whether every byte is here already; False where that cannot be known."""
        return self.size > 0 and (self.size == self.wanted.size or self._is_right())

    def _is_right(self) -> bool:
        return self.digest.hexdigest() in (self.wanted.sha256, self.kept)

    def begin(self, answer: Answer) -> None:
        """Start anew where the server sends the whole file; note what the bytes belong to."""
        changed = bool(answer.start and self.etag) and answer.etag != self.etag
        if answer.start != self.size or changed:
            self.clear()
        if changed:
            raise BrokenConnectionError(f"{self.wanted.url}: expected the same file, found another")
        self.etag = answer.etag
        write_json(self.facts, {"url": self.wanted.url, "etag": self.etag})

    def writer(self) -> _Writer:
        """Open the part for appending."""
        try:
            return _Writer(self, self.open(self.path, "ab"))
        except OSError as error:
            raise self.failed(error) from error

    def grown(self, chunk: bytes) -> None:
        """Count bytes that were written."""
        self.digest.update(chunk)
        self.size += len(chunk)

    def failed(self, error: OSError) -> NgaeError:
        """Return the error of a part that could not be written; whole chunks of it stay."""
        if self.path.exists():
            os.truncate(self.path, self.size)
        reason = "the disk is full" if error.errno == errno.ENOSPC else str(error)
        size = "" if self.wanted.size is None else f" of {self.wanted.size}"
        return NgaeError(
            f"{self.path}: expected room for the file, found that {reason} "
            f"after {self.size}{size} bytes",
            remedy="make room and run it again (the part is kept), or set NGAE_CACHE",
        )

    def finish(self, accept_unverified: bool) -> str:
        """Check the checksum, flush, and give the file its name."""
        found = self.digest.hexdigest()
        expected = self.wanted.sha256
        if expected is not None and found != expected:
            self.clear()
            raise DataError(
                f"{self.wanted.url}: expected sha256 {expected}, found {found}; "
                "the file was removed",
                remedy="run it again; if it fails again, the file at the source has changed",
            )
        if expected is None and not accept_unverified:
            write_json(self.facts, {"url": self.wanted.url, "etag": self.etag, "sha256": found})
            raise RefusedError(
                f"{self.wanted.url}: expected a known sha256, found {found} and no statement of "
                f"what it must be; kept as {self.path}",
                remedy=f"compare it with a source that you trust, then add --sha256 {found} "
                "(or --accept-unverified)",
            )
        with open(self.path, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self.target)
        self.facts.unlink(missing_ok=True)
        return found


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
