"""`python -m ngae.train`: trains, judges and saves a model; the main job."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ngae import console
from ngae.data.config import DataConfig
from ngae.errors import UsageError
from ngae.evaluate.config import EvaluateConfig
from ngae.models.config import LossConfig, ModelConfig
from ngae.settings import add_flags, given_flags, merged, read_file
from ngae.train.config import SECTIONS, RunConfig, TrainConfig, quick
from ngae.train.group import Group, joined

EXAMPLES = """\
examples:
  ngae train                                  the embedded table digits6, minutes on a laptop
  ngae train --quick                          the same in well under a minute, to see it work
  ngae train --data table.csv --arch-col arch --performance-col acc --complexity-col params
  ngae train --data final_structures6.txt --burn-in 1000 --split published
  ngae train --config run.toml --seed 1       flags override the file
  ngae train --out runs/a --resume            go on with an interrupted run
  torchrun --nproc-per-node 2 -m ngae.train   by two processes; --device cuda: a GPU each
then:
  ngae search RUN
"""

_TITLES: dict[str, tuple[type[Any], str]] = {
    "data": (DataConfig, "data"),
    "model": (ModelConfig, "model"),
    "loss": (LossConfig, "objective"),
    "train": (TrainConfig, "training"),
    "evaluate": (EvaluateConfig, "evaluation"),
}


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae train",
        description="Train a graph VAE with two predictors on a table of architectures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run = parser.add_argument_group("run")
    run.add_argument("--config", metavar="FILE", help="settings in TOML or JSON; flags override")
    run.add_argument(
        "--preset", choices=("paper", "large"), help="start from a named set of settings"
    )
    run.add_argument("--out", metavar="DIR", help="run folder (default: runs/<data>-ngae-s<seed>)")
    run.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    run.add_argument("--overwrite", action="store_true", help="replace the run in the folder")
    run.add_argument("--quick", action="store_true", help="a small model and two epochs")
    run.add_argument("--dry-run", action="store_true", help="show what would be done, and stop")
    run.add_argument(
        "--tensorboard",
        action="store_true",
        help="write the numbers of each epoch into RUN/tensorboard (pip install 'ngae[tb]')",
    )
    console.add_common_flags(run)  # type: ignore[arg-type]
    for cls, title in _TITLES.values():
        add_flags(parser, cls, title)
    _add_published_names(parser)
    return parser


def _add_published_names(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("names of the published code, accepted so that they run")
    group.add_argument("--nvt", type=int, metavar="N", help="number of operations (checked)")
    group.add_argument("--continue-from", type=int, metavar="N", help="like --resume")
    group.add_argument("--load-latest-model", action="store_true", help="like --resume")
    group.add_argument("--only-test", action="store_true", help="like ngae.evaluate")
    group.add_argument("--no-cuda", action="store_true", help="like --device cpu")
    group.add_argument("--data-type", choices=("ENAS",), help="no effect: the data show it")
    for flag, why in (("--model", "there is one model"), ("--save-appendix", "see --out")):
        group.add_argument(flag, metavar="TEXT", help=f"no effect: {why}")
    for flag, why in (("--save-interval", "each epoch"), ("--sample-number", "see ngae report")):
        group.add_argument(flag, type=int, metavar="N", help=f"no effect: {why}")
    for flag, why in (
        ("--predictor", "on by default"),
        ("--keep-old", "nothing is deleted"),
        ("--reprocess", "nothing is cached"),
    ):
        group.add_argument(flag, action="store_true", help=f"no effect: {why}")


def config_of(arguments: argparse.Namespace) -> RunConfig:
    """Join defaults, preset, file and flags, later ones winning."""
    from ngae.presets import preset

    flags: dict[str, dict[str, Any]] = {
        name: given_flags(arguments, cls) for name, (cls, _) in _TITLES.items()
    }
    if arguments.no_cuda:
        flags["train"]["device"] = "cpu"
    layers: list[dict[str, dict[str, Any]]] = []
    if arguments.preset:
        layers.append(preset(arguments.preset))
    if arguments.config:
        layers.append(read_file(arguments.config))
    config = RunConfig.from_sections(merged([*layers, flags]), arguments.config or "flags")
    if "space" not in flags["data"]:
        config.data.trusted("", f"--config {arguments.config}")
    return quick(config) if arguments.quick else config


def command(arguments: argparse.Namespace) -> int:
    """Do what the flags say, alone or with the processes of `torchrun`; the exit code."""
    with joined() as group:
        return _train(arguments, group)


def _train(arguments: argparse.Namespace, group: Group) -> int:
    if arguments.resume and arguments.overwrite:
        raise UsageError("--resume and --overwrite: expected one of them, found both")
    config = config_of(arguments)
    from ngae.commands.training import help_unseen, train_and_show

    out = Path(arguments.out) if arguments.out else None
    if not group.is_first:
        return help_unseen(config, out, group, dry_run=arguments.dry_run)
    going_on = arguments.resume or arguments.load_latest_model or arguments.only_test
    return train_and_show(
        config,
        out=out,
        resume=going_on or arguments.continue_from is not None,
        overwrite=arguments.overwrite,
        dry_run=arguments.dry_run,
        as_json=arguments.json,
        nvt=arguments.nvt,
        tensorboard=arguments.tensorboard,
        group=group,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)


assert set(_TITLES) == set(SECTIONS)
