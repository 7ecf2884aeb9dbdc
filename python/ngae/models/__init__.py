"""The model: encoder, posterior, decoder, predictors, objective."""

from ngae.models.config import LossConfig, ModelConfig
from ngae.models.encoder import Encoder, Posterior
from ngae.models.loss import Terms, objective
from ngae.models.ngae import NGAEModel
from ngae.models.predictors import Prediction, TargetScaler

__all__ = [
    "Encoder",
    "LossConfig",
    "ModelConfig",
    "NGAEModel",
    "Posterior",
    "Prediction",
    "TargetScaler",
    "Terms",
    "objective",
]
