"""`ngae report`: one HTML file about a run, which needs no network and no server."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from ngae import console
from ngae.report.config import ReportConfig
from ngae.settings import add_flags, given_flags, make

EXAMPLES = """\
examples:
  ngae report runs/digits6-ngae-s0            writes report.html into the folder
  ngae report runs/digits6-ngae-s0 --points 5000
then open the file in a browser, or:
  ngae explore RUN
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae report",
        description="Write one self-contained HTML file about a run and its searches.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="run folder")
    console.add_device_flag(parser)
    console.add_space_flag(parser)
    console.add_common_flags(parser)
    add_flags(parser, ReportConfig, "report")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Compute what the folder lacks, write the report, and say where it is; the exit code."""
    path = Path(arguments.run)
    config = make(ReportConfig, given_flags(arguments, ReportConfig), "flags")
    from ngae.commands.reporting import prepare
    from ngae.report.page import write_report

    prepare(path, arguments.device, arguments.space)
    written = write_report(path, config)
    size = written.stat().st_size
    if arguments.json:
        console.give(json.dumps({"report": str(written), "bytes": size}))
    else:
        console.give(str(written))
    console.say(f"wrote {written} ({size / 1e6:.1f} MB); open it in any browser")
    console.say(f"next: ngae explore {path}{console.named(arguments.space)}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
