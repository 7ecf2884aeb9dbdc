"""Recurrent cells as graphs: their operations, sizes, and exact costs by closed formula.

The formulas need no torch; the modules (from `ngae.networks.recurrent_network`) are imported when
first asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ngae._lazy import lazily
from ngae.errors import UsageError

if TYPE_CHECKING:
    from ngae.networks.recurrent_network import RecurrentCell as RecurrentCell
    from ngae.networks.recurrent_network import RecurrentNetwork as RecurrentNetwork

OPERATIONS = (
    "linear",
    "complement",
    "elementwise_prod",
    "elementwise_sum",
    "activation_tanh",
    "activation_sigm",
    "activation_leaky_relu",
)
NUM_STATES = 3  # most states of a cell

__getattr__ = lazily(
    "ngae.networks",
    {"RecurrentCell": "recurrent_network", "RecurrentNetwork": "recurrent_network"},
)


class CellNode(NamedTuple):
    """One node of a cell.

    Attributes:
        kind: "x", "h_prev_<k>", one of OPERATIONS, or "h_new_<k>".
        inputs: Earlier nodes that feed it, ascending. An h_new_<k> is their sum.
    """

    kind: str
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class RecurrentConfig:
    """Sizes of a language model of recurrent layers.

    Attributes:
        vocabulary: Tokens that it tells apart.
        input_dim: Width of a token's embedding.
        hidden_dim: Width of the layers' states; the last one's is `input_dim` where tied.
        num_layers: Layers, each with the same cell and weights of its own.
        tied: True: the decoder's matrix is the embedding's.
    """

    vocabulary: int = 64
    input_dim: int = 64
    hidden_dim: int = 64
    num_layers: int = 1
    tied: bool = False

    def __post_init__(self) -> None:
        for name in ("vocabulary", "input_dim", "hidden_dim", "num_layers"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UsageError(
                    f"RecurrentConfig: {name}: expected an integer from 1, found {value!r}"
                )
        if type(self.tied) is not bool:
            raise UsageError(f"RecurrentConfig: tied: expected true or false, found {self.tied!r}")

    @classmethod
    def wikitext2(cls) -> RecurrentConfig:
        """Return the sizes of NAS-Bench-NLP's WikiText-2 models.

        With them the parameters of all 345 runs of its table come out exactly.
        """
        return cls(vocabulary=33_278, input_dim=400, hidden_dim=600, num_layers=3, tied=True)

    @classmethod
    def penn_treebank(cls) -> RecurrentConfig:
        """Return the sizes of NAS-Bench-NLP's Penn Treebank models, likewise."""
        return cls(vocabulary=10_000, input_dim=400, hidden_dim=600, num_layers=3, tied=True)

    @property
    def layer_sizes(self) -> tuple[tuple[int, int], ...]:
        """Widths of input and state of each layer."""
        hidden = [self.hidden_dim] * self.num_layers
        if self.tied:
            hidden[-1] = self.input_dim
        return tuple(zip([self.input_dim, *hidden[:-1]], hidden, strict=True))


class CellCounts(NamedTuple):
    """What of cells decides on their costs; each int64 (n,).

    Attributes:
        linear: Linear nodes.
        from_x: Edges from x into linear nodes.
        from_others: Edges from other nodes into linear nodes.
        x_elsewhere: 1 where x feeds another node than a linear one, else 0.
    """

    linear: NDArray[np.int64]
    from_x: NDArray[np.int64]
    from_others: NDArray[np.int64]
    x_elsewhere: NDArray[np.int64]


def recurrent_costs(counts: CellCounts, config: RecurrentConfig) -> NDArray[np.int64]:
    """Count parameters, and multiply-adds of one token, of many cells' networks.

    With i and h the widths of a layer's input and state, and v the vocabulary:
    params = v e (embedding) + [v d, untied] + v (decoder, d its input) + sum over layers of
    (linear h + from_x i h + from_others h h + [x_elsewhere i h where i is not h]).
    A multiply-add is one product of a weight with a value: those matrices', and the decoder's v d.
    Biases, activations, element-wise operations and the embedding's look-up count none.

    Args:
        counts: Of n cells.
        config: Sizes of the networks.

    Returns:
        int64 (n, 2): params, macs.
    """
    last = config.layer_sizes[-1][1]
    embedding, decoder = config.vocabulary * config.input_dim, config.vocabulary * last
    params = np.full(len(counts.linear), embedding + config.vocabulary, dtype=np.int64)
    params += 0 if config.tied else decoder
    macs = np.full(len(counts.linear), decoder, dtype=np.int64)
    for inputs, hidden in config.layer_sizes:
        matrices = counts.from_x * inputs * hidden + counts.from_others * hidden * hidden
        if inputs != hidden:
            matrices = matrices + counts.x_elsewhere * inputs * hidden
        params += matrices + counts.linear * hidden
        macs += matrices
    return np.stack([params, macs], axis=1)


def num_states(cell: Sequence[CellNode]) -> int:
    """Count the states of a cell: one more than the highest that it reads or renews."""
    named = [int(node.kind[-1]) for node in cell if node.kind.startswith("h_")]
    return 1 + max(named)
