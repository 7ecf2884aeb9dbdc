"""`ngae rank`: ranks the rows of a table that have no performance by those that have one."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngae import console
from ngae.data.config import DataConfig
from ngae.errors import RefusedError, UsageError
from ngae.files import finite, write_text
from ngae.settings import add_flags, given_flags, make

if TYPE_CHECKING:
    from ngae.data import Table
    from ngae.search.base import LatentModel

EXAMPLES = """\
examples:
  ngae rank --data table.csv --performance-col acc --out ranked.csv
                                   rows without acc, best predicted first
  ngae rank runs/unlabelled --data table.csv --performance-col acc --out ranked.csv
                                   with the latent points of a trained model as features
  ngae rank --labels 50,100,200    how well would so many labels rank the others? (digits6)
"""

_READ = (
    "data", "space", "arch_col", "performance_col", "lower_is_better", "complexity_col", "join",
    "repeats", "burn_in",
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae rank",
        description="Rank architectures from few labels; or measure how well few labels do.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", nargs="?", help="run folder of a trained model")
    parser.add_argument(
        "--labels",
        metavar="N,N,...",
        help="measure: learn from N labels drawn at random, test on all other labelled rows",
    )
    parser.add_argument(
        "--draws",
        type=int,
        default=10,
        metavar="N",
        help="draws of the labels for each N (default: 10)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--out", metavar="FILE", help="the .csv file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    console.add_device_flag(parser)
    console.add_common_flags(parser)
    add_flags(parser, DataConfig, "data", _READ)
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Measure or rank; the exit code."""
    counts = _counts(arguments.labels)
    if arguments.draws < 1:
        raise UsageError(f"--draws: expected a number from 1, found {arguments.draws}")
    if arguments.seed < 0:
        raise UsageError(f"--seed: expected a number from 0, found {arguments.seed}")
    if arguments.device is not None and arguments.run is None:
        raise UsageError("--device: expected a RUN whose model goes there, found none")
    if (counts is None) == (arguments.out is None):
        raise UsageError("ngae rank: expected either --labels or --out", remedy="see --help")
    if arguments.out is not None and Path(arguments.out).exists() and not arguments.overwrite:
        raise RefusedError(
            f"--out: expected a new file, found {arguments.out}", remedy="pass --overwrite"
        )
    from ngae.data import load_config

    given = {**given_flags(arguments, DataConfig), "missing": "keep"}
    table = load_config(make(DataConfig, given, "flags")).table
    model = _model(arguments, table)
    if counts is None:
        _rank(arguments, table, model)
    else:
        _measure(arguments, table, model, counts)
    return 0


def _counts(text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"--labels: expected numbers joined by commas, found {text!r}")
    return list(dict.fromkeys(int(part) for part in parts))


def _model(arguments: argparse.Namespace, table: Table) -> LatentModel | None:
    if arguments.run is None:
        return None
    from ngae.api import NGAE

    data = make(DataConfig, given_flags(arguments, DataConfig), "flags")
    run = NGAE.load(Path(arguments.run), arguments.device, data.code)
    if run.data.space.identity != table.space.identity:
        raise UsageError(
            f"{arguments.run}: expected a model of {table.space.name}, "
            f"found one of {run.data.space.name}"
        )
    return run.model


def _measure(
    arguments: argparse.Namespace, table: Table, model: LatentModel | None, counts: list[int]
) -> None:
    from tqdm import tqdm

    from ngae.search.few_labels import measured

    total = len(counts) * arguments.draws
    with tqdm(total=total, unit="fit", disable=not sys.stderr.isatty()) as bar:
        found = measured(table, counts, arguments.draws, model, arguments.seed, bar.update)
    if arguments.json:
        console.give(json.dumps(finite(found)))
        return
    rows = [["labels", "Kendall tau", "std", "Pearson r", "tested on"]]
    for count, values in found.items():
        shown = [f"{values[name]:.4f}" for name in ("kendall_tau", "std", "pearson_r")]
        rows.append([count, *shown, f"{values['tested']:.0f}"])
    console.give(console.table(rows))


def _rank(arguments: argparse.Namespace, table: Table, model: LatentModel | None) -> None:
    import numpy as np

    from ngae.search.few_labels import FewLabelPredictor

    unknown = np.flatnonzero(np.isnan(table.performance))
    if not len(unknown) or len(table.labelled) < 2:
        raise UsageError(
            "ngae rank: expected two or more rows with a performance and some without, found "
            f"{len(table.labelled)} and {len(unknown)}",
            remedy="leave the cells of the performance empty, or measure by --labels",
        )
    known = table.subset(table.labelled)
    predictor = FewLabelPredictor(table.space, model).fit(list(known.dags), known.performance)
    candidates = list(table.dags.take(unknown))
    mean, deviation = predictor.predict(candidates)
    order = np.argsort(-mean, kind="stable")
    rows: list[list[Any]] = [["arch", "rank", "deviation"]]
    rows += [
        [table.space.format(candidates[row]), f"{mean[row]:.6f}", f"{deviation[row]:.6f}"]
        for row in order
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(Path(arguments.out), text.getvalue())
    console.say(
        f"{arguments.out}: {len(order)} architectures, best predicted first; rank 1 is the best of "
        f"the {len(known)} labels"
    )
    best = rows[1][0]
    told = {"out": arguments.out, "rows": len(order), "best": best}
    console.give(json.dumps(told) if arguments.json else best)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
