"""Strategies by name."""

from __future__ import annotations

from ngae.errors import UsageError
from ngae.search.base import LatentModel, Strategy
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch
from ngae.search.problem import Problem
from ngae.search.random import RandomSearch

NEED_A_MODEL = frozenset({"gradient"})


def strategy_named(config: SearchConfig, model: LatentModel | None, problem: Problem) -> Strategy:
    """Make the strategy that `config` names.

    Args:
        config: Settings.
        model: The trained model; None suits the strategies that need none.
        problem: What is looked for.

    Raises:
        UsageError: The strategy needs a model.
    """
    if config.strategy == "random":
        return RandomSearch(problem, config.seed)
    if model is None:
        raise UsageError(f"--strategy {config.strategy}: expected a trained model, found none")
    return GradientSearch(model, problem, config)
