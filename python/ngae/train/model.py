"""The model of a run: made anew from seeded weights, or loaded; and the device that it is on."""

from __future__ import annotations

import numpy as np
import torch

from ngae.data import Dataset, Table
from ngae.errors import RefusedError
from ngae.models import NGAEModel
from ngae.models.predictors import TargetScaler
from ngae.train.checkpoint import load_weights, read_checkpoint
from ngae.train.config import RunConfig
from ngae.train.folder import RunFolder


def new_model(config: RunConfig, data: Dataset, device: torch.device | None = None) -> NGAEModel:
    """Make a model of seeded weights, with targets scaled by the training rows.

    Args:
        config: The settings.
        data: The data set.
        device: Where it is to be; by default where the settings say.
    """
    return NGAEModel(
        data.space,
        config.model,
        _performance_scale(data.train),
        TargetScaler.fit(data.train.complexity),
        config.train.seed,
    ).to(device or pick_device(config.train.device))


def _performance_scale(train: Table) -> TargetScaler:
    """Of the labelled rows; of no target where there is none."""
    known = train.performance[train.labelled]
    return TargetScaler.fit(known[:, None] if len(known) else np.zeros((1, 0)))


def pick_device(name: str) -> torch.device:
    """Return the device called `name`; `auto` is the CPU.

    Raises:
        RefusedError: There is no such device here.
    """
    try:
        return torch.empty(0, device="cpu" if name == "auto" else name).device
    except (RuntimeError, AssertionError) as error:
        raise RefusedError(
            f"--device: expected auto, cpu or a device of this machine, found {name!r}",
            remedy="pass --device cpu; `ngae doctor` says what is missing",
        ) from error


def load_model(folder: RunFolder, data: Dataset, config: RunConfig) -> NGAEModel:
    """Load the finished model of a run: its last weights.

    Raises:
        RefusedError: No checkpoint, a damaged one, or one that does not fit.
    """
    model = new_model(config, data)
    checkpoint = read_checkpoint(folder.last)
    load_weights(model, checkpoint.part("model."), folder.last)
    return model.eval()
