import argparse

import pytest

from ngae.commands.benchmarking import _aimed
from ngae.commands.search import build_parser, main
from ngae.data.config import DataConfig
from ngae.errors import UsageError
from ngae.search.benchmarks import benchmark_named
from ngae.search.config import (
    STRATEGY_CONFIGS,
    BOConfig,
    EvolutionConfig,
    GPConfig,
    GradientConfig,
    SearchConfig,
    search_configs,
)
from ngae.settings import add_flags, given_flags


def test_settings_go_to_the_search_and_to_its_strategy():
    found = search_configs({"strategy": "evolution", "population": 7, "seed": 3}, "Search")
    assert found == (SearchConfig(strategy="evolution", seed=3), EvolutionConfig(population=7))
    assert search_configs({"weight": 0.3}, "Search") == (SearchConfig(), GradientConfig(weight=0.3))


@pytest.mark.parametrize(
    ("values", "message", "remedy"),
    [
        ({"population": 7}, "gradient, found 'population'", "strategy evolution or nsga2 has it"),
        ({"strategy": "nsga2", "buget": 7}, "nsga2, found 'buget'", "did you mean budget?"),
        ({"strategy": "local", "xyz": 7}, "local, found 'xyz'", "known: draws"),
    ],
)
def test_settings_of_other_strategies_are_named(values, message, remedy):
    with pytest.raises(UsageError, match=f"setting of the strategy {message}") as caught:
        search_configs(values, "Search")
    assert caught.value.remedy == remedy


def test_a_range_names_the_flag_with_its_strategy():
    with pytest.raises(UsageError, match="--evolution-population: expected a number from 1"):
        EvolutionConfig(population=0)


@pytest.mark.parametrize("name", STRATEGY_CONFIGS)
def test_flags_carry_the_name_of_the_strategy(name):
    parser = argparse.ArgumentParser(add_help=False)
    add_flags(parser, STRATEGY_CONFIGS[name], name)
    flags = [text for text in parser.format_help().split() if text.startswith("--")]
    assert all(flag.startswith(f"--{name}-") for flag in flags) or name == "gradient"


def test_flags_are_read_without_the_name():
    given = build_parser().parse_args(["run", "--evolution-population", "9", "--steps", "3"])
    assert given_flags(given, EvolutionConfig) == {"population": 9}
    assert given_flags(given, GradientConfig) == {"steps": 3}


def test_a_flag_of_another_strategy_is_refused(capsys):
    assert main(["nowhere", "--strategy", "local", "--nsga2-population", "9"]) == 2
    message = "--nsga2-population: expected --strategy nsga2, found local"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("kind", [GradientConfig, BOConfig, GPConfig])
def test_a_benchmark_of_two_objectives_wants_the_front(kind):
    one = benchmark_named("nas-bench-201/cifar10", DataConfig(), "", "")
    two = benchmark_named("nas-bench-201/cifar10/latency-pixel3", DataConfig(), "", "")
    assert (_aimed(kind(), one), _aimed(kind(), two)) == (kind(), kind(aim="front"))
    assert _aimed(EvolutionConfig(), two) == EvolutionConfig()
