"""Who answers a query: a table, shared weights, training from scratch, a program of the user's.

Names are imported when first used: a table needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.oracles.base import Answer as Answer
    from ngae.oracles.base import Budget as Budget
    from ngae.oracles.base import BudgetExhaustedError as BudgetExhaustedError
    from ngae.oracles.base import EvaluationError as EvaluationError
    from ngae.oracles.base import ExecutorError as ExecutorError
    from ngae.oracles.base import Oracle as Oracle
    from ngae.oracles.base import UnknownArchitectureError as UnknownArchitectureError
    from ngae.oracles.command import Command as Command
    from ngae.oracles.config import OracleConfig as OracleConfig
    from ngae.oracles.executor_dask import dask_workers as dask_workers
    from ngae.oracles.executor_names import executor_named as executor_named
    from ngae.oracles.executor_slurm import slurm_jobs as slurm_jobs
    from ngae.oracles.executors import processes as processes
    from ngae.oracles.image_names import images_named as images_named
    from ngae.oracles.images import ImageData as ImageData
    from ngae.oracles.ledger import Ledger as Ledger
    from ngae.oracles.ledger import Recorded as Recorded
    from ngae.oracles.network_training import Epoch as Epoch
    from ngae.oracles.network_training import TrainingConfig as TrainingConfig
    from ngae.oracles.network_training import train_network as train_network
    from ngae.oracles.parallel import Parallel as Parallel
    from ngae.oracles.parallel import evaluate_many as evaluate_many
    from ngae.oracles.registry import oracle_named as oracle_named
    from ngae.oracles.shared_weights import SharedWeights as SharedWeights
    from ngae.oracles.shared_weights import SharedWeightsConfig as SharedWeightsConfig
    from ngae.oracles.shared_weights import train_shared_weights as train_shared_weights
    from ngae.oracles.table import Table as Table
    from ngae.oracles.training import Training as Training

_HOME = {
    "Answer": "base",
    "Budget": "base",
    "BudgetExhaustedError": "base",
    "EvaluationError": "base",
    "ExecutorError": "base",
    "Oracle": "base",
    "UnknownArchitectureError": "base",
    "Command": "command",
    "OracleConfig": "config",
    "dask_workers": "executor_dask",
    "executor_named": "executor_names",
    "slurm_jobs": "executor_slurm",
    "processes": "executors",
    "images_named": "image_names",
    "ImageData": "images",
    "Ledger": "ledger",
    "Recorded": "ledger",
    "Parallel": "parallel",
    "evaluate_many": "parallel",
    "oracle_named": "registry",
    "SharedWeights": "shared_weights",
    "SharedWeightsConfig": "shared_weights",
    "train_shared_weights": "shared_weights",
    "Table": "table",
    "Epoch": "network_training",
    "TrainingConfig": "network_training",
    "train_network": "network_training",
    "Training": "training",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.oracles", _HOME)
