"""The objective: reconstruction, KL divergence and the predictors' squared errors (equation 6)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ngae.models.config import LossConfig


@dataclass(frozen=True)
class Terms:
    """Each term of the objective, a mean over the batch's graphs, before weighting.

    Attributes:
        nodes: L_n, nats of the node types.
        edges: L_e, nats of the edges.
        kl: Nats.
        performance: Squared error in standardised units; 0 without that predictor.
        complexity: Sum over the complexities of the squared error in standardised units.
    """

    nodes: Tensor
    edges: Tensor
    kl: Tensor
    performance: Tensor
    complexity: Tensor

    def as_dict(self) -> dict[str, Tensor]:
        """Return the terms by name, each a scalar without gradient."""
        return {name: getattr(self, name).detach() for name in TERM_NAMES}


TERM_NAMES = ("nodes", "edges", "kl", "performance", "complexity")


def objective(terms: Terms, config: LossConfig) -> Tensor:
    """Return `nodes + edges + beta * kl + performance + complexity`, weighted by `config`.

    Equation (6) of the paper has all weights 1 and sums over graphs; the mean over graphs keeps
    the learning rate independent of the batch size.
    """
    return (
        terms.nodes
        + terms.edges
        + config.beta * terms.kl
        + config.performance_weight * terms.performance
        + config.complexity_weight * terms.complexity
    )
