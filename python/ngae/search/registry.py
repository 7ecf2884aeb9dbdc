"""Strategies by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ngae.errors import UsageError
from ngae.search.ascent import AscentSearch
from ngae.search.base import LatentModel, Strategy
from ngae.search.bo import BOSearch
from ngae.search.config import SearchConfig, StrategyConfig
from ngae.search.evolution import EvolutionSearch
from ngae.search.gradient import GradientSearch
from ngae.search.local import LocalSearch
from ngae.search.nao import NAOSearch
from ngae.search.nsga2 import NSGA2Search
from ngae.search.plain_gp import GPSearch
from ngae.search.problem import Problem
from ngae.search.random import RandomSearch
from ngae.search.reinforce import ReinforceSearch
from ngae.search.surrogate import SurrogateSearch

NEED_A_MODEL = frozenset({"gradient", "ascent", "bo"})
_WITHOUT_MODEL: dict[str, Callable[..., Strategy]] = {
    "evolution": EvolutionSearch,
    "local": LocalSearch,
    "nao": NAOSearch,
    "nsga2": NSGA2Search,
    "reinforce": ReinforceSearch,
    "gp": GPSearch,
}


def strategy_named(
    config: SearchConfig,
    problem: Problem,
    own: StrategyConfig | None = None,
    model: LatentModel | None = None,
) -> Strategy:
    """Make the strategy that `config` names.

    Args:
        config: Settings of the search.
        problem: What is looked for.
        own: Settings of the strategy (see `search_configs`); its defaults where there are none.
        model: The trained model, which those of `NEED_A_MODEL` need.

    Raises:
        UsageError: A strategy that needs a model, without one; a package that is missing.
    """
    settings: Any = own
    if config.strategy == "random":
        return RandomSearch(problem, config.seed)
    if config.strategy not in NEED_A_MODEL:
        return _WITHOUT_MODEL[config.strategy](problem, config.seed, settings)
    if model is None:
        raise UsageError(
            f"--strategy {config.strategy}: expected a trained model, found none",
            remedy=f"train one, or take a strategy without: random, {', '.join(_WITHOUT_MODEL)}",
        )
    if config.strategy == "bo":
        return BOSearch(model, problem, config.seed, settings)
    if config.strategy == "ascent":
        return AscentSearch(model, problem, config.seed, settings)
    return _gradient(model, problem, config, settings)


def _gradient(
    model: LatentModel, problem: Problem, config: SearchConfig, settings: Any
) -> Strategy:
    guide = "auto" if settings is None else settings.guide
    if guide == "predictors" or (guide == "auto" and config.oracle == "predicted"):
        return GradientSearch(model, problem, config.seed, settings)
    return SurrogateSearch(model, problem, config.seed, settings)
