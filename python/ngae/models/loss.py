"""The objective: reconstruction, KL divergence and the predictors' squared errors (equation 6).

Beside the paper's terms, correlations between the latent coordinates are held down, as by Kumar et
al. (DIP-VAE, 2018): draws of the prior have none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
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
        correlation: Of the whole batch, see `squared_correlations`.
    """

    nodes: Tensor
    edges: Tensor
    kl: Tensor
    performance: Tensor
    complexity: Tensor
    correlation: Tensor

    def as_dict(self) -> dict[str, Tensor]:
        """Return the terms by name, each a scalar without gradient."""
        return {name: getattr(self, name).detach() for name in TERM_NAMES}


TERM_NAMES = ("nodes", "edges", "kl", "performance", "complexity", "correlation")

_LEAST = 1e-6  # of a variance

Total = Callable[[Tensor], Tensor]


def objective(terms: Terms, config: LossConfig) -> Tensor:
    """Return the sum of all terms, weighted by `config`.

    Equation (6) of the paper has all weights 1, no correlations, and sums over graphs; the mean
    over graphs keeps the learning rate independent of the batch size.
    """
    return (
        terms.nodes
        + terms.edges
        + config.beta * terms.kl
        + config.performance_weight * terms.performance
        + config.complexity_weight * terms.complexity
        + config.correlation_weight * terms.correlation
    )


def squared_correlations(points: Tensor, total: Total | None = None) -> Tensor:
    """Sum the squared correlations between coordinates, over all ordered pairs of two.

    Args:
        points: (num_points, latent_dim).
        total: Where these points are a part of a batch: adds up what each part gives, so that all
            have the correlations of the whole.

    Returns:
        A scalar; a coordinate that is the same everywhere correlates with none.
    """
    exact, width = points.double(), points.shape[1]
    count = exact.new_full((1,), len(points))
    moments = torch.cat([count, exact.sum(dim=0), (exact.T @ exact).flatten()])
    if total is not None:
        moments = total(moments)
    count, sums, products = moments.split([1, width, width * width])
    mean = sums / count
    covariance = products.view(width, width) / count - mean * mean[:, None]
    scale = covariance.diagonal().clamp(min=_LEAST).rsqrt()
    squares = (covariance * scale * scale[:, None]).square()
    result: Tensor = squares.sum() - squares.diagonal().sum()
    return result.to(points.dtype)
