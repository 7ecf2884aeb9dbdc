"""The files of one search: what it was asked to do, answers, trials, results."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ngae.dag import Dag
from ngae.errors import RefusedError, UsageError, cut
from ngae.files import (
    check_form,
    finite,
    naming,
    parse_json,
    remove_parts_of,
    with_version,
    without_version,
    write_bytes,
    write_json,
    write_text,
)
from ngae.oracles.ledger_file import check_free
from ngae.search.base import Trial
from ngae.search.result import SearchResult
from ngae.train.folder import held

_FILES = (
    "config.json", "ledger.jsonl", "trials.jsonl", "result.json", "pareto.csv", "best.json",
    "best.svg", "best.py", "report.npz",
)  # fmt: skip


@contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Hold a folder, made where there is none, for one search at a time.

    Raises:
        RefusedError: It is a file, or another process holds it.
        WriteError: It cannot be written to.
    """
    _check_folder(path)
    with naming(path):
        path.mkdir(parents=True, exist_ok=True)
    with held(path):
        _remove_parts(path)
        yield


class SearchFolder:
    """A folder that one search writes to.

    `config.json` holds the settings, `ledger.jsonl` what was paid for (see `Ledger`),
    `trials.jsonl` grows with each answer, and `result.json`, `pareto.csv` and `best.*` are written
    at the end. A search that was cut off is claimed again by the same settings: its strategy
    starts anew, proposes the same, and is answered from the ledger.

    Args:
        path: The folder; made where there is none.
        settings: Sections of `config.json`.
        overwrite: Whether a search in the folder is dropped; files of others stay.
        endless: Whether a search that has results goes on, too: it has no budget.

    Attributes:
        continued: Whether a search that was cut off goes on.

    Raises:
        RefusedError: The folder holds a finished search, one of other settings, or one of a later
            version of ngae, or one is to be dropped that another process goes on with.
    """

    def __init__(
        self,
        path: str | Path,
        settings: Mapping[str, Any],
        *,
        overwrite: bool = False,
        endless: bool = False,
    ) -> None:
        self.path = Path(path)
        self.endless = endless
        _check_folder(self.path)
        if overwrite:
            check_free(self.ledger)
            for name in _FILES:
                (self.path / name).unlink(missing_ok=True)
        self.continued = self._begun(settings)
        write_json(self.path / "config.json", with_version(settings))
        self._begun_anew = False

    def _begun(self, settings: Mapping[str, Any]) -> bool:
        """Whether there is an unfinished search of these settings; refuses any other one."""
        if not any((self.path / name).exists() for name in _FILES):
            return False
        remedy = "pass --overwrite to replace it, or another --seed or --out"
        if (self.path / "result.json").exists() and not self.endless:
            raise RefusedError(
                f"{self.path}: expected a free folder, found a search", remedy=remedy
            )
        try:
            found = parse_json((self.path / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        check_form(found, self.path / "config.json")
        found = without_version(found)
        asked = _decisive(json.loads(json.dumps(finite(dict(settings)))))
        if _decisive(found) != asked:
            raise RefusedError(
                f"{self.path}: expected a free folder, found an unfinished search of other "
                f"settings{_difference(_decisive(found), asked)}",
                remedy=remedy,
            )
        return True

    @property
    def ledger(self) -> Path:
        """The file for answers that are paid for."""
        return self.path / "ledger.jsonl"

    def add(self, trial: Trial) -> None:
        """Append to `trials.jsonl`, which begins anew with the first trial."""
        mode = "a" if self._begun_anew else "w"  # whoever adds one holds the ledger
        self._begun_anew = True
        path = self.path / "trials.jsonl"
        with naming(path), path.open(mode, encoding="utf-8") as file:
            file.write(json.dumps(finite(trial.as_dict())) + "\n")

    def finish(self, result: SearchResult) -> None:
        """Write the results; where nothing useful was found, `result.json` alone.

        Who finishes holds the ledger: halves of files are of writes that a kill cut off.
        """
        _remove_parts(self.path)
        if result.useful:
            best = result.best
            write_text(self.path / "pareto.csv", _table(result.pareto))
            dag = json.loads(best.dag.to_json())
            write_json(self.path / "best.json", {**best.as_dict(), "dag": dag})
            with suppress(UsageError):  # too large to be drawn
                best.dag.save(self.path / "best.svg")
            source = _source(best.dag)
            if source is not None:
                write_bytes(self.path / "best.py", source)
        write_json(self.path / "result.json", result.as_dict())


def _remove_parts(folder: Path) -> None:
    for name in _FILES:
        remove_parts_of(folder / name)


def _check_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise RefusedError(f"{path}: expected a folder, found a file")


def _source(dag: Dag) -> bytes | None:
    """The network's source; None where a space of one's own has none, whatever its code raises."""
    try:
        return dag.to_source().encode()
    except Exception:
        return None


def _decisive(settings: Any) -> Any:
    """Settings without those that change nothing in what is found."""
    if not isinstance(settings, dict) or not isinstance(settings.get("oracle"), dict):
        return settings
    where = ("workers", "executor", "ledger")
    oracle = {k: v for k, v in settings["oracle"].items() if k not in where}
    return {**settings, "oracle": oracle}


def _difference(found: Any, asked: Mapping[str, Any]) -> str:
    """Name the first setting that differs, where one can be told."""
    for section, values in asked.items():
        held = found.get(section) if isinstance(found, dict) else None
        if not isinstance(held, dict):
            continue
        for name, value in values.items():
            if name in held and held[name] != value:
                return f" ({name} {cut(str(held[name]))}, not {cut(str(value))})"
    return ""


def _table(trials: Sequence[Trial]) -> str:
    text = io.StringIO()
    names = list(dict.fromkeys(name for trial in trials for name in trial.answer.complexity))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["number", "performance", *names, "architecture", "hash"])
    for trial in trials:
        values = trial.as_dict()
        row = [values["complexity"].get(name, "") for name in names]
        writer.writerow(
            [values["number"], values["performance"], *row, values["architecture"], values["hash"]]
        )
    return text.getvalue()
