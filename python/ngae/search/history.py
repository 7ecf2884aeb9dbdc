"""Architectures that were evaluated before a search: known labels, never asked again.

They come as a table, as the `trials.jsonl` of another search, or as a ledger.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import DataConfig, Table
from ngae.data.columns import NONE
from ngae.data.raw import Problems, read_text
from ngae.data.readers import SOURCES
from ngae.data.tables import read_table
from ngae.errors import DataError, GraphError, cut
from ngae.files import check_form, check_version, parse_json, without_folder
from ngae.oracles.base import Answer
from ngae.oracles.ledger import answer_of

Told = tuple[Dag, Answer]
_TRIAL = frozenset({"number", "hash", "architecture", "performance", "complexity", "status"})


@dataclass(frozen=True, eq=False)
class Start:
    """What is known when a search begins.

    Attributes:
        known: Rows with a performance.
        failed: Canonical hashes of what was evaluated in vain.
        notes: What is odd, for people to read.
    """

    known: Table
    failed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what tells this start from others."""
        return {
            "space": without_folder(self.known.space.name),
            "rows": len(self.known),
            "fingerprint": self.known.fingerprint,
            "failed": sorted(self.failed),
        }

    def with_history(self, path: str, config: DataConfig) -> Start:
        """Add what stands in files; where an architecture is known already, the file wins.

        Args:
            path: Files, joined by commas; later ones win.
            config: How their tables are read: columns, direction.

        Raises:
            DataError: With every problem of a file: line, column, expected, found.
            UsageError: A file of another form.
            RefusedError: A ledger, or trials of a search, that a later version of ngae wrote.
        """
        start = self
        for name in (part.strip() for part in path.split(",")):
            start = start._with_file(name, config) if name else start
        return start

    def with_table(self, table: Table, name: str = "history") -> Start:
        """Add the rows of a table of the same space, those without a performance as failed.

        Raises:
            DataError: A table of another space.
        """
        if table.space.name != self.known.space.name:
            raise DataError(
                f"{name}: expected architectures of {self.known.space.name}, found "
                f"{table.space.name}"
            )
        return self._with(_aligned(table, self.known), frozenset(), name)

    def with_answers(self, answers: Sequence[Told], name: str) -> Start:
        """Add answers, later ones of one architecture in the place of earlier ones."""
        last = {dag.canonical_hash: (dag, answer) for dag, answer in answers}
        good = [(dag, answer) for dag, answer in last.values() if answer.ok]
        failed = frozenset(key for key, (_, answer) in last.items() if not answer.ok)
        return self._with(_of_answers(good, self.known), failed, name)

    def _with_file(self, path: str, config: DataConfig) -> Start:
        head = _first_object(path)
        if head.get("event") == "opened":
            check_version(head.get("version"), f"{path}:1", "version")
            return self.with_answers(list(_ledger(path, self.known)), path)
        if head.keys() >= _TRIAL:
            beside = Path(path).with_name("config.json")  # of the search that wrote the trials
            check_form(_json_value(beside), beside)
            return self.with_answers(list(_trials(path, self.known)), path)
        settings = _settings(path, config, self.known)
        table = read_table(path, settings, self.known.space)
        return self.with_table(table, path)

    def _with(self, rows: Table, failed: frozenset[str], name: str) -> Start:
        rows = rows.subset(np.unique(rows.first_rows))
        failed |= {rows.hashes[row] for row in np.flatnonzero(np.isnan(rows.performance))}
        rows = rows.subset(rows.labelled)
        told = {*rows.hashes, *failed}
        beside = [row for row, key in enumerate(self.known.hashes) if key not in told]
        left = self.known.subset(np.array(beside, dtype=np.int64))
        twice = len({*self.known.hashes} & told)
        note = f"{name}: {len(rows)} known answers"
        note += f", {len(failed)} failed" if failed else ""
        note += (
            f"; {twice} of them were known already, the answers of {name} count" if twice else ""
        )
        still = (self.failed - set(rows.hashes)) | failed
        return Start(_joined(left, rows), still, (*self.notes, note))


def _joined(left: Table, right: Table) -> Table:
    return dataclasses.replace(
        left,
        dags=Dags.joined([left.dags, right.dags]),
        performance=np.concatenate([left.performance, right.performance]),
        complexity=np.concatenate([left.complexity, right.complexity]),
        lines=np.concatenate([left.lines, right.lines]),
        reported={},
    )


def _settings(path: str, config: DataConfig, known: Table) -> DataConfig:
    """How a table of known answers is read: complexities that it lacks may be missing."""
    kept = config.complexity_col
    source = SOURCES.get(Path(path.removesuffix(".gz")).suffix)
    if kept not in ("", NONE) and source is not None:
        problems = Problems(path)
        here = source(read_text(Path(path), problems), problems).names
        kept = ",".join(name for name in known.complexity_names if name in here) or NONE
    performance = config.performance_col
    return DataConfig(
        data=path,
        arch_col=config.arch_col,
        performance_col=DataConfig().performance_col if performance == NONE else performance,
        lower_is_better=config.lower_is_better,
        complexity_col=kept,
    )


def _aligned(table: Table, known: Table) -> Table:
    """Return a table with the complexities of `known`, NaN where it lacks one."""
    names = known.complexity_names
    exact = _exact(table.dags, known)
    columns = [
        table.complexity[:, table.complexity_names.index(name)]
        if name in table.complexity_names
        else exact.get(name, np.full(len(table), np.nan))
        for name in names
    ]
    complexity = np.stack(columns, axis=1) if columns else np.zeros((len(table), 0))
    return dataclasses.replace(
        table, complexity=complexity, complexity_names=names, reported={}, space=known.space
    )


def _exact(dags: Dags, known: Table) -> dict[str, Any]:
    values = known.space.complexity(dags)
    return {name: values[:, place] for place, name in enumerate(known.space.complexity_names)}


def _of_answers(answers: Sequence[Told], known: Table) -> Table:
    dags = Dags.of([dag for dag, _ in answers], known.space)
    exact = _exact(dags, known)
    rows = [
        [
            answer.complexity.get(name, exact[name][row] if name in exact else math.nan)
            for name in known.complexity_names
        ]
        for row, (_, answer) in enumerate(answers)
    ]
    return dataclasses.replace(
        known,
        dags=dags,
        performance=np.array([answer.performance for _, answer in answers], dtype=np.float64),
        complexity=np.array(rows, dtype=np.float64).reshape(len(rows), len(known.complexity_names)),
        lines=np.zeros(len(answers), dtype=np.int64),
        reported={},
    )


def _json_value(path: Path) -> object:
    """The value in a JSON file; None where it is none."""
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _first_object(path: str) -> Mapping[str, Any]:
    """The first line of a .jsonl file as JSON; nothing where it is none."""
    if not path.endswith(".jsonl") or not Path(path).is_file():
        return {}
    with open(path, encoding="utf-8", errors="replace") as file:
        try:
            value = parse_json(file.readline())
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _lines(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects with their line numbers; a last line that a kill cut off is left out."""
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):
        try:
            value = parse_json(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise DataError(f"{path}:{number}: expected a JSON object, found {cut(line)!r}")
        yield number, value


def _trials(path: str, known: Table) -> Iterator[Told]:
    for number, line in _lines(path):
        try:
            dag = known.space.parse(line["architecture"])
            yield _checked(dag, {"cost_s": 0.0, "detail": {}, "error": "", **line}, known)
        except GraphError as error:
            raise DataError(f"{path}:{number}: architecture: {error}") from error
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError(
                f"{path}:{number}: expected a trial of a search, found {cut(json.dumps(line))}"
            ) from error


def _checked(dag: Dag, event: Mapping[str, Any], known: Table) -> Told:
    """The architecture with its answer; raises where either is not what it should be."""
    known.space.check(dag)
    answer = answer_of(event)
    numbers = [*answer.complexity.values(), *([answer.performance] if answer.ok else [])]
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a number that is not finite")
    return dag, answer


def _ledger(path: str, known: Table) -> Iterator[Told]:
    asked: dict[str, Any] = {}
    for number, event in _lines(path):
        try:
            if "architecture" in event:
                asked[event["hash"]] = event["architecture"]
            if event["event"] in ("answered", "failed", "known"):
                dag = Dag.from_json(dict(asked[event["hash"]]), known.space)
                yield _checked(dag, event, known)
        except GraphError as error:
            raise DataError(f"{path}:{number}: architecture: {error}") from error
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError(
                f"{path}:{number}: expected an event of a ledger, found {cut(json.dumps(event))}"
            ) from error
