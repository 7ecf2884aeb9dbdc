"""The model: encoder, posterior, decoder, predictors, objective.

Names are imported when first used: settings are read where there is no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.models.config import LossConfig as LossConfig
    from ngae.models.config import ModelConfig as ModelConfig
    from ngae.models.encoder import Encoder as Encoder
    from ngae.models.encoder import Posterior as Posterior
    from ngae.models.loss import Terms as Terms
    from ngae.models.loss import objective as objective
    from ngae.models.ngae import NGAEModel as NGAEModel
    from ngae.models.predictors import Prediction as Prediction
    from ngae.models.predictors import TargetScaler as TargetScaler

_HOME = {
    "LossConfig": "config",
    "ModelConfig": "config",
    "Encoder": "encoder",
    "Posterior": "encoder",
    "Terms": "loss",
    "objective": "loss",
    "NGAEModel": "ngae",
    "Prediction": "predictors",
    "TargetScaler": "predictors",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.models", _HOME)
