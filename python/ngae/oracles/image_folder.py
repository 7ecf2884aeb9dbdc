"""Images from a folder of PNG or JPEG files, with a folder for each class.

`PATH/CLASS/*.png` is split at random; `PATH/train/CLASS/*.png` beside `PATH/validation/CLASS/*.png`
(or `val`) is taken as it is, and `PATH/test`, where there is one, is only reported on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ngae.errors import DataError, MissingExtraError
from ngae.oracles.images import ImageData, tensor_of

_SUFFIXES = (".png", ".jpg", ".jpeg")


def load_folder(path: str | Path, seed: int = 0) -> ImageData:
    """Read all images; classes are the names of the folders, in alphabetical order.

    Args:
        path: The folder.
        seed: Of the split, where there is no validation folder.

    Raises:
        MissingExtraError: Pillow is not installed.
        DataError: No classes or images, classes that differ between parts, or a file that is no
            image of the shape of the first one.
    """
    root = Path(path)
    name = f"folder:{root.name}"
    train = _first(root, "train")
    if train is None:
        classes = _classes(root)
        return ImageData.split(*_part(root, classes), name, len(classes), seed=seed)
    classes = _classes(train)
    test_folder = _first(root, "test")
    test = None if test_folder is None else _part(test_folder, classes)
    judging = _first(root, "validation", "val")
    if judging is None:
        return ImageData.split(*_part(train, classes), name, len(classes), seed=seed, test=test)
    parts = (*_part(train, classes), *_part(judging, classes))
    return ImageData(*parts, name, len(classes), *(test or (None, None)))


def _first(root: Path, *names: str) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _classes(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder, found none")
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    found = sorted(entry.name for entry in entries if entry.is_dir())
    if len(found) < 2:
        raise DataError(
            f"{folder}: expected a folder for each of two classes or more, found {found}"
        )
    return found


def _part(folder: Path, classes: Sequence[str]) -> tuple[Tensor, Tensor]:
    if _classes(folder) != list(classes):
        raise DataError(
            f"{folder}: expected the classes {', '.join(classes)}, "
            f"found {', '.join(_classes(folder))}"
        )
    images: list[Tensor] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        files = sorted(p for p in (folder / name).iterdir() if p.suffix.lower() in _SUFFIXES)
        if not files:
            raise DataError(
                f"{folder / name}: expected files that end in {', '.join(_SUFFIXES)}, found none"
            )
        for file in files:
            image = _read(file)
            if images and image.shape != images[0].shape:
                raise DataError(
                    f"{file}: expected channels, height and width {tuple(images[0].shape)}, "
                    f"found {tuple(image.shape)}"
                )
            images.append(image)
            labels.append(label)
    return torch.stack(images), torch.tensor(labels)


def _read(file: Path) -> Tensor:
    """Read one image: uint8 (1, height, width) where it is grey, else (3, height, width)."""
    picture = _pillow()
    try:
        with picture.open(file) as found:
            return tensor_of(found.convert("L" if found.mode in ("1", "L", "LA") else "RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{file}: expected a PNG or JPEG image, found: {error}") from error


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("pillow", "vision", "an oracle on a folder of images") from error
    return Image
