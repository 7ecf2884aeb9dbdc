"""Strategies by name."""

from __future__ import annotations

from ngae.search.base import LatentModel, Strategy
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch
from ngae.search.problem import Problem
from ngae.search.random import RandomSearch


def strategy_named(config: SearchConfig, model: LatentModel, problem: Problem) -> Strategy:
    """Make the strategy that `config` names.

    Args:
        config: Settings.
        model: The trained model.
        problem: What is looked for.
    """
    if config.strategy == "random":
        return RandomSearch(problem, config.seed)
    return GradientSearch(model, problem, config)
