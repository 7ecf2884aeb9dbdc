"""`ngae data`: lists tables, checks a file, describes the formats."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ngae import console
from ngae.data.config import DataConfig
from ngae.settings import add_flags, given_flags, make

EXAMPLES = """\
examples:
  python -m ngae.data list
  python -m ngae.data formats
  python -m ngae.data check table.csv --arch-col arch --performance-col acc
"""

FORMATS = """\
.txt    one architecture a line, as in D-VAE's tables: [[type], [type, flag], ...], accuracy
.csv    a head line; columns named by --arch-col, --performance-col, --complexity-col
.jsonl  one JSON object a line with the same names as keys; the architecture is the text above,
        the same lists as JSON, or {"node_types": [...], "edges": [[u, v], ...]}
Each may be compressed as .gz. In the text of an ENAS layer the first number is the operation
(0 conv3x3, 1 sep3x3, 2 conv5x5, 3 sep5x5, 4 avg3x3, 5 max3x3), the others are skip flags."""

LIST = """\
name     rows    space  performance                                          complexity
digits6  19,020  enas6  accuracy with shared weights, 8x8 digits (embedded)  params, macs"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="python -m ngae.data",
        description="List, describe and check tables of architectures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="action", required=True, metavar="list|formats|check")
    commands.add_parser("list", help="list the embedded tables")
    commands.add_parser("formats", help="describe the files that can be read")
    check = commands.add_parser("check", help="name every problem of a file")
    check.add_argument("file", metavar="FILE", help="the table")
    check.add_argument("--debug", action="store_true", help="print a traceback with an error")
    add_flags(check, DataConfig, "data")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Do the action; the exit code."""
    if arguments.action == "list":
        console.give(LIST)
    elif arguments.action == "formats":
        console.give(FORMATS)
    else:
        _check(arguments)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    from ngae.data import load_config

    values = {**given_flags(arguments, DataConfig), "data": arguments.file}
    data = load_config(make(DataConfig, values, "flags"))
    table = data.table
    for note in data.notes:
        console.say(f"note: {note}")
    rows = [["target", "min", "mean", "max"]]
    columns = [(table.performance_name, table.performance)]
    columns += [(n, table.complexity[:, i]) for i, n in enumerate(table.complexity_names)]
    rows += [
        [name, f"{values.min():.6g}", f"{values.mean():.6g}", f"{values.max():.6g}"]
        for name, values in columns
    ]
    console.give(
        f"{arguments.file}: {len(table)} rows, space {data.space.name}, "
        f"{len(data.train)} training and {len(data.test)} test"
    )
    console.give(console.table(rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
