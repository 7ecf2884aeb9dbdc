"""`python -m ngae.search`: searches with the model of a finished run, or compares strategies."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngae import console
from ngae.data.config import DataConfig
from ngae.errors import UsageError
from ngae.oracles.config import OracleConfig
from ngae.search.benchmarks import BenchmarkConfig, short_names
from ngae.search.config import STRATEGY_CONFIGS, SearchConfig, StrategyConfig
from ngae.settings import add_flags, flag_of, given_flags, make

if TYPE_CHECKING:
    from ngae.commands.starting import Source

EXAMPLES = f"""\
examples:
  ngae search runs/digits6-ngae-s0
  ngae search runs/digits6-ngae-s0 --budget 100 --weight 0.3 --weigh macs
  ngae search runs/digits6-ngae-s0 --oracle train --budget 10
  ngae search runs/digits6-ngae-s0 --oracle train --workers 4 --ledger answers.jsonl
  ngae search runs/digits6-ngae-s0 --oracle "command ./judge.py {{arch}}" --budget 10
  ngae search runs/digits6-ngae-s0 --strategy random --seed 1
  ngae search runs/digits6-ngae-s0 --oracle train --history evaluated.csv
  ngae search --space nas-bench-201 --oracle "command ./judge.py {{arch}}" --budget 100
  ngae search --table mine.csv --performance-col acc --oracle train --budget 20
  ngae search runs/digits6-ngae-s0 --strategy evolution --evolution-population 20
  ngae search --benchmark nas-bench-201/cifar10 --table nasbench201.csv.gz --strategies random
  ngae search --benchmark nas-bench-201/cifar10 --table nasbench201.csv.gz \\
      --strategies gradient,random --seeds 20 --budget 200 --workers 2 --json out/result.json
  ngae search --benchmark nas-bench-201/cifar10 --table nasbench201.csv.gz \\
      --strategies gradient,bo,gp --bo-surrogate sparse
      --strategies "ascent,ascent:weight=0,ascent:steps=1,ascent:update=newton;steps=5,nao"
  ngae search --benchmark nas-bench-201/cifar10/latency-pixel3 --table nasbench201.csv.gz \\
      --join latency_ms_27_devices.csv.gz
  ngae search --benchmark table --table mine.csv --performance-col acc --weigh params

benchmarks:
  {short_names()}
"""

# What of a table's settings a search of it can use: it has no parts; and what one of a history.
TABLE_FIELDS = (
    "space", "arch_col", "performance_col", "lower_is_better", "complexity_col", "report_col",
    "join", "missing", "repeats", "burn_in",
)  # fmt: skip
HISTORY_FIELDS = ("arch_col", "performance_col", "lower_is_better", "complexity_col")
# What a benchmark settles for each of its searches.
_SETTLED = ("strategy", "oracle", "seed")


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae search",
        description="Climb predicted performance minus weighted complexity in the latent space, "
        "decode, and ask an oracle about what is found; or search without the model. Without "
        "RUN: a VAE of the graphs of --table, or of graphs drawn of --space, is trained first. "
        "With --benchmark: compare strategies on a table that answers, from nothing known, over "
        "several seeds.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="run folder of a finished training; with --benchmark its model alone is used, and "
        "without one a strategy that needs a model gets a VAE of the table's graphs",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder (default: RUN/search/<strategy>-b<budget>-s<seed>, "
        "runs/search-<table>-<strategy>-b<budget>-s<seed>, or runs/search-<benchmark>-b<budget>)",
    )
    parser.add_argument(
        "--history",
        metavar="FILE",
        default="",
        help="architectures that were evaluated already: a table, trials.jsonl of another search, "
        "or a ledger; several joined by commas. They are known, and never asked about",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a search in the folder")
    console.add_device_flag(parser)
    parser.add_argument(
        "--json",
        metavar="OUT",
        nargs="?",
        const=True,
        default=False,
        help="print results as JSON on stdout; with --benchmark OUT is where they are written: a "
        "file that ends in .json, whose folder takes the trials and curves, or a folder",
    )
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    add_flags(parser, SearchConfig, "search")
    for name, kind in STRATEGY_CONFIGS.items():
        add_flags(parser, kind, f"strategy {name}")
    add_flags(parser, OracleConfig, "oracle")
    add_flags(parser, BenchmarkConfig, "benchmark")
    add_flags(parser, DataConfig, "table, history", TABLE_FIELDS)
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Search, or compare, and show; the exit code."""
    config = make(BenchmarkConfig, given_flags(arguments, BenchmarkConfig), "flags")
    return _compare(arguments, config) if config.benchmark else _search(arguments)


def _search(arguments: argparse.Namespace) -> int:
    if arguments.run is None and isinstance(arguments.json, str):
        # `--json RUN`: without a benchmark the flag takes no value.
        arguments.run, arguments.json = arguments.json, True
    if isinstance(arguments.json, str):
        raise UsageError(
            f"--json: expected no file without --benchmark, found {arguments.json}",
            remedy="results are printed; --out names the folder",
        )
    beside = "expected --benchmark beside it"
    if arguments.run is None:
        _refuse(arguments, BenchmarkConfig, but=("table",), where=beside)
    else:
        _refuse(arguments, BenchmarkConfig, where=beside)
        history = HISTORY_FIELDS if arguments.history else ()
        _refuse(arguments, DataConfig, but=("space", *history), where=beside)
    config = make(SearchConfig, given_flags(arguments, SearchConfig), "flags")
    own = _own_settings(arguments, config)
    if arguments.run is None and getattr(own, "guide", "") == "predictors":
        raise UsageError(
            "--guide predictors: expected a RUN, whose predictors have learned, found none",
            remedy="take --guide surrogate, which learns from every answer",
        )
    oracle = make(OracleConfig, given_flags(arguments, OracleConfig), "flags")
    table = given_flags(arguments, DataConfig)
    make(DataConfig, table, "flags")
    if arguments.run is None and not vars(arguments).get("table") and "space" not in table:
        raise UsageError(
            "search: expected RUN, --table FILE, --space NAME or --benchmark NAME, found none",
            remedy="`ngae train` makes a run folder",
        )
    from ngae.commands.searching import search_and_show

    return search_and_show(
        _source(arguments, table),
        config,
        own,
        oracle,
        history=arguments.history,
        out=Path(arguments.out) if arguments.out else None,
        overwrite=arguments.overwrite,
        as_json=arguments.json,
    )


def _source(arguments: argparse.Namespace, table: Mapping[str, Any]) -> Source:
    from ngae.commands.starting import Source

    device, file = arguments.device, vars(arguments).get("table")
    if arguments.run is not None:
        columns = {name: value for name, value in table.items() if name != "space"}
        return Source.of_run(Path(arguments.run), device, columns, table.get("space", ""))
    if file:
        return Source.of_table(DataConfig(**{"missing": "keep", **table, "data": file}), device)
    return Source.of_space(DataConfig(**table), device)


def _compare(arguments: argparse.Namespace, config: BenchmarkConfig) -> int:
    if arguments.history:
        raise UsageError(
            f"--history: expected none beside --benchmark, found {arguments.history}",
            remedy="its searches start from nothing known",
        )
    search = given_flags(arguments, SearchConfig)
    for name in _SETTLED:
        if name in search:
            raise UsageError(
                f"{flag_of(name)}: expected none beside --benchmark, found {search[name]}",
                remedy="--strategies and --seeds say what is compared; the table answers",
            )
    _refuse(arguments, OracleConfig, but=("workers",), where="expected none beside --benchmark")
    workers = make(OracleConfig, given_flags(arguments, OracleConfig), "flags").workers
    make(SearchConfig, search, "flags")
    table = given_flags(arguments, DataConfig)
    make(DataConfig, table, "flags")
    own = {
        name: make(kind, given_flags(arguments, kind), "flags")
        for name, kind in STRATEGY_CONFIGS.items()
    }
    from ngae.commands.benchmarking import benchmark_and_show

    return benchmark_and_show(
        config,
        search,
        table,
        own,
        run=arguments.run,
        out=arguments.out,
        result=arguments.json if isinstance(arguments.json, str) else None,
        workers=workers,
        overwrite=arguments.overwrite,
        as_json=arguments.json is True,
        device=arguments.device,
    )


def _refuse(
    arguments: argparse.Namespace, *kinds: type, where: str, but: Sequence[str] = ()
) -> None:
    """Raise UsageError where a flag of `kinds` was given that would have no effect."""
    for kind in kinds:
        for name, value in given_flags(arguments, kind).items():
            if name not in but:
                raise UsageError(f"{flag_of(name)}: {where}, found {value}")


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
