"""Strategies by name."""

from __future__ import annotations

from ngae.data import Table
from ngae.oracles.asking import ANYTHING, Askable
from ngae.search.base import LatentModel, Strategy
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch
from ngae.search.random import RandomSearch


def strategy_named(
    config: SearchConfig, model: LatentModel, known: Table, askable: Askable = ANYTHING
) -> Strategy:
    """Make the strategy that `config` names.

    Args:
        config: Settings.
        model: The trained model.
        known: Labelled rows to start from.
        askable: What may be asked; anything by default.
    """
    if config.strategy == "random":
        return RandomSearch(known, config, askable)
    return GradientSearch(model, known, config, askable)
