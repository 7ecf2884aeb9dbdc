"""Strategies by name."""

from __future__ import annotations

from ngae.data import Table
from ngae.search.base import Askable, LatentModel, Strategy, anything
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch
from ngae.search.random import RandomSearch


def strategy_named(
    config: SearchConfig, model: LatentModel, known: Table, askable: Askable = anything
) -> Strategy:
    """Make the strategy that `config` names.

    Args:
        config: Settings.
        model: The trained model.
        known: Labelled rows to start from.
        askable: Which architectures may be asked about.
    """
    if config.strategy == "random":
        return RandomSearch(known, config, askable)
    return GradientSearch(model, known, config, askable)
