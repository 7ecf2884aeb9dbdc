"""What every strategy shares: trials, and the four functions that it needs of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from ngae.dag import Dag
from ngae.models.encoder import Posterior
from ngae.models.predictors import Prediction
from ngae.oracles.base import Answer


class LatentModel(Protocol):
    """What search knows of a model."""

    def encode(self, dags: Sequence[Dag]) -> Posterior:
        """Give the posterior of each architecture."""

    def decode(self, z: Tensor, *, seed: int = 0, stochastic: bool = False) -> list[Dag]:
        """Give the most probable architecture of each latent point, or a sampled one."""

    def predict(self, z: Tensor) -> Prediction:
        """Give performance and complexities at each latent point."""

    def ascend(
        self,
        starts: Tensor,
        *,
        performance_weight: float,
        complexity_weights: Sequence[float],
        step_size: float,
        keep: Sequence[int],
    ) -> Tensor:
        """Climb a weighted sum of the predictions; give the points after the steps in `keep`."""


@dataclass(frozen=True)
class Candidate:
    """An architecture that a strategy would like to see answered.

    Attributes:
        dag: The architecture.
        performance: What the model predicts, or None.
        complexity: Predicted complexities by name.
    """

    dag: Dag
    performance: float | None
    complexity: dict[str, float]


@dataclass(frozen=True)
class Trial:
    """One asked query with its answer.

    Attributes:
        number: From 0, in the order of asking.
        candidate: What was asked, with what was predicted.
        answer: What the oracle said.
    """

    number: int
    candidate: Candidate
    answer: Answer

    @property
    def dag(self) -> Dag:
        """The architecture."""
        return self.candidate.dag

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they stand in `trials.jsonl`."""
        return {
            "number": self.number,
            "hash": self.dag.canonical_hash,
            "architecture": self.dag.space.format(self.dag) if self.dag.space else None,
            "performance": self.answer.performance,
            "complexity": self.answer.complexity,
            "predicted_performance": self.candidate.performance,
            "predicted_complexity": self.candidate.complexity,
            "cost_s": self.answer.cost_s,
            "detail": self.answer.detail,
            "status": self.answer.status,
            "error": self.answer.error,
        }


class Strategy(Protocol):
    """Proposes architectures and learns the answers."""

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` architectures that were not asked before."""

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
