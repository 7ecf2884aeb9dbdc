"""`python -m bench.report`: the benchmarks in one table, with the machine that they ran on."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ngae import console
from ngae.errors import NgaeError, UsageError
from ngae.files import write_json, write_text

if TYPE_CHECKING:
    from bench.growth import Growth
    from bench.measure import Row
    from bench.tables import Results

QUICK_SECONDS, FULL_SECONDS = 0.8, 2.0  # of readings a case, after three rounds

EXAMPLES = """\
examples:
  python -m bench.report --quick
  python -m bench.report --json speed.json --markdown docs/speed.md --plot growth.svg
  python -m bench.report --only 'decode, hidden 501'
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.report",
        description="Time the native ops beside plain PyTorch, and against what the machine can "
        "do. Answers are compared before they are timed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--quick", action="store_true", help="one size of each, in under a minute")
    kinds.add_argument(
        "--only",
        type=_text,
        metavar="TEXT",
        help="every size of hidden state and batch whose name contains TEXT",
    )
    parser.add_argument("--json", type=_file, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--markdown", type=_file, metavar="FILE", help="write a page of Markdown")
    parser.add_argument(
        "--plot", type=_file, metavar="FILE", help="draw the growth of time as SVG (full report)"
    )
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    given = sys.argv[1:] if argv is None else argv
    line = shlex.join(["python", "-m", "bench.report", *given])

    def command(arguments: argparse.Namespace) -> int:
        return _report(arguments, line)

    return console.run(build_parser(), command, argv)


def _file(text: str) -> Path:
    path = Path(text)
    if not text or path.is_dir():
        raise argparse.ArgumentTypeError(f"expected the name of a file, found {text!r}")
    return path


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("expected some text, found none")
    return text


def _report(arguments: argparse.Namespace, line: str) -> int:
    from bench import tables

    if arguments.plot and (arguments.quick or arguments.only):
        raise UsageError("--plot: expected the full report, found --quick or --only")
    try:
        results = _measure(arguments, line)
    except AssertionError as error:
        raise NgaeError(f"a wrong answer: {error}") from error
    console.give(tables.text(results))
    if arguments.json:
        write_json(arguments.json, results.as_dict())
    if arguments.markdown:
        write_text(arguments.markdown, tables.markdown(results))
    if arguments.plot:
        write_text(arguments.plot, draw(results.growth))
    return 0


def _measure(arguments: argparse.Namespace, line: str) -> Results:
    from bench import machine, work
    from bench.measure import measure, peak_rows
    from bench.tables import Results, machine_line

    facts = machine.facts()
    console.say(machine_line(facts))
    if arguments.only:
        cases = [case for case in work.all_cases(every_size=True) if arguments.only in case.name]
        if not cases:
            raise UsageError(f"--only: expected a part of a name, found {arguments.only!r}")
    else:
        cases = work.headline_cases() if arguments.quick else work.all_cases()
    rows, started = peak_rows(), time.perf_counter()
    for number, case in enumerate(cases, 1):
        seconds = time.perf_counter() - started
        console.say(f"[{number}/{len(cases)}] {seconds:.0f} s  {case.name}")
        rows += measure(case, seconds=QUICK_SECONDS if arguments.quick else FULL_SECONDS)
    if arguments.quick or arguments.only:
        return Results(facts, line, rows)
    more, growth, skipped = _large()
    return Results(facts, line, [*rows, *more], growth, skipped)


def _large() -> tuple[list[Row], list[Growth], list[str]]:
    """What only the full report has: growth, and a whole search space."""
    from bench.growth import nasbench101_row, with_graphs, with_nodes

    rows, skipped = [], []
    console.say("all graphs of NAS-Bench-101")
    try:
        rows.append(nasbench101_row())
    except FileNotFoundError as error:
        skipped.append(f"all graphs of NAS-Bench-101: {error}")
    console.say("growth with nodes, then with graphs: some minutes")
    return rows, [with_nodes(), with_graphs()], skipped


def draw(growth: Sequence[Growth]) -> str:
    """Draw time against size, a line for each of `growth`."""
    from bench.chart import log_chart

    lines = {g.name: list(zip(map(float, g.sizes), g.seconds, strict=True)) for g in growth}
    sizes = " or ".join(f"{g.size}s" for g in growth)
    return log_chart("Growth of time", f"number of {sizes}", "seconds", lines)


if __name__ == "__main__":
    sys.exit(main())
