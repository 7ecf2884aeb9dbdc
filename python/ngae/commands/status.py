"""`ngae status`: which runs and searches there are, how far they are, what they found."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ngae import console
from ngae.report.runs import RunStanding, SearchStanding, standings

EXAMPLES = """\
examples:
  ngae status                  all runs in runs/ and their searches
  ngae status runs/digits6-ngae-s0
  ngae status experiments --json

states of a run:
  training, evaluating   a process holds the folder
  finished               it has its metrics
  interrupted            the same command with --resume goes on
  failed                 error.json says why; --resume goes on from the last checkpoint
states of a search:
  searching              a process holds its ledger
  finished, interrupted  the same command goes on with an interrupted one
  open                   told from outside; it has no budget
"""
_HEAD = ["folder", "state", "done", "reconstruction", "r", "tau", "best", "last write"]


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae status",
        description="List runs and searches: state, epochs, measures, queries, last write. Only "
        "reads; other folders are named, too.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", default="runs",
        help="a folder of runs, or one run (default: runs)",
    )  # fmt: skip
    console.add_common_flags(parser)
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Read and show; the exit code."""
    folder = Path(arguments.folder)
    found, now = standings(folder), time.time()
    if arguments.json:
        runs = [_run_values(each, now) for each in found]
        console.give(json.dumps({"folder": _text(folder), "runs": runs}))
        return 0
    rows = [row for each in found for row in _rows(each, folder, now)]
    if rows:
        console.give(console.table([_HEAD, *rows]))
    for place, note in (pair for each in found for pair in _notes(each)):
        console.say(f"note: {place}: {note}")
    if not rows:
        console.say(f"{_text(folder)}: no runs; `ngae train` makes one")
    return 0


def _rows(run: RunStanding, parent: Path, now: float) -> Iterator[list[str]]:
    """A line for a run and one for each search in it; one for a search without a run."""
    inner = run.path.relative_to(parent)
    name = _text(inner if inner.parts else run.path)
    if run.kind == "search":
        yield _search_row(run.searches[0], name, now)
        return
    share = run.reconstruction
    yield [
        name,
        run.state,
        "" if run.epoch is None else f"{run.epoch}/{_known(run.epochs)} epochs",
        "" if share is None else f"{100 * share:.2f} %",
        _decimals(run.pearson_r),
        _decimals(run.kendall_tau),
        "",
        _ago(run.written, now),
    ]
    for search in run.searches:
        yield _search_row(search, f"  {_text(search.path.name)}", now)


def _search_row(search: SearchStanding, name: str, now: float) -> list[str]:
    of = "" if search.budget is None else f"/{search.budget}"
    best = "" if search.best is None else f"{search.best:.6g}"
    done = f"{search.queries}{of} queries"
    return [name, search.state, done, "", "", "", best, _ago(search.written, now)]


def _notes(run: RunStanding) -> Iterator[tuple[str, str]]:
    if run.note:
        yield _text(run.path), _line(run.note)
    for search in run.searches if run.kind == "run" else ():
        if search.note:
            yield _text(search.path), _line(search.note)


def _run_values(run: RunStanding, now: float) -> dict[str, Any]:
    return {
        "path": _text(run.path),
        "kind": run.kind,
        "state": run.state,
        "epoch": run.epoch,
        "epochs": run.epochs,
        "reconstruction": run.reconstruction,
        "pearson_r": run.pearson_r,
        "kendall_tau": run.kendall_tau,
        "searches": [_search_values(each, now) for each in run.searches],
        "seconds_since_write": _since(run.written, now),
        "note": run.note,
    }


def _search_values(search: SearchStanding, now: float) -> dict[str, Any]:
    return {
        "path": _text(search.path),
        "state": search.state,
        "strategy": search.strategy,
        "queries": search.queries,
        "budget": search.budget,
        "best": search.best,
        "seconds_since_write": _since(search.written, now),
        "note": search.note,
    }


def _text(path: Path | str) -> str:
    """A path for a terminal; one with unprintable characters is quoted."""
    text = os.fspath(path)
    return text if text.isprintable() else repr(text)


def _line(text: str) -> str:
    """A note in one line."""
    return "".join(c if c.isprintable() else " " for c in text)


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _known(value: int | None) -> str:
    return "?" if value is None else str(value)


def _since(written: float | None, now: float) -> float | None:
    return None if written is None else round(max(0.0, now - written), 3)


def _ago(written: float | None, now: float) -> str:
    """How long ago in the greatest unit of which there are two, such as `90 min ago`."""
    seconds = _since(written, now)
    if seconds is None:
        return ""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name} ago"
    return f"{seconds:.0f} s ago"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
