"""The images that are always there: scikit-learn's 8x8 digits, in two parts."""

from __future__ import annotations

import torch

from ngae.errors import MissingExtraError
from ngae.oracles.images import ImageData

TRAIN_IMAGES, VALIDATION_IMAGES = 900, 897


def load_digits_images() -> ImageData:
    """Load the images from scikit-learn; nothing is downloaded.

    Returns:
        The first 900 digits to train on, the other 897 (of other writers, mostly) to judge by:
        float32 (number, 1, 8, 8), from 0 to 1.

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
    return ImageData(
        images[:TRAIN_IMAGES], labels[:TRAIN_IMAGES],
        images[TRAIN_IMAGES:], labels[TRAIN_IMAGES:],
        "digits", 10,
    )  # fmt: skip
