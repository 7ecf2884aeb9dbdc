"""CIFAR-10, CIFAR-100 and MNIST through torchvision, where the user has put them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae.errors import DataError, MissingExtraError
from ngae.oracles.images import ImageData

NAMES = {"cifar10": ("CIFAR10", 10), "cifar100": ("CIFAR100", 100), "mnist": ("MNIST", 10)}
# As NAS-Bench-101 (Ying et al. 2019, section 2.4) holds 10,000 of CIFAR-10's 50,000 images out.
_VALIDATION_SHARE = 0.2


def load_set(kind: str, path: str, seed: int = 0) -> ImageData:
    """Read a published set; a fifth of its training part is the validation part.

    Args:
        kind: One of NAMES.
        path: The folder that torchvision calls `root`.
        seed: Of the split.

    Raises:
        MissingExtraError: torchvision is not installed.
        DataError: The set is not there.
    """
    try:
        from torchvision import datasets
    except ImportError as error:
        raise MissingExtraError("torchvision", "vision", f"an oracle on {kind}") from error
    made, num_classes = getattr(datasets, NAMES[kind][0]), NAMES[kind][1]
    parts = []
    for train in (True, False):
        try:
            parts.append(_tensors(made(root=path, train=train, download=False)))
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"--images {kind}:{path}: expected what torchvision unpacks there, found: {error}",
                remedy=f"torchvision.datasets.{NAMES[kind][0]}({path!r}, download=True)",
            ) from error
    return ImageData.split(
        *parts[0], kind, num_classes, share=_VALIDATION_SHARE, seed=seed, test=parts[1]
    )


def _tensors(dataset: Any) -> tuple[Tensor, Tensor]:
    """Images uint8 (number, channels, height, width) and labels."""
    images = torch.as_tensor(dataset.data)
    images = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()
    return images, torch.as_tensor(dataset.targets, dtype=torch.int64)
