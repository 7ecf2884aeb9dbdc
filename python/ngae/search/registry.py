"""Strategies by name."""

from __future__ import annotations

from ngae.data import Table
from ngae.oracles.table import canonical_key
from ngae.search.base import AskingKey, LatentModel, Strategy
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch
from ngae.search.random import RandomSearch


def strategy_named(
    config: SearchConfig, model: LatentModel, known: Table, key: AskingKey = canonical_key
) -> Strategy:
    """Make the strategy that `config` names.

    Args:
        config: Settings.
        model: The trained model.
        known: Labelled rows to start from.
        key: Tells what is worth asking; see `ngae.oracles.table.asking_key`.
    """
    if config.strategy == "random":
        return RandomSearch(known, config, key)
    return GradientSearch(model, known, config, key)
