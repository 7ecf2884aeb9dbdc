"""The folder of a reproduction: whose it is, what lies where, which stages are done."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ngae.errors import DataError, RefusedError, cut
from ngae.files import (
    check_form,
    finite,
    parse_json,
    remove_parts_of,
    with_version,
    without_version,
    write_json,
    write_text,
)
from ngae.reproduce.config import Plan
from ngae.train.folder import LOCK, RunFolder, held

_OWN = ("data.json", "times.json", "reproduce.html", "reproduce.md")
_PATTERNS = ("table*.csv", "figure*.csv", "seed-*", "figures")


@dataclass(frozen=True)
class Stage:
    """One part of the work.

    Attributes:
        key: Its name in `times.json`.
        title: What it does, for people.
        files: What it leaves behind; where all of them are there, it is done.
        work: Does it.
    """

    key: str
    title: str
    files: tuple[Path, ...]
    work: Callable[[], None]

    @property
    def is_done(self) -> bool:
        """Whether everything is there."""
        return all(file.exists() for file in self.files)


class Watcher(Protocol):
    """Whoever shows how the stages proceed."""

    def begun(self, stage: Stage, number: int, count: int) -> None:
        """A stage begins, the `number`-th of `count`."""

    def ended(self, stage: Stage, seconds: float) -> None:
        """It is done."""

    def kept(self, stage: Stage, number: int, count: int) -> None:
        """It was done before."""


@dataclass(frozen=True)
class ReproduceFolder:
    """Paths of one reproduction.

    Attributes:
        path: The folder.
    """

    path: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def run(self, seed: int, name: str) -> RunFolder:
        """Return the run folder of a training, `ngae` or `vae`."""
        return RunFolder(self.path / f"seed-{seed}" / name)

    def measures(self, seed: int, epoch: int) -> Path:
        """Return the file of what was measured after so many epochs."""
        return self.path / f"seed-{seed}" / f"epoch-{epoch}.json"

    def search(self, seed: int, name: str) -> Path:
        """Return the folder of a search."""
        return self.path / f"seed-{seed}" / "search" / name

    @contextmanager
    def claimed(self, plan: Plan, *, overwrite: bool) -> Iterator[None]:
        """Hold the folder for one process, with the settings saved in it.

        Raises:
            RefusedError: Another process holds it; it holds other files, or a reproduction of
                other settings that is not to be overwritten.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RefusedError(f"{self.path}: expected a folder, found a file")
        self.path.mkdir(parents=True, exist_ok=True)
        with held(self.path):
            remove_parts_of(self / "plan.json")
            settings = json.loads(json.dumps(finite(plan.sections())))
            if overwrite and (self / "plan.json").exists():
                self._clear()
                write_json(self / "plan.json", with_version(settings))
            self._check(settings)
            yield

    def do(self, stages: Sequence[Stage], watcher: Watcher) -> None:
        """Do the stages that are not done, one after the other, and note their seconds."""
        for number, stage in enumerate(stages, 1):
            if stage.is_done:
                watcher.kept(stage, number, len(stages))
                continue
            watcher.begun(stage, number, len(stages))
            started = time.perf_counter()
            stage.work()
            seconds = time.perf_counter() - started
            write_json(self / "times.json", {**self.times(), stage.key: round(seconds, 1)})
            watcher.ended(stage, seconds)

    def times(self) -> dict[str, float]:
        """Return the seconds of each stage by key, in this folder's last attempt."""
        place = self / "times.json"
        return {} if not place.exists() else dict(read_json(place))

    def _check(self, settings: Mapping[str, Any]) -> None:
        place = self / "plan.json"
        if not place.exists():
            if any(entry.name != LOCK for entry in self.path.iterdir()):
                raise RefusedError(
                    f"{self.path}: expected an empty folder or a reproduction, found other files",
                    remedy="choose another folder with --out",
                )
            write_json(place, with_version(settings))
            return
        found = read_json(place)
        check_form(found, place)
        found = without_version(found)
        if found != settings:
            raise RefusedError(
                f"{self.path}: expected the settings of the reproduction in it, found other ones"
                f"{_difference(found, settings)}",
                remedy="pass the same settings to go on with it, --overwrite to replace it, "
                "or --out",
            )

    def _clear(self) -> None:
        found = [self / name for name in _OWN]
        for pattern in _PATTERNS:
            found += self.path.glob(pattern)
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _difference(found: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    names = []
    for section, values in asked.items():
        held_ = found.get(section)
        for name, value in values.items():
            if isinstance(held_, dict) and name in held_ and held_[name] != value:
                names.append(f"{name} {cut(str(held_[name]))}, now {cut(str(value))}")
    return f": {'; '.join(names)}" if names else ""


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object of a reproduction.

    Raises:
        DataError: It holds something else.
    """
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected a JSON object: {error}", remedy="delete it: it is made again"
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object", remedy="delete it: it is made again")
    return value


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table, whole or not at all; numbers in full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table that `write_csv` wrote.

    Raises:
        DataError: It is no such file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path}: expected a table: {error}", remedy="delete it: it is made again"
        ) from error
