"""Runs the searches of a benchmark, here or in processes, and keeps their trials in a folder."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

from ngae.errors import NgaeError, RefusedError
from ngae.files import (
    check_form,
    finite,
    parse_json,
    with_version,
    without_version,
    write_json,
    write_text,
)
from ngae.oracles.executors import Pool, completed, processes
from ngae.search.benchmark_task import Line, Task, search_once

Pair = tuple[str, int]

SETTINGS, TRIALS = "settings.json", "trials.jsonl"


def searched(tasks: Sequence[Task], workers: int) -> Generator[tuple[Task, list[Line]], None, None]:
    """Yield each task with its lines as it ends.

    Args:
        tasks: The searches.
        workers: Searches at once, each in a process of its own; 1 searches in this one.

    Raises:
        NgaeError: As a search; or a process ended without an answer.
    """
    pool = Pool(None if workers == 1 else processes(workers), None)
    waiting = deque(tasks)
    running: dict[Any, Task] = {}
    try:
        while waiting or running:
            while waiting and len(running) < pool.free_slots:
                task = waiting.popleft()
                running[pool.submit(search_once, task)] = task
            for future in completed(list(running), None):
                yield running.pop(future), future.result()
    except BrokenExecutor as error:
        raise NgaeError(
            "benchmark: expected a process that searches, found one that ended",
            remedy="the same command goes on; fewer --workers need less memory",
        ) from error
    finally:
        for future in running:
            pool.forget(future)
        pool.close()


class BenchmarkFolder:
    """A folder that the searches of one benchmark are kept in.

    `settings.json` holds what decides on the trials, `trials.jsonl` a line a query. A search is
    written at once when it ends; one that was cut off is done again.

    Args:
        path: The folder; made where there is none.
        settings: What decides on the trials.
        results: Files that are written at the end; with `overwrite` they are dropped.
        overwrite: Whether searches in the folder are dropped; files of others stay.

    Attributes:
        finished: The lines of each search that ended.

    Raises:
        RefusedError: The folder holds searches of other settings, or of a later version of ngae.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        results: Sequence[Path] = (),
        *,
        overwrite: bool = False,
    ) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise RefusedError(f"{path}: expected a folder, found a file")
        if overwrite:
            for file in (path / SETTINGS, path / TRIALS, *results):
                file.unlink(missing_ok=True)
        self._check(json.loads(json.dumps(finite(dict(settings)))))
        self.finished = _finished(path / TRIALS)
        write_json(path / SETTINGS, with_version(settings))
        self._write(self.finished)

    def _check(self, settings: Any) -> None:
        if not (self.path / SETTINGS).exists():
            if (self.path / TRIALS).exists():
                raise RefusedError(
                    f"{self.path}: expected {SETTINGS} beside {TRIALS}, found none",
                    remedy="pass --overwrite to drop the trials, or another --out",
                )
            return
        try:
            found = parse_json((self.path / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        check_form(found, self.path / SETTINGS)
        found = without_version(found)
        if found != settings:
            other = [name for name in settings if _value(found, name) != settings[name]]
            raise RefusedError(
                f"{self.path}: expected searches of the same settings, found another "
                f"{', '.join(other) or SETTINGS}",
                remedy="pass --overwrite to drop them, or another --out",
            )

    def add(self, task: Task, lines: Sequence[Line]) -> None:
        """Append the lines of a search that ended."""
        lines = [json.loads(_text([line])) for line in lines]
        with (self.path / TRIALS).open("a", encoding="utf-8") as file:
            file.write(_text(lines))
        self.finished[task.pair] = lines

    def order(self) -> None:
        """Write all lines in the order of strategy, seed and number, whoever ended first."""
        self._write(dict(sorted(self.finished.items())))

    def _write(self, searches: Mapping[Pair, Sequence[Line]]) -> None:
        write_text(self.path / TRIALS, "".join(map(_text, searches.values())))


def _value(settings: Any, name: str) -> Any:
    return settings.get(name) if isinstance(settings, dict) else None


def _text(lines: Iterable[Line]) -> str:
    return "".join(json.dumps(finite(line)) + "\n" for line in lines)


def _finished(path: Path) -> dict[Pair, list[Line]]:
    """Read the searches of which every line is there; a line that was cut off ends the file."""
    searches: dict[Pair, list[Line]] = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            line = parse_json(text)
            searches.setdefault((line["strategy"], line["seed"]), []).append(line)
        except (ValueError, KeyError, TypeError):
            break
    return {
        pair: lines for pair, lines in searches.items() if len(lines) == lines[-1].get("queries")
    }
