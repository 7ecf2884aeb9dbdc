"""The images that oracles train and judge networks on: scikit-learn's 8x8 digits, in two parts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ngae.errors import MissingExtraError, UsageError
from ngae.networks.macro import MacroConfig

TRAIN_IMAGES, VALIDATION_IMAGES = 900, 897


class Digits(NamedTuple):
    """The first 900 digits to train on, the other 897 (of other writers, mostly) to judge by.

    Attributes:
        train_images: float32 (900, 1, 8, 8), from 0 to 1.
        train_labels: int64 (900,).
        validation_images: float32 (897, 1, 8, 8).
        validation_labels: int64 (897,).
    """

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor


def load_digits_images() -> Digits:
    """Load the images from scikit-learn; nothing is downloaded.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "ml", "an oracle on the 8x8 digits") from error
    found = load_digits()
    images = torch.from_numpy(found.images).float()[:, None] / 16
    labels = torch.from_numpy(found.target).long()
    return Digits(
        images[:TRAIN_IMAGES], labels[:TRAIN_IMAGES], images[TRAIN_IMAGES:], labels[TRAIN_IMAGES:]
    )


def check_takes_digits(network: MacroConfig, caller: str) -> None:
    """Require networks that take 8x8 images of one channel and tell ten classes apart.

    Raises:
        UsageError: Naming what was found.
    """
    found = (network.image_size, network.image_channels, network.num_classes)
    if found != (8, 1, 10):
        raise UsageError(
            f"{caller}: expected image_size, image_channels and num_classes (8, 1, 10), "
            f"found {found}"
        )
