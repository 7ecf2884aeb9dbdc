"""Who answers a query: a table, shared weights, training from scratch.

Names are imported when first used: a table needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.oracles.base import Answer as Answer
    from ngae.oracles.base import Budget as Budget
    from ngae.oracles.base import BudgetExhaustedError as BudgetExhaustedError
    from ngae.oracles.base import Oracle as Oracle
    from ngae.oracles.registry import oracle_named as oracle_named
    from ngae.oracles.shared_weights import SharedWeights as SharedWeights
    from ngae.oracles.shared_weights import SharedWeightsConfig as SharedWeightsConfig
    from ngae.oracles.shared_weights import train_shared_weights as train_shared_weights
    from ngae.oracles.table import Table as Table
    from ngae.oracles.training import Training as Training
    from ngae.oracles.training import TrainingConfig as TrainingConfig

_HOME = {
    "Answer": "base",
    "Budget": "base",
    "BudgetExhaustedError": "base",
    "Oracle": "base",
    "oracle_named": "registry",
    "SharedWeights": "shared_weights",
    "SharedWeightsConfig": "shared_weights",
    "train_shared_weights": "shared_weights",
    "Table": "table",
    "Training": "training",
    "TrainingConfig": "training",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.oracles", _HOME)
