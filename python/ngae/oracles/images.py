"""`ImageData`: labelled images to train on and to judge by; nothing is ever downloaded.

Validation images guide; test images, where there are any, are only reported on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ngae.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageData:
    """Labelled images in two or three parts.

    Attributes:
        train_images: (num_train, channels, height, width), float32, or uint8 from 0 to 255.
        train_labels: int64 (num_train,), from 0 to num_classes - 1.
        validation_images: (num_validation, channels, height, width), likewise.
        validation_labels: int64 (num_validation,).
        name: Short name.
        num_classes: Classes that are told apart.
        test_images: (num_test, channels, height, width), or None.
        test_labels: int64 (num_test,), or None.

    Raises:
        DataError: Shapes, types or labels that do not fit.
    """

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    name: str
    num_classes: int
    test_images: Tensor | None = None
    test_labels: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.test_images is None) != (self.test_labels is None):
            raise DataError(f"{self.name}: expected test images and labels, found one of them")
        for part, images, labels in self._parts:
            self._check(part, images, labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @cached_property
    def identity(self) -> str:
        """Name and digits that tell these images and labels from others."""
        digest = hashlib.sha256(str(self.num_classes).encode())
        for _, images, labels in self._parts:
            digest.update(repr(tuple(images.shape)).encode())
            digest.update(images.contiguous().numpy().tobytes())
            digest.update(labels.contiguous().numpy().tobytes())
        return f"{self.name} {digest.hexdigest()[:16]}"

    @property
    def _parts(self) -> list[tuple[str, Tensor, Tensor]]:
        parts = [
            ("train", self.train_images, self.train_labels),
            ("validation", self.validation_images, self.validation_labels),
        ]
        if self.test_images is not None and self.test_labels is not None:
            parts.append(("test", self.test_images, self.test_labels))
        return parts

    def __reduce__(self) -> tuple[Any, ...]:
        # Arrays travel to another process as bytes; torch would send a handle of shared memory.
        arrays = [(images.numpy(), labels.numpy()) for _, images, labels in self._parts]
        return _restored, (arrays, self.name, self.num_classes)

    def _check(self, part: str, images: Tensor, labels: Tensor) -> None:
        place = f"{self.name}: {part} part"
        if images.ndim != 4 or len(images) == 0 or images.dtype not in (torch.float32, torch.uint8):
            raise DataError(
                f"{place}: expected float32 or uint8 images (number, channels, height, width), "
                f"found {images.dtype} {tuple(images.shape)}"
            )
        if images.shape[1:] != self.train_images.shape[1:]:
            raise DataError(
                f"{place}: expected images of {tuple(self.train_images.shape[1:])}, "
                f"found {tuple(images.shape[1:])}"
            )
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
            raise DataError(
                f"{place}: expected int64 labels ({len(images)},), "
                f"found {labels.dtype} {tuple(labels.shape)}"
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.num_classes:
            raise DataError(
                f"{place}: expected labels from 0 to {self.num_classes - 1}, found {low}..{high}"
            )

    @classmethod
    def from_datasets(
        cls, train: Any, validation: Any, name: str = "images", num_classes: int | None = None
    ) -> ImageData:
        """Take all images of two datasets in the manner of torch.

        Args:
            train: A sized dataset of pairs (image, label); an image is a tensor (channels, height,
                width), or an array or a picture of 8 bits (height, width) or (height, width,
                channels).
            validation: Likewise.
            name: Short name.
            num_classes: Classes; by default one more than the highest label.

        Raises:
            DataError: Images of different shapes or types, or nothing.
        """
        parts = [_stacked(name, part) for part in (train, validation)]
        if num_classes is None:
            num_classes = 1 + max(int(labels.max()) for _, labels in parts)
        (images, labels), (judging, true) = parts
        return cls(images, labels, judging, true, name, num_classes)

    @classmethod
    def split(
        cls,
        images: Tensor,
        labels: Tensor,
        name: str,
        num_classes: int,
        *,
        share: float = 0.2,
        seed: int = 0,
        test: tuple[Tensor, Tensor] | None = None,
    ) -> ImageData:
        """Take a share of the training images, drawn at random, as the validation part.

        Raises:
            DataError: Too few images for two parts.
        """
        count = len(images)
        judged = round(share * count)
        if not 0 < judged < count:
            raise DataError(f"{name}: expected images for two parts, found {count}")
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        judging, training = order[:judged].sort()[0], order[judged:].sort()[0]
        return cls(
            images[training], labels[training], images[judging], labels[judging],
            name, num_classes, *(test or (None, None)),
        )  # fmt: skip


def as_input(images: Tensor) -> Tensor:
    """Give float32 images as they are, and those of 8 bits from 0 to 1."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def tensor_of(image: Any) -> Tensor:
    """Turn an array or a picture of 8 bits into (channels, height, width); keep a tensor."""
    if isinstance(image, Tensor):
        return image
    array = np.array(image)
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array))


def _stacked(name: str, dataset: Any) -> tuple[Tensor, Tensor]:
    pairs = [dataset[index] for index in range(len(dataset))]
    images = [tensor_of(image) for image, _ in pairs]
    kinds = {(image.dtype, tuple(image.shape)) for image in images}
    if len(kinds) != 1:
        found = ", ".join(sorted(map(str, kinds))[:3]) or "none"
        raise DataError(f"{name}: expected images of one type and shape, found {found}")
    return torch.stack(images), torch.tensor([int(label) for _, label in pairs])


def _restored(
    arrays: Sequence[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]], name: str, num_classes: int
) -> ImageData:
    training, judging, *test = [
        (torch.from_numpy(np.array(images)), torch.from_numpy(np.array(labels)))
        for images, labels in arrays
    ]
    return ImageData(*training, *judging, name, num_classes, *(test[0] if test else ()))
