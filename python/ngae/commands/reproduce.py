"""`ngae reproduce`: the paper's tables and figures, made anew in one folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ngae import console
from ngae.data.config import DataConfig
from ngae.evaluate.config import EvaluateConfig
from ngae.models.config import LossConfig, ModelConfig
from ngae.reproduce.config import Plan, ReproduceConfig, folder_name, of_published, quick
from ngae.settings import add_flags, given_flags, make, merged
from ngae.train.config import RunConfig, TrainConfig

EXAMPLES = """\
examples:
  ngae reproduce --quick                      a small model of the embedded table, in minutes
  ngae reproduce                              the default model of the embedded table
  ngae reproduce --data enas6                 the paper's table, after `ngae data get enas6`
  ngae reproduce --data final_structures6.txt the same, from D-VAE's file
  ngae reproduce --seeds 3 --out runs/three   mean and deviation over three trainings
A command that was cut off goes on where it was: give it again.
"""

# What makes the model another one has no flag here: figures 3 to 5 need both predictors.
_FLAGS: dict[str, tuple[type[Any], str, tuple[str, ...]]] = {
    "data": (DataConfig, "data", ()),
    "model": (
        ModelConfig,
        "model",
        ("hidden_dim", "latent_dim", "head_dim", "predictor_dim", "precision"),
    ),
    "loss": (LossConfig, "objective", ("beta", "noise_scale")),
    "train": (TrainConfig, "training", ("epochs", "batch_size", "lr", "seed", "device")),
    "evaluate": (EvaluateConfig, "evaluation", ()),
}


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae reproduce",
        description="Make Table 1 and figures 3, 4 and 5 of the paper anew: reproduce.html, "
        "reproduce.md, a CSV file and a drawing each.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_argument_group("run")
    group.add_argument("--quick", action="store_true", help="a small model, 9 epochs, 20 queries")
    group.add_argument("--preset", choices=("paper",), help="start from a named set of settings")
    group.add_argument(
        "--out", metavar="DIR", help="folder (default: runs/reproduce-<data>[-quick])"
    )
    group.add_argument("--overwrite", action="store_true", help="replace what is in the folder")
    console.add_common_flags(group)  # type: ignore[arg-type]
    add_flags(parser, ReproduceConfig, "figures and searches")
    for cls, title, names in _FLAGS.values():
        add_flags(parser, cls, title, names)
    return parser


def plan_of(arguments: argparse.Namespace) -> Plan:
    """Join defaults, preset and flags, later ones winning."""
    from ngae.presets import preset

    flags = {name: given_flags(arguments, cls) for name, (cls, _, _) in _FLAGS.items()}
    flags["data"] = of_published(flags["data"])
    layers = [preset(arguments.preset)] if arguments.preset else []
    run = RunConfig.from_sections(merged([*layers, flags]), "flags")
    own = make(ReproduceConfig, given_flags(arguments, ReproduceConfig), "flags")
    plan = Plan(run, own)
    return quick(plan) if arguments.quick else plan


def command(arguments: argparse.Namespace) -> int:
    """Do what the flags say; the exit code."""
    plan = plan_of(arguments)
    out = Path(arguments.out) if arguments.out else folder_name(plan, is_quick=arguments.quick)
    from ngae.commands.reproducing import reproduce_and_show

    return reproduce_and_show(
        plan, out, overwrite=arguments.overwrite, as_json=arguments.json
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
