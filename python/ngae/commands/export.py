"""`ngae export`: writes an architecture as JSON, DOT, SVG or a Python module."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from ngae import console
from ngae.errors import DataError, GraphError

EXAMPLES = """\
examples:
  ngae export runs/digits6-ngae-s0/search/gradient-b50-s0/best.json best.svg
  ngae export '[[0], [1, 0], [2, 0, 1], [3, 0, 0, 0], [4, 1, 1, 0, 0], [5, 0, 0, 0, 0, 1]]' a.py
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae export",
        description="Write an architecture as JSON, DOT, SVG, or a Python module that builds it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("architecture", help="a JSON file of a search or a Dag, or a text form")
    parser.add_argument("file", metavar="FILE", help="where to: .json, .dot, .svg or .py")
    parser.add_argument("--space", default="enas6", help="search space of a text (default: enas6)")
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Read, write, and say so; the exit code."""
    from ngae.dag import Dag
    from ngae.spaces.registry import space_named

    if arguments.architecture.lstrip().startswith("["):
        dag = space_named(arguments.space).parse(arguments.architecture)
    else:
        values = _read(Path(arguments.architecture))
        inner = values.get("dag")
        values = inner if isinstance(inner, dict) else values
        dag = Dag.from_json(values, space_named(str(values.get("space") or arguments.space)))
    dag.save(arguments.file)
    console.say(f"wrote {arguments.file}")
    return 0


def _read(path: Path) -> dict[str, object]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected an architecture in JSON: {error}") from error
    if not isinstance(values, dict):
        raise GraphError(f"{path}: expected a JSON object, found {type(values).__name__}")
    return values


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
