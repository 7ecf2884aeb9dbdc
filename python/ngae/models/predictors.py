"""The two predictors on the latent space, and the scale of their targets.

Targets are standardised by the training rows alone; predictions come back in their own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ngae.errors import DataError
from ngae.models.dense import dense
from ngae.ops import PredictorParameters, grouped_linear

_MARGIN = 0.1  # of the range, so that the best known value is not at the sigmoid's flat end


@dataclass(frozen=True)
class Prediction:
    """Predicted targets in their own units.

    Attributes:
        performance: (num_points,), or None without that predictor.
        complexity: (num_points, num_complexities), or None without that predictor.
    """

    performance: Tensor | None
    complexity: Tensor | None


@dataclass(frozen=True, eq=False)
class TargetScaler:
    """Mean, standard deviation and range of targets in the training rows.

    Attributes:
        mean: float64 (num_targets,).
        std: float64 (num_targets,); 1 where all values are equal.
        low: float64 (num_targets,) least prediction, in standardised units.
        high: float64 (num_targets,) greatest prediction, in standardised units.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> TargetScaler:
        """Measure `values` (num_rows, num_targets) of the training rows.

        Raises:
            DataError: No row, or a value that is not finite.
        """
        if len(values) == 0 or not np.isfinite(values).all():
            raise DataError(f"TargetScaler: expected finite values, found {values!r}")
        mean = values.mean(axis=0)
        std = values.std(axis=0)
        std = np.where(std > 0, std, 1.0)
        low, high = (values.min(axis=0) - mean) / std, (values.max(axis=0) - mean) / std
        margin = np.maximum(_MARGIN * (high - low), _MARGIN)
        return cls(mean, std, low - margin, high + margin)


class Predictor(nn.Module):
    """The mean of MLPs with two hidden layers and a sigmoid over the range of their targets.

    `low + (high - low) * sigmoid(MLP(z))` in standardised units (section 3.2 of the paper, which
    takes targets in [0, 1], and one MLP). Each member learns the targets by itself, so that their
    mean errs less than they do.

    Args:
        latent_dim: Size of the latent space.
        predictor_dim: Hidden size of each member.
        scaler: Scale of the targets.
        members: MLPs.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    def __init__(
        self, latent_dim: int, predictor_dim: int, scaler: TargetScaler, members: int = 1
    ) -> None:
        super().__init__()
        sizes = latent_dim, predictor_dim, len(scaler.mean)
        self.layers = _mlp(*sizes)  # of the first member: checkpoints of one alone have this name
        self.further = nn.ModuleList(_mlp(*sizes) for _ in range(members - 1))
        for name in ("mean", "std", "low", "high"):
            self.register_buffer(name, torch.from_numpy(getattr(scaler, name)).float())

    def forward(self, z: Tensor) -> Tensor:
        """Predict standardised targets (num_points, num_targets) at z (num_points, latent_dim).

        What is predicted at a point depends on no other point and not on the number of threads;
        that of `each`, by torch's sigmoid and, of one member, its products, does in the last bits.
        """
        members = [_by_row(member, z) for member in self._layers()]
        return self.low + (self.high - self.low) * (sum(members[1:], members[0]) / len(members))

    def each(self, z: Tensor) -> Tensor:
        """Predict likewise by each member, (members, num_points, num_targets)."""
        shares = self._shares(z) if self.further else self.layers(z)[None]
        return self.low + (self.high - self.low) * shares

    def _shares(self, z: Tensor) -> Tensor:
        """The sigmoids of all members, (members, num_points, num_targets), layer by layer."""
        members = self._layers()
        x = z
        for depth, layers in enumerate(zip(*members, strict=True)):
            weight = torch.stack([layer.weight for layer in layers])
            bias = torch.stack([layer.bias for layer in layers])
            x = torch.relu(x) if depth else x
            x = grouped_linear(x, weight, bias)
        return torch.sigmoid(x)

    def standardised(self, targets: Tensor) -> Tensor:
        """Bring targets (num_points, num_targets) in their own units to standardised ones."""
        return (targets - self.mean) / self.std

    def in_units(self, predicted: Tensor) -> Tensor:
        """Bring standardised predictions back to the targets' own units."""
        return predicted * self.std + self.mean

    def weighed(self, weights: Sequence[float]) -> list[PredictorParameters]:
        """Give what `ngae.ops.ascend` takes to climb the sum of `weights * in_units(self(z))`."""
        members = self._layers()
        coefficient = self.std.new_tensor(weights) * self.std * (self.high - self.low)
        return [_parameters(member, coefficient / len(members)) for member in members]

    def first_layers(self) -> list[nn.Linear]:
        """Return what reads z in each member."""
        return [first for first, _, _ in self._layers()]

    def _layers(self) -> list[list[nn.Linear]]:
        """The three linear layers of each member."""
        return [[member[0], member[2], member[4]] for member in (self.layers, *self.further)]


def _mlp(latent_dim: int, predictor_dim: int, num_targets: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(latent_dim, predictor_dim),
        nn.ReLU(),
        nn.Linear(predictor_dim, predictor_dim),
        nn.ReLU(),
        nn.Linear(predictor_dim, num_targets),
        nn.Sigmoid(),
    )


def _by_row(member: list[nn.Linear], z: Tensor) -> Tensor:
    """Return the sigmoids of one member, each row by itself."""
    first, second, output = member
    x = torch.relu(dense(first, z, "float32"))
    x = dense(output, torch.relu(dense(second, x, "float32")), "float32")
    return 0.5 + 0.5 * (0.5 * x).tanh()  # torch rounds its sigmoid by where an element stands


def _parameters(member: list[nn.Linear], coefficient: Tensor) -> PredictorParameters:
    first, second, output = member
    return PredictorParameters(
        first.weight,
        first.bias,
        second.weight,
        second.bias,
        output.weight,
        output.bias,
        coefficient,
    )
