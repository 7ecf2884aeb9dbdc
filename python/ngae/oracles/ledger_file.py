"""The file of a ledger: JSON Lines that only grow, each on disk before the call returns."""

from __future__ import annotations

import json
import math
import os
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ngae.errors import DataError, NgaeError, RefusedError, UsageError, cut, shown
from ngae.files import check_version, finite, naming, parse_json

# Keys of each event beside its name.
_EVENTS: dict[str, frozenset[str]] = {
    "opened": frozenset({"version", "oracle"}),
    "asked": frozenset({"hash", "attempt", "architecture"}),
    "withdrawn": frozenset({"hash"}),
    "proposed": frozenset({"count"}),
    "known": frozenset(
        {"hash", "architecture", "performance", "complexity", "cost_s", "detail", "error"}
    ),
    "answered": frozenset({"hash", "performance", "complexity", "cost_s", "detail", "error"}),
    "failed": frozenset({"hash", "performance", "complexity", "cost_s", "detail", "error"}),
}


_OF_AN_ATTEMPT = ("withdrawn", "answered", "failed")
_OPENED = b'{"event": "opened"'  # how every ledger begins


class LedgerError(NgaeError):
    """An event could not be written; nothing of it is in the file."""


class LedgerFile:
    """Holds the file for one process, reads its events once, and appends.

    A last line that a kill cut off is removed; nothing was promised about it yet.

    Args:
        path: The file, made where there is none.

    Attributes:
        events: What the file held.
        notes: What is odd about it.

    Raises:
        RefusedError: Another process, or another ledger of this one, holds the file; or a later
            version of ngae wrote it.
        DataError: A whole line that is no event; nothing is changed then.
        UsageError: A folder.
        WriteError: The file cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()
        if path.is_dir():
            raise UsageError(
                f"--ledger {path}: expected a file, found a folder",
                remedy=f"name a file in it, such as {path / 'answers.jsonl'}",
            )
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._closing = weakref.finalize(self, os.close, self._handle)
        try:
            _lock(self._handle, path)
            if is_new:
                _sync_folder(path.parent)
            self.events = self._read()
        except BaseException:
            self.close()
            raise
        _close_in_children(self)

    def close(self) -> None:
        """Let go of the file."""
        self._closing()

    def append(self, event: dict[str, Any]) -> None:
        """Write one line and wait until it is on disk."""
        if not self._closing.alive:
            raise RefusedError(f"{self.path}: expected an open ledger, found a closed one")
        line = (json.dumps(finite(event)) + "\n").encode()
        facts = os.fstat(self._handle)
        if facts.st_nlink == 0:
            raise LedgerError(
                f"{self.path}: expected the ledger that was opened, found that it was removed",
                remedy="start again; nothing is evaluated whose answer could not be kept",
            )
        size = facts.st_size
        try:
            while line:
                line = line[os.write(self._handle, line) :]
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, size)  # half a line would spoil the next one
            raise LedgerError(
                f"{self.path}: expected room for an event, found: {error}",
                remedy="make room and start again; what was answered before is kept",
            ) from error

    def _read(self) -> list[dict[str, Any]]:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if not whole and not (content.startswith(_OPENED) or _OPENED.startswith(content)):
            found = content[:40].decode(errors="replace")
            raise DataError(f"{self.path}:1: expected a ledger, found {found!r}")
        lines = content[:whole].splitlines()
        events = [self._event(number, line) for number, line in enumerate(lines, 1)]
        if whole < len(content):
            os.ftruncate(self._handle, whole)
            os.fsync(self._handle)
            self.notes = (
                f"{self.path}:{len(lines) + 1}: a last line of {len(content) - whole} bytes was "
                "cut off by a kill and is removed",
            )
        self._check_order(events)
        return events

    def _event(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            event = parse_json(line)
            if event["event"] == "opened":
                check_version(event["version"], f"{self.path}:{number}", "version")
            known = event.keys() - {"event"} == _EVENTS[event["event"]] and _is_sound(event)
        except (ValueError, LookupError, TypeError, AttributeError):
            known = False
        if not known:
            found = line[:40].decode(errors="replace")
            raise DataError(f"{self.path}:{number}: expected an event of a ledger, found {found!r}")
        return dict(event)

    def _check_order(self, events: list[dict[str, Any]]) -> None:
        """Require that the oracle is named first and that answers belong to what was asked."""
        asked: Counter[str] = Counter()
        for number, event in enumerate(events, 1):
            if (event["event"] == "opened") != (number == 1):
                raise DataError(
                    f"{self.path}:{number}: expected a ledger that is opened once, in its first "
                    f"line, found {event['event']}"
                )
            if event["event"] == "asked":
                asked[event["hash"]] += 1
                if event["attempt"] != asked[event["hash"]]:
                    raise DataError(
                        f"{self.path}:{number}: expected attempt {asked[event['hash']]}, found "
                        f"{shown(event['attempt'])}"
                    )
            elif event["event"] in _OF_AN_ATTEMPT and asked[event["hash"]] < 1:
                raise DataError(
                    f"{self.path}:{number}: expected an answer to what was asked, "
                    f"found one of {cut(event['hash'])}"
                )
            elif event["event"] == "withdrawn":
                asked[event["hash"]] -= 1


def _is_sound(event: dict[str, Any]) -> bool:
    """Whether the values of an event are of the kinds that are written."""
    return all(_KINDS[name](value) for name, value in event.items()) and (
        event["event"] == "known"
        or "performance" not in event
        or (event["performance"] is None) == (event["event"] == "failed")
    )


def _is_number(value: object) -> bool:
    """Whether `value` is a number that a float can hold."""
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def _are_numbers(value: object) -> bool:
    """Whether `value` has numbers by name; None stands for NaN."""
    return isinstance(value, dict) and all(v is None or _is_number(v) for v in value.values())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


_KINDS: dict[str, Callable[[object], bool]] = {  # of the values, by key
    "event": _is_text,
    "version": _is_count,
    "oracle": _is_text,
    "hash": _is_text,
    "attempt": _is_count,
    "architecture": lambda value: isinstance(value, dict),
    "count": _is_count,
    "performance": lambda value: value is None or _is_number(value),
    "complexity": _are_numbers,
    "detail": _are_numbers,
    "cost_s": lambda value: value is None or _is_number(value),
    "error": _is_text,
}


def check_free(path: Path) -> None:
    """Require that no process holds the ledger at `path`, if there is one.

    Raises:
        RefusedError: One does.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        _lock(handle, path)
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    """Take the lock that the system frees when the process ends, however it ends."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RefusedError(
            f"{path}: expected a ledger of ours alone, found another process writing to it",
            remedy="wait for it, or choose another file",
        ) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _close_in_children(file: LedgerFile) -> None:
    """A forked worker that outlives its parent would keep the lock for ever."""
    known = weakref.ref(file)

    def forget() -> None:
        alive = known()
        if alive is not None:
            alive.close()

    os.register_at_fork(after_in_child=forget)
