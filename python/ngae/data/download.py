"""Files from the net: resumed, checked while they come, whole or not there.

A file grows as `<name>.part`; it gets its name only when its length and its SHA-256 are right.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ngae.data.lock import Say, silent
from ngae.data.part import CHUNK, Open, Part, Wanted, open_file
from ngae.data.request import (
    Answer,
    BrokenConnectionError,
    CompleteError,
    StaleError,
    ask,
    check_url,
)
from ngae.errors import DataError, NgaeError

Progress = Callable[[int, int | None], None]


def ignore(done: int, total: int | None) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Limits:
    """How patient a download is.

    Attributes:
        timeout_s: Seconds without a byte after which a connection counts as broken.
        attempts: Connections that may break in a row without a byte of progress.
        pause_s: Seconds before the second attempt; doubled for each further one, at most 30.
    """

    timeout_s: float = 30.0
    attempts: int = 5
    pause_s: float = 1.0


def download(
    wanted: Wanted,
    target: Path,
    *,
    accept_unverified: bool = False,
    limits: Limits = Limits(),
    progress: Progress = ignore,
    say: Say = silent,
    open_part: Open = open_file,
) -> str:
    """Download a file to `target`; the caller holds the lock.

    Args:
        wanted: The file.
        target: Where to; appears only when everything is right.
        accept_unverified: Take a file whose checksum nobody has stated.
        limits: How patient to be.
        progress: Gets the bytes that are here, and all bytes or None.
        say: Gets a line for each broken connection.
        open_part: Opens the part; tests put a full disk here.

    Returns:
        The file's SHA-256.

    Raises:
        DataError: Wrong checksum (the file is removed), wrong length, no such file.
        RefusedError: An unknown checksum; the part is kept for the next call.
        NgaeError: Every attempt failed, the server never sends what is asked for, or the disk is
            full; the part is kept.
    """
    check_url(wanted.url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Part(target, wanted, open_part)
    failures, best = 0, part.size
    while True:
        try:
            _one_attempt(part, wanted, limits, progress)
            return part.finish(accept_unverified)
        except StaleError as error:
            raise NgaeError(str(error), remedy=_how_to_go_on(part)) from error
        except BrokenConnectionError as error:
            failures = 1 if part.size > best else failures + 1
            best = max(best, part.size)
            if failures >= limits.attempts:
                raise NgaeError(str(error), remedy=_how_to_go_on(part)) from error
            pause = min(limits.pause_s * 2 ** (failures - 1), 30.0)
            say(f"{error}; trying again in {pause:g} s, after {part.size} bytes")
        time.sleep(pause)


def _how_to_go_on(part: Part) -> str:
    again = f"run it again: it goes on after {part.size} bytes" if part.size else "run it again"
    return f"{again}; or get {part.target.name} by hand and name its folder with --from-dir"


def _one_attempt(part: Part, wanted: Wanted, limits: Limits, progress: Progress) -> None:
    if part.is_complete():
        return
    try:
        answer = ask(wanted.url, part.size, part.etag, limits.timeout_s)
    except CompleteError:
        return
    except StaleError:
        part.clear()
        answer = ask(wanted.url, 0, "", limits.timeout_s)
    with answer.body:
        _check_announced(wanted, answer)
        part.begin(answer)
        progress(part.size, answer.total)
        _receive(part, wanted, answer, progress)


def _receive(part: Part, wanted: Wanted, answer: Answer, progress: Progress) -> None:
    most = _most(wanted, answer)
    with part.writer() as write:
        while True:
            try:
                chunk = answer.body.read1(CHUNK)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise BrokenConnectionError(f"{wanted.url}: connection broken: {error}") from error
            if not chunk:
                break
            if part.size + len(chunk) > most:
                part.clear()
                raise DataError(f"{wanted.url}: expected at most {most} bytes, found more")
            write(chunk)
            progress(part.size, answer.total)
    expected = wanted.size if answer.total is None else answer.total
    if expected is not None and part.size < expected:
        raise BrokenConnectionError(
            f"{wanted.url}: expected {expected} bytes, connection broken after {part.size}"
        )


def _most(wanted: Wanted, answer: Answer) -> int:
    sizes = (wanted.most, wanted.size, answer.total)
    return min(size for size in sizes if size is not None)


def _check_announced(wanted: Wanted, answer: Answer) -> None:
    if answer.total is None:
        return
    if wanted.size is not None and answer.total != wanted.size:
        raise DataError(
            f"{wanted.url}: expected {wanted.size} bytes, found {answer.total} announced"
        )
    if answer.total > wanted.most:
        raise DataError(
            f"{wanted.url}: expected at most {wanted.most} bytes, found {answer.total} announced"
        )
