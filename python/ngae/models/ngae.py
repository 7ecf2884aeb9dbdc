"""The whole model: encoder, posterior, decoder and predictors, composed.

Four functions are all that search needs: `encode`, `decode`, `predict`, `ascend`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.errors import GraphError, UsageError
from ngae.models.config import ModelConfig
from ngae.models.decisions import Decisions
from ngae.models.decoder import Decoder
from ngae.models.encoder import Encoder, Posterior
from ngae.models.loss import Terms, Total, squared_correlations
from ngae.models.predictors import Prediction, Predictor, TargetScaler
from ngae.ops import Decoded, PredictorParameters, ascend
from ngae.spaces.base import SearchSpace

_ENCODED_AT_ONCE = 2048  # graphs: a node takes about 40 kB at hidden_dim 1000


class NGAEModel(nn.Module):
    """Graph VAE with a performance and a complexity predictor.

    Args:
        space: The search space.
        config: Sizes and switches.
        performance: Scale of the performance in the training rows.
        complexity: Scale of the complexities in the training rows; of no targets: no predictor.
        seed: Seed of the initial weights.
    """

    def __init__(
        self,
        space: SearchSpace,
        config: ModelConfig,
        performance: TargetScaler,
        complexity: TargetScaler,
        seed: int,
    ) -> None:
        super().__init__()
        self.space = space
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = Encoder(space.num_node_types, space.max_nodes, config)
            self.decoder = Decoder(space.rules, config)
            self.performance = (
                self._predictor(performance, config.performance_members)
                if config.performance_predictor
                else None
            )
            self.complexity = (
                self._predictor(complexity, 1) if config.complexity_predictor else None
            )

    def _predictor(self, scaler: TargetScaler, members: int) -> Predictor | None:
        if len(scaler.mean) == 0:
            return None
        return Predictor(self.config.latent_dim, self.config.predictor_dim, scaler, members)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.encoder.mean.bias.device

    def encode(self, dags: Sequence[Dag]) -> Posterior:
        """Encode architectures; no gradient.

        Returns:
            The posterior, (len(dags), latent_dim).
        """
        parts = range(0, len(dags), _ENCODED_AT_ONCE) or [0]
        with torch.no_grad():
            posteriors = [
                self.encoder(GraphBatch.pack(dags[i : i + _ENCODED_AT_ONCE]).to(self.device))
                for i in parts
            ]
        return Posterior(
            torch.cat([part.mean for part in posteriors]),
            torch.cat([part.logvar for part in posteriors]),
        )

    def decode(
        self,
        z: Tensor,
        *,
        seed: int = 0,
        sample_ids: Tensor | None = None,
        stochastic: bool = False,
    ) -> list[Dag]:
        """Decode one architecture for each latent point.

        Args:
            z: (num_points, latent_dim).
            seed: Seed of the samples; unused when greedy.
            sample_ids: int64 (num_points,) random stream of each point; 0, 1, ... by default.
            stochastic: Sample each decision, or take the most probable.

        Returns:
            A Dag for each point; its `space` is None where it is not in the space.
        """
        decoded = self.decoder.sample(z, seed=seed, sample_ids=sample_ids, stochastic=stochastic)
        return decoded_dags(decoded, self.space)

    def predict(self, z: Tensor) -> Prediction:
        """Predict performance and complexities at z (num_points, latent_dim), in their units."""
        performance = (
            None
            if self.performance is None
            else self.performance.in_units(self.performance(z)).squeeze(1)
        )
        complexity = (
            None if self.complexity is None else self.complexity.in_units(self.complexity(z))
        )
        return Prediction(performance, complexity)

    def ascend(
        self,
        starts: Tensor,
        *,
        performance_weight: float,
        complexity_weights: Sequence[float],
        step_size: float,
        keep: Sequence[int],
    ) -> Tensor:
        """Climb a weighted sum of the predictions in their units; see `ngae.ops.ascend`.

        Args:
            starts: (num_points, latent_dim).
            performance_weight: Weight of the performance.
            complexity_weights: Weight of each complexity.
            step_size: Length of a step divided by sqrt(latent_dim).
            keep: Numbers of the steps after which points are wanted; 0 is the start.

        Returns:
            The points (len(keep), num_points, latent_dim). There is no gradient.

        Raises:
            UsageError: All weights are zero, or those of a predictor do not fit it.
        """
        predictors = [
            member
            for name, predictor, weights in (
                ("performance", self.performance, [performance_weight]),
                ("complexity", self.complexity, complexity_weights),
            )
            if any(weights)
            for member in _weighed(name, predictor, weights)
        ]
        return ascend(
            starts,
            predictors,
            step_size=step_size,
            keep=keep,
            precision=self.config.precision,
        )

    def forward(
        self,
        batch: GraphBatch,
        decisions: Decisions,
        performance: Tensor,
        complexity: Tensor,
        noise: Tensor,
        total: Total | None = None,
    ) -> Terms:
        """Compute the terms of the objective.

        Args:
            batch: The graphs.
            decisions: `Decisions.of(batch, space.rules)`.
            performance: (num_graphs,) in its own units.
            complexity: (num_graphs, num_complexities) in their own units.
            noise: (num_graphs, latent_dim), standard normal times the noise scale.
            total: Where these graphs are a part of a batch: see `squared_correlations`.

        Returns:
            Means over the graphs.
        """
        posterior = self.encoder(batch)
        z = posterior.sample(noise)
        nodes, edges = self.decoder(batch, decisions, z)
        return Terms(
            nodes=nodes.mean(),
            edges=edges.mean(),
            kl=posterior.kl().mean(),
            performance=_squared_error(self.performance, z, performance.unsqueeze(1)),
            complexity=_squared_error(self.complexity, z, complexity),
            correlation=squared_correlations(posterior.mean, total),
        )


def _weighed(
    name: str, predictor: Predictor | None, weights: Sequence[float]
) -> list[PredictorParameters]:
    found = 0 if predictor is None else len(predictor.std)
    if predictor is None or len(weights) != found:
        raise UsageError(
            f"ascend: {name}: expected {found} weights, as many as the model predicts, "
            f"found {len(weights)}"
        )
    return predictor.weighed(weights)


def _squared_error(predictor: Predictor | None, z: Tensor, targets: Tensor) -> Tensor:
    """Mean over the members and the graphs whose targets are known; those of others are NaN."""
    if predictor is None:
        return z.new_zeros(())
    known = targets.isfinite().all(dim=1)
    error: Tensor = predictor.each(z) - predictor.standardised(targets.nan_to_num())
    squares = error.square().mean(dim=0).sum(dim=1)
    return (squares * known).sum() / known.sum().clamp(min=1)


def decoded_dags(decoded: Decoded, space: SearchSpace) -> list[Dag]:
    """Turn the arrays of `ngae.ops.decode` into Dags, each with its space where it is valid.

    Equal graphs are one object: ends of ascents are few.
    """
    arrays = [tensor.cpu().numpy() for tensor in decoded]
    made: dict[bytes, Dag] = {}
    dags = []
    for types, matrix, count in zip(*arrays, strict=True):
        key = types[:count].tobytes() + matrix.tobytes()
        if key not in made:
            made[key] = _decoded_dag(types[:count], matrix, space)
        dags.append(made[key])
    return dags


def _decoded_dag(types: NDArray[Any], matrix: NDArray[Any], space: SearchSpace) -> Dag:
    sources, targets = matrix.nonzero()
    node_types = tuple(types.tolist())
    edges = tuple(zip(sources.tolist(), targets.tolist(), strict=True))
    try:
        return Dag(node_types, edges, space)
    except GraphError:
        return Dag(node_types, edges)
