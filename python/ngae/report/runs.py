"""How the runs and searches of a folder stand, told by their files alone.

Nothing is written and no model is loaded. A folder may be half written, broken or of somebody
else: whatever cannot be read is None, and why is a note. Holds no torch and no numpy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngae.errors import RefusedError, UsageError, cut, printable
from ngae.files import check_form
from ngae.report.standing_files import (
    held,
    json_lines,
    json_object,
    names_in,
    number,
    section,
    subfolders,
    whole,
    written_at,
)  # fmt: skip
from ngae.search.config import SearchConfig
from ngae.search.limits import Limit
from ngae.train.folder import LOCK

_DEPTH = 3  # how far below the folder that is named runs are looked for
_RUN_SECTIONS = {"data", "model", "loss", "train", "evaluate"}


@dataclass(frozen=True)
class SearchStanding:
    """How a search stands.

    Attributes:
        path: Its folder.
        state: searching, finished, interrupted, open (told from outside, no budget), or
            unreadable.
        strategy: Who proposes, or None.
        queries: Architectures asked so far.
        budget: How many may be asked, or None.
        best: The best performance that keeps the limits, or None.
        written: When something was last written, in seconds since 1970, or None.
        note: What is odd, or "".
    """

    path: Path
    state: str
    strategy: str | None
    queries: int
    budget: int | None
    best: float | None
    written: float | None
    note: str = ""


@dataclass(frozen=True)
class RunStanding:
    """How a run, or another folder beside runs, stands.

    Attributes:
        path: Its folder.
        kind: run, search (without a run), benchmark, or other.
        state: training, evaluating, finished, failed, interrupted, or unreadable; of a search as
            `SearchStanding`; of a benchmark finished or unfinished; "not a run" of other folders.
        epoch: Epochs done, or None.
        epochs: Epochs of the whole run, or None.
        reconstruction: Share of test rows at z = mean; of the last epoch where the run has not
            ended.
        pearson_r: Of predicted and true performance, likewise.
        kendall_tau: The same, of a run that has ended.
        searches: Those in the folder; of a search without a run itself.
        written: When something was last written, in seconds since 1970, or None.
        note: What is odd, or "".
    """

    path: Path
    kind: str
    state: str
    epoch: int | None = None
    epochs: int | None = None
    reconstruction: float | None = None
    pearson_r: float | None = None
    kendall_tau: float | None = None
    searches: tuple[SearchStanding, ...] = ()
    written: float | None = None
    note: str = ""


def standings(folder: Path) -> list[RunStanding]:
    """Tell how everything in a folder of runs stands, or one run; by name.

    Raises:
        RefusedError: There is no such folder, or it cannot be listed.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "none"
        raise RefusedError(
            f"{folder}: expected a folder of runs, found {found}",
            remedy="`ngae train` makes runs/; name another folder as ngae status FOLDER",
        )
    if names_in(folder) is None:
        raise RefusedError(f"{folder}: expected a folder that can be listed, found one that cannot")
    own = _standing(folder)
    return [own] if own.kind != "other" else _below(folder, _DEPTH)


def _below(folder: Path, depth: int) -> list[RunStanding]:
    found: list[RunStanding] = []
    for path in subfolders(folder):
        own = _standing(path)
        inner: list[RunStanding] = []
        if own.kind == "other" and depth > 1:
            inner = [each for each in _below(path, depth - 1) if each.kind != "other"]
        found += inner or [own]
    return found


def _standing(path: Path) -> RunStanding:
    names = names_in(path)
    if names is None:
        return RunStanding(path, "other", "unreadable", note="cannot be listed")
    config, problem = _settings(path)
    if "config.json" not in names:
        if "settings.json" in names and "trials.jsonl" in names:
            return _benchmark(path)
        if LOCK in names and held(path / LOCK):
            return RunStanding(path, "run", "training", written=written_at(path))
        missing = "no config.json" if names - {LOCK} else "empty"
        return RunStanding(path, "other", "not a run", written=written_at(path), note=missing)
    if config is None:
        ours = names & {"log.jsonl", "metrics.json", "checkpoints", "ledger.jsonl"}
        kind = "run" if ours else "other"
        return RunStanding(path, kind, "unreadable", written=written_at(path), note=problem)
    if "search" in config:
        search = search_standing(path)
        return RunStanding(
            path, "search", search.state, searches=(search,), written=search.written,
            note=search.note,
        )  # fmt: skip
    if not config.keys() & _RUN_SECTIONS:
        note = "config.json: no settings of a run"
        return RunStanding(path, "other", "not a run", written=written_at(path), note=note)
    return _run(path, config)


def _settings(path: Path) -> tuple[dict[str, Any] | None, str]:
    """What `config.json` of a folder says; None where it cannot be read, and why."""
    config, problem = json_object(path / "config.json")
    try:
        check_form(config, "config.json")
    except RefusedError as error:
        return None, str(error)
    return config, problem


def _run(path: Path, config: Mapping[str, Any]) -> RunStanding:
    metrics, problem = json_object(path / "metrics.json")
    error, _ = json_object(path / "error.json")
    log = json_lines(path / "log.jsonl")
    epochs = whole(section(config, "train").get("epochs"))
    last = log[-1] if log else {}
    epoch = whole(last.get("epoch")) if log else 0
    if held(path / LOCK):
        state = "evaluating" if epochs is not None and epoch == epochs else "training"
    elif error is not None:
        state = "failed"
    else:
        state = "finished" if metrics is not None else "interrupted"
    test, note = section(last, "test"), problem
    if error is not None:
        note = cut(printable(str(error.get("error"))), 200)
    reconstruction, r, tau = number(test.get("reconstruction")), number(test.get("pearson_r")), None
    if metrics is not None:
        reconstruction = number(section(metrics, "reconstruction").get("mean"))
        r = number(section(metrics, "performance").get("pearson_r"))
        tau = number(section(metrics, "performance").get("kendall_tau"))
    return RunStanding(
        path, "run", state, epoch, epochs, reconstruction, r, tau,
        tuple(map(search_standing, subfolders(path / "search"))),
        written_at(path, "checkpoints"), note,
    )  # fmt: skip


def search_standing(path: Path) -> SearchStanding:
    """Tell how the search in a folder stands."""
    config, problem = _settings(path)
    if config is None:
        note = problem or "no config.json"
        return SearchStanding(path, "unreadable", None, 0, None, None, written_at(path), note)
    search, oracle = section(config, "search"), section(config, "oracle")
    result, problem = json_object(path / "result.json")
    told = oracle.get("identity") == "told"
    if held(path / LOCK) or held(path / "ledger.jsonl"):
        state = "searching"
    elif result is not None and not told:
        state = "finished"
    else:
        state = "open" if told else "interrupted"
    strategy = search.get("strategy")
    trials, events = json_lines(path / "trials.jsonl"), json_lines(path / "ledger.jsonl")
    return SearchStanding(
        path,
        state,
        printable(strategy) if isinstance(strategy, str) else None,
        _asked(events) if events else len(trials),
        None if told else whole(search.get("budget", SearchConfig().budget)),
        _best([*trials, *events], search.get("constraint")),
        written_at(path),
        problem,
    )


def _asked(events: list[dict[str, Any]]) -> int:
    """Count the architectures that a ledger was asked about, as `Ledger.used` does."""
    attempts: dict[str, int] = {}
    for event in events:
        key = str(event.get("hash"))
        if event.get("event") == "asked":
            attempts[key] = attempts.get(key, 0) + 1
        elif event.get("event") == "withdrawn":
            attempts[key] = attempts.get(key, 0) - 1
    return sum(count > 0 for count in attempts.values())


def _best(lines: list[dict[str, Any]], constraint: object) -> float | None:
    """The best performance of lines of a ledger or of trials that keep the limits."""
    try:
        limits = Limit.parse_all(constraint) if isinstance(constraint, str) else ()
    except UsageError:
        limits = ()
    values = []
    for line in lines:
        performance = number(line.get("performance"))
        if performance is None or line.get("event", "answered") != "answered":
            continue
        told = section(line, "complexity")
        costs = [(number(told.get(limit.name)), limit.most) for limit in limits]
        if all(cost is not None and cost <= most for cost, most in costs):
            values.append(performance)
    return max(values, default=None)


def _benchmark(path: Path) -> RunStanding:
    lines = json_lines(path / "trials.jsonl")
    ended = {(str(line.get("strategy")), str(line.get("seed"))) for line in lines}
    state = "finished" if os.path.isfile(path / "result.json") else "unfinished"
    note = f"benchmark, {len(ended)} searches ended"
    return RunStanding(path, "benchmark", state, written=written_at(path), note=note)
