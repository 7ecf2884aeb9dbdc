"""Strategies by name."""

from __future__ import annotations

from ngae.data import Table
from ngae.search.base import LatentModel, Strategy
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch
from ngae.search.random import RandomSearch


def strategy_named(config: SearchConfig, model: LatentModel, known: Table) -> Strategy:
    """Make the strategy that `config` names, knowing `model` and the rows of `known`."""
    if config.strategy == "random":
        return RandomSearch(known, config)
    return GradientSearch(model, known, config)
