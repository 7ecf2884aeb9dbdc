"""`python -m ngae.evaluate`: measures the model of a finished run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from ngae import console
from ngae.evaluate.config import EvaluateConfig
from ngae.settings import add_flags, given_flags

EXAMPLES = """\
examples:
  ngae evaluate runs/digits6-ngae-s0
  ngae evaluate runs/digits6-ngae-s0 --prior-points 1000 --json
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae evaluate",
        description="Measure reconstruction, validity, uniqueness, novelty, RMSE, r and tau.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="run folder")
    parser.add_argument("--seed", type=int, metavar="N", help="seed (default: that of the run)")
    console.add_device_flag(parser)
    console.add_space_flag(parser)
    console.add_common_flags(parser)
    add_flags(parser, EvaluateConfig, "evaluation")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Evaluate and print; the exit code. Writes nothing."""
    import dataclasses

    from ngae.api import NGAE
    from ngae.commands.banner import show_banner
    from ngae.evaluate.protocol import evaluate
    from ngae.files import finite

    run = NGAE.load(Path(arguments.run), arguments.device, arguments.space)
    show_banner(run.model.device)
    config = dataclasses.replace(run.config.evaluate, **given_flags(arguments, EvaluateConfig))
    seed = run.config.train.seed if arguments.seed is None else arguments.seed
    metrics = evaluate(run.model, run.data, config, seed=seed)
    if arguments.json:
        console.give(json.dumps(finite(metrics)))
    else:
        console.give(console.metrics_table(metrics))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
