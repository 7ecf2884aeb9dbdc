"""`python -m ngae.search`: looks for better architectures with the model of a finished run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ngae import console
from ngae.errors import UsageError
from ngae.oracles.config import OracleConfig
from ngae.search.config import STRATEGY_CONFIGS, SearchConfig, StrategyConfig
from ngae.settings import add_flags, flag_of, given_flags, make

EXAMPLES = """\
examples:
  ngae search runs/digits6-ngae-s0
  ngae search runs/digits6-ngae-s0 --budget 100 --weight 0.3 --weigh macs
  ngae search runs/digits6-ngae-s0 --oracle train --budget 10
  ngae search runs/digits6-ngae-s0 --oracle train --workers 4 --ledger answers.jsonl
  ngae search runs/digits6-ngae-s0 --oracle "command ./judge.py {arch}" --budget 10
  ngae search runs/digits6-ngae-s0 --strategy random --seed 1
  ngae search runs/digits6-ngae-s0 --strategy evolution --evolution-population 20
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae search",
        description="Climb predicted performance minus weighted complexity in the latent space, "
        "decode, and ask an oracle about what is found; or search without the model.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "--out", metavar="DIR", help="folder (default: RUN/search/<strategy>-b<budget>-s<seed>)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a search in the folder")
    console.add_device_flag(parser)
    console.add_common_flags(parser)
    add_flags(parser, SearchConfig, "search")
    for name, kind in STRATEGY_CONFIGS.items():
        add_flags(parser, kind, f"strategy {name}")
    add_flags(parser, OracleConfig, "oracle")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Search and show; the exit code."""
    config = make(SearchConfig, given_flags(arguments, SearchConfig), "flags")
    own = _own_settings(arguments, config)
    oracle = make(OracleConfig, given_flags(arguments, OracleConfig), "flags")
    from ngae.commands.searching import search_and_show

    return search_and_show(
        Path(arguments.run),
        config,
        own,
        oracle,
        out=Path(arguments.out) if arguments.out else None,
        overwrite=arguments.overwrite,
        as_json=arguments.json,
        device=arguments.device,
    )


def _own_settings(arguments: argparse.Namespace, config: SearchConfig) -> StrategyConfig:
    """Settings of the strategy that was chosen; flags of another one are refused."""
    for name, kind in STRATEGY_CONFIGS.items():
        given = given_flags(arguments, kind)
        if given and name != config.strategy:
            flag = flag_of(kind.flag_prefix + next(iter(given)))
            raise UsageError(f"{flag}: expected --strategy {name}, found {config.strategy}")
    kind = STRATEGY_CONFIGS[config.strategy]
    return make(kind, given_flags(arguments, kind), "flags")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
