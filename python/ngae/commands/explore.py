"""`ngae explore`: a page on this machine that decodes any clicked point of the latent map."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ngae import console
from ngae.explore.config import ExploreConfig
from ngae.settings import add_flags, given_flags, make

EXAMPLES = """\
examples:
  ngae explore runs/digits6-ngae-s0                opens a browser; Ctrl-C ends
  ngae explore runs/digits6-ngae-s0 --no-browser --port 0
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae explore",
        description="Click on the latent map of a run, on 127.0.0.1 alone, and see the networks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="run folder")
    console.add_device_flag(parser)
    console.add_space_flag(parser)
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    add_flags(parser, ExploreConfig, "page")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C; the exit code."""
    config = make(ExploreConfig, given_flags(arguments, ExploreConfig), "flags")
    from ngae.commands.exploring import serve

    return serve(Path(arguments.run), config, arguments.device, arguments.space)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
