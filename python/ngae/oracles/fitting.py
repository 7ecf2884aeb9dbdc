"""Whether the networks of a space classify given images: by what it declares, then by a trial."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ngae.dag import Dag
from ngae.errors import GraphError, UsageError
from ngae.oracles.images import ImageData, as_input
from ngae.spaces.base import SearchSpace

_SIZES = ("image_size", "image_channels", "num_classes")


def check_sizes(space: SearchSpace, images: ImageData, caller: str) -> None:
    """Require that the sizes a space declares for its networks, if it does, are the images'.

    Raises:
        UsageError: Naming what was found.
    """
    network = space.network
    if not all(hasattr(network, name) for name in _SIZES):
        return
    found = tuple(getattr(network, name) for name in _SIZES)
    channels, height, width = images.shape
    size = height if height == width else (height, width)
    expected = (size, channels, images.num_classes)
    if found != expected:
        raise UsageError(
            f"{caller}: expected image_size, image_channels and num_classes {expected} of "
            f"{images.name}, found {found}",
            remedy=f"give {space.name} a network of these sizes, or choose other images",
        )


def fitted(space: SearchSpace, images: ImageData) -> SearchSpace:
    """Return the space with networks of the images' sizes, where it declares such sizes."""
    channels, height, width = images.shape
    if height != width or not all(hasattr(space.network, name) for name in _SIZES):
        return space
    return space.resized(image_size=height, image_channels=channels, num_classes=images.num_classes)


def check_classifies(space: SearchSpace, images: ImageData, caller: str) -> None:
    """Require that a network of the space takes the images and tells their classes apart.

    One architecture, drawn at random, is built and run on two images.

    Raises:
        UsageError: The space builds no networks, or one that does not run on the images or gives
            scores of another shape.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = built(space, space.sample(np.random.default_rng(0)), caller).eval()
        batch = as_input(images.train_images[:2])
        try:
            with torch.no_grad():
                scores = network(batch)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise UsageError(
                f"{caller}: expected networks of {space.name} that take images "
                f"{tuple(batch.shape)} of {images.name}, found: {error}"
            ) from error
    check_scores(scores, len(batch), images.num_classes, caller)


def built(space: SearchSpace, dag: Dag, caller: str) -> nn.Module:
    """Make the network of `dag`.

    Raises:
        UsageError: The space builds no networks.
    """
    try:
        return space.build(dag)
    except (NotImplementedError, GraphError) as error:
        raise UsageError(
            f"{caller}: expected a space whose `build` makes networks, found {space.name}: {error}"
        ) from error


def check_scores(scores: object, count: int, num_classes: int, caller: str) -> None:
    """Require class scores (count, num_classes).

    Raises:
        UsageError: Naming what was found.
    """
    found = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
    if found != (count, num_classes):
        raise UsageError(f"{caller}: expected class scores {(count, num_classes)}, found {found}")
