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
from ngae.ops import PredictorParameters

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
    """An MLP with two hidden layers and a sigmoid over the range of its targets.

    `low + (high - low) * sigmoid(MLP(z))` in standardised units (section 3.2 of the paper, which
    takes targets in [0, 1]).
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, latent_dim: int, predictor_dim: int, scaler: TargetScaler) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, predictor_dim),
            nn.ReLU(),
            nn.Linear(predictor_dim, predictor_dim),
            nn.ReLU(),
            nn.Linear(predictor_dim, len(scaler.mean)),
            nn.Sigmoid(),
        )
        for name in ("mean", "std", "low", "high"):
            self.register_buffer(name, torch.from_numpy(getattr(scaler, name)).float())

    def forward(self, z: Tensor) -> Tensor:
        """Predict standardised targets (num_points, num_targets) at z (num_points, latent_dim)."""
        share: Tensor = self.layers(z)
        return self.low + (self.high - self.low) * share

    def standardised(self, targets: Tensor) -> Tensor:
        """Bring targets (num_points, num_targets) in their own units to standardised ones."""
        return (targets - self.mean) / self.std

    def in_units(self, predicted: Tensor) -> Tensor:
        """Bring standardised predictions back to the targets' own units."""
        return predicted * self.std + self.mean

    def weighed(self, weights: Sequence[float]) -> PredictorParameters:
        """Give what `ngae.ops.ascend` takes to climb the sum of `weights * in_units(self(z))`."""
        first, second, output = (layer for layer in self.layers if isinstance(layer, nn.Linear))
        return PredictorParameters(
            first.weight,
            first.bias,
            second.weight,
            second.bias,
            output.weight,
            output.bias,
            coefficient=self.std.new_tensor(weights) * self.std * (self.high - self.low),
        )
