"""Oracles by the names of the command line."""

from __future__ import annotations

import dataclasses
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

from ngae.data.records import Table as Records
from ngae.errors import UsageError
from ngae.oracles.base import Oracle
from ngae.oracles.config import OracleConfig
from ngae.spaces.base import SearchSpace
from ngae.spaces.enas import EnasSpace

if TYPE_CHECKING:
    from ngae.networks.macro import MacroConfig
    from ngae.networks.macro_network import MacroBank
    from ngae.oracles.images import ImageData

NAMES = ("auto", "predicted", "table", "shared-weights", "train", "command PROGRAM ARGUMENTS")

# What is set by flags and which oracles read it.
_READ = {
    "images": ("shared-weights", "train"),
    "oracle_timeout": ("command",),
    "oracle_retries": ("shared-weights", "train", "command"),
    "workers": ("table", "shared-weights", "train", "command"),
    "executor": ("table", "shared-weights", "train", "command"),
    "ledger": ("table", "shared-weights", "train", "command"),
}


def check_is_read(name: str, config: OracleConfig) -> None:
    """Require that the oracle called `name` reads what is set in `config`.

    Raises:
        UsageError: Something is set that it would ignore.
    """
    kind = (name.split() or [""])[0]
    for field in dataclasses.fields(OracleConfig):
        value, readers = getattr(config, field.name), _READ[field.name]
        if value != field.default and kind not in readers:
            raise UsageError(
                f"--{field.name.replace('_', '-')} {value}: expected --oracle "
                f"{' or '.join(readers)}, found {name}"
            )


def oracle_named(
    name: str, table: Records, config: OracleConfig | None = None, seed: int = 0
) -> Oracle:
    """Make the oracle called `name` for the space of `table`.

    Args:
        name: `table`; `shared-weights` (the embedded weights for six layers, else weights trained
            now); `train`; or `command PROGRAM ARGUMENTS`, split as a shell would and run without
            one.
        table: The known rows. Where images are named, networks get their sizes; for the digits a
            space must have them.
        config: Images, time-out and retries.
        seed: Handed to the program.

    Returns:
        The oracle, with no limit to its budget.

    Raises:
        UsageError: No such oracle, it cannot judge networks of this space, or the table knows no
            performance.
        MissingExtraError: What reads the images is not installed.
        DataError: The images are not what they should be.
    """
    config = config or OracleConfig()
    kind, *rest = name.split(maxsplit=1) or [""]
    if kind == "command":
        return _command(rest[0] if rest else "", table.space, config, seed)
    if name == "table":
        from ngae.oracles.table import Table

        if not len(table.labelled):
            raise UsageError(
                f"--oracle table: expected rows with a performance, found none in {table.name}",
                remedy="take another oracle, or a table and a model that were read with "
                "--performance-col",
            )
        return Table(table)
    if name == "train":
        from ngae.oracles.training import Training

        images = _images(config)
        space = table.space if images is None else _fitted(table.space, images)
        return Training(space, images=images)
    if name == "shared-weights":
        return _shared_weights(table.space, config)
    raise UsageError(f"--oracle: expected one of {', '.join(NAMES)}, found {name!r}")


def is_embedded(table: Records) -> bool:
    """Tell whether `table` is digits6, whose performances the embedded weights reproduce."""
    return (table.name, table.source) == ("digits6", "embedded")


def has_weights(space: SearchSpace) -> bool:
    """Tell whether the embedded weights are of the networks of `space`."""
    from ngae.data.digits6 import SPACE

    if not isinstance(space, EnasSpace):
        return False
    return (space.name, space.network) == (SPACE.name, SPACE.network)


def _command(text: str, space: SearchSpace, config: OracleConfig, seed: int) -> Oracle:
    from ngae.oracles.command import Command

    try:
        argv = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--oracle command: expected closed quotes, found: {error}") from error
    return Command(argv, space, config.oracle_timeout or None, config.oracle_retries, seed)


def _images(config: OracleConfig) -> ImageData | None:
    """The images that are asked for; None stands for the digits, which oracles take by default."""
    if config.images == "digits":
        return None
    from ngae.oracles.image_names import images_named

    return images_named(config.images)


def _fitted(space: SearchSpace, images: ImageData) -> SearchSpace:
    from ngae.oracles.fitting import fitted

    return fitted(space, images)


def _shared_weights(space: SearchSpace, config: OracleConfig) -> Oracle:
    from ngae.oracles.shared_weights import SharedWeights, check_has_bank

    check_has_bank(space, "--oracle shared-weights")
    images = _images(config)
    space = space if images is None else _fitted(space, images)
    assert isinstance(space, EnasSpace)
    if images is None and has_weights(space):
        return SharedWeights.for_digits6()
    weights = _trained(space.num_layers, space.least_layers, space.network, images)
    return SharedWeights(space, weights, images=images)


@lru_cache(maxsize=4)
def _trained(
    num_layers: int, least_layers: int, network: MacroConfig, images: ImageData | None
) -> MacroBank:
    """Frozen weights, trained once for these sizes in a process: it takes up to a minute."""
    from ngae.oracles.shared_weights import train_shared_weights

    space = EnasSpace(num_layers, network, least_layers=least_layers)
    return (
        train_shared_weights(space)
        if images is None
        else train_shared_weights(space, images=images)
    )
