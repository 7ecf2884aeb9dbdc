"""Images by the names of the command line."""

from __future__ import annotations

from collections.abc import Callable

from ngae.errors import UsageError
from ngae.oracles.digits import load_digits_images
from ngae.oracles.image_folder import load_folder
from ngae.oracles.image_sets import NAMES, load_set
from ngae.oracles.images import ImageData


def images_named(name: str, seed: int = 0) -> ImageData:
    """Load the images called `name`.

    Args:
        name: `digits` (scikit-learn's, 8x8); `folder:PATH`, a folder for each class, see
            `ngae.oracles.image_folder`; or `cifar10:PATH`, `cifar100:PATH`, `mnist:PATH`, where
            torchvision has unpacked them; their test part is only reported on.
        seed: Of the split, where there is no validation part.

    Raises:
        UsageError: No such name.
        MissingExtraError: What reads them is not installed.
        DataError: They are not there, or not what they should be.
    """
    kind, _, path = name.partition(":")
    loaders: dict[str, Callable[[], ImageData]] = {"folder": lambda: load_folder(path, seed)}
    loaders |= {known: lambda: load_set(kind, path, seed) for known in NAMES}
    if name == "digits":
        return load_digits_images()
    if kind not in loaders or not path:
        forms = ", ".join(f"{known}:PATH" for known in loaders)
        raise UsageError(f"--images: expected digits or one of {forms}, found {name!r}")
    return loaders[kind]()
