"""Training: settings, the loop, checkpoints, the run folder."""

from ngae.train.config import RunConfig, TrainConfig

__all__ = ["RunConfig", "TrainConfig"]
