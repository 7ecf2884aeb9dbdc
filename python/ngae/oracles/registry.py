"""Oracles by the names of the command line."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ngae.data.records import Table as Records
from ngae.errors import UsageError
from ngae.networks.macro import MacroConfig
from ngae.oracles.base import Oracle
from ngae.spaces.enas import EnasSpace

if TYPE_CHECKING:
    from ngae.networks.macro_network import MacroBank

NAMES = ("auto", "table", "shared-weights", "train")


def oracle_named(name: str, table: Records) -> Oracle:
    """Make the oracle called `name` for the space of `table`.

    Args:
        name: `table`; `shared-weights` (the embedded weights for six layers, else weights trained
            now); `train`; or `auto`: shared weights for the embedded digits6, whose performances
            they are, and the table itself for every other one.
        table: The known rows.

    Returns:
        The oracle, with no limit to its budget.

    Raises:
        UsageError: No such oracle, or it cannot judge networks of this space.
        MissingExtraError: scikit-learn is needed and not installed.
    """
    if name not in NAMES:
        raise UsageError(f"--oracle: expected one of {', '.join(NAMES)}, found {name!r}")
    if name == "auto":
        name = "shared-weights" if is_embedded(table) else "table"
    if name == "table":
        from ngae.oracles.table import Table

        return Table(table)
    if not isinstance(table.space, EnasSpace):
        raise UsageError(f"--oracle {name}: expected an ENAS space, found {table.space.name}")
    if name == "train":
        from ngae.oracles.training import Training

        return Training(table.space)
    return _shared_weights(table.space)


def is_embedded(table: Records) -> bool:
    """Tell whether `table` is digits6, whose performances the embedded weights reproduce."""
    return (table.name, table.source) == ("digits6", "embedded")


def _shared_weights(space: EnasSpace) -> Oracle:
    from ngae.data.digits6 import SPACE
    from ngae.oracles.shared_weights import SharedWeights

    if (space.num_layers, space.network) == (SPACE.num_layers, SPACE.network):
        return SharedWeights.for_digits6()
    return SharedWeights(space, _trained(space.num_layers, space.network))


@lru_cache(maxsize=4)
def _trained(num_layers: int, network: MacroConfig) -> MacroBank:
    """Frozen weights, trained once for these sizes in a process: it takes up to a minute."""
    from ngae.oracles.shared_weights import train_shared_weights

    return train_shared_weights(EnasSpace(num_layers, network))
