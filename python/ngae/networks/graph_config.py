"""Sizes of the networks of NAS-Bench-Graph and their parameters by closed formula; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError, UsageError

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
SKIP = OPERATIONS.index("skip")
NUM_OPERATIONS = 4  # of one architecture

# features, classes, hidden width, layers before, layers after
_PUBLISHED = {
    "cora": (1433, 7, 256, 0, 1),
    "citeseer": (3703, 6, 256, 0, 1),
    "pubmed": (500, 3, 128, 0, 0),
    "cs": (6805, 15, 128, 1, 0),
    "physics": (8415, 5, 256, 1, 0),
    "photo": (745, 8, 128, 0, 0),
    "computers": (767, 10, 64, 1, 1),
    "arxiv": (128, 40, 128, 0, 1),
    "proteins": (8, 112, 256, 1, 1),
}
# Matrices of (input, output) and of (output, output) that an operation owns.
_INPUT_MATRICES = {"gat": 1, "gcn": 1, "gin": 1, "fc": 1, "skip": 0}
_OUTPUT_MATRICES = {"arma": 1}


@dataclass(frozen=True)
class GraphConfig:
    """Sizes of a node-classification network.

    Attributes:
        num_features: Features of a node.
        num_classes: Classes that the network tells apart.
        hidden_dim: Width of every operation's output, a multiple of `heads`.
        pre_layers: Linear layers before the operations, 0 or 1. With 0 the operations that read
            the input have its width.
        post_layers: Linear layers after the one that joins the leaves, 0 or 1.
        heads: Attention heads of GAT, joined; they change no count.
        dropout: Share of values dropped before each operation and at the input, while training.
            The published value for each data set is not in the tables; 0.5 is ours.
    """

    num_features: int = 1433
    num_classes: int = 7
    hidden_dim: int = 256
    pre_layers: int = 0
    post_layers: int = 1
    heads: int = 4
    dropout: float = 0.5

    def __post_init__(self) -> None:
        for name in ("num_features", "num_classes", "hidden_dim", "heads"):
            self._check(name, getattr(self, name), 1, None)
        for name in ("pre_layers", "post_layers"):
            self._check(name, getattr(self, name), 0, 1)
        if self.hidden_dim % self.heads:
            raise UsageError(
                f"GraphConfig: hidden_dim: expected a multiple of {self.heads} heads, "
                f"found {self.hidden_dim}"
            )
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1:
            raise UsageError(f"GraphConfig: dropout: expected 0 <= p < 1, found {self.dropout!r}")

    @staticmethod
    def _check(name: str, value: object, low: int, high: int | None) -> None:
        if type(value) is not int or value < low or (high is not None and value > high):
            wanted = f"from {low}" if high is None else f"from {low} to {high}"
            raise UsageError(f"GraphConfig: {name}: expected an integer {wanted}, found {value!r}")

    @classmethod
    def of(cls, data_set: str) -> GraphConfig:
        """Return the sizes with which NAS-Bench-Graph's table of a data set was made.

        They are the only ones among widths 64, 128 and 256 and 0 or 1 layers before and after
        with which the parameters of the whole table come out (of physics: of 94 % of it, the
        others are means over runs of unequal sizes).

        Args:
            data_set: cora, citeseer, pubmed, cs, physics, photo, computers, arxiv or proteins.

        Raises:
            UsageError: Another name.
        """
        if data_set not in _PUBLISHED:
            raise UsageError(
                f"GraphConfig: data set: expected one of {', '.join(_PUBLISHED)}, "
                f"found {data_set!r}"
            )
        return cls(*_PUBLISHED[data_set])


def check_operations(links: tuple[int, ...], operations: tuple[int, ...]) -> None:
    """Require four operations, each fed by the input (0) or an earlier operation (1, 2, 3).

    Raises:
        GraphError: Naming the operation, what was expected and what was found.
    """
    for name, values in (("links", links), ("operations", operations)):
        if len(values) != NUM_OPERATIONS:
            raise GraphError(
                f"graph network: {name}: expected {NUM_OPERATIONS}, found {len(values)}"
            )
    for place, (link, operation) in enumerate(zip(links, operations, strict=True)):
        if not 0 <= link <= place:
            raise GraphError(
                f"graph network: operation {place}: expected an input from 0 to {place}, "
                f"found {link}"
            )
        if not 0 <= operation < len(OPERATIONS):
            raise GraphError(
                f"graph network: operation {place}: expected a number from 0 to "
                f"{len(OPERATIONS) - 1}, found {operation}"
            )


def raw_nodes(
    links: NDArray[np.integer[Any]], operations: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Tell which nodes hold the input itself: the input, and skips of such nodes.

    Args:
        links: (n, 4) the node that feeds each operation: 0 is the input, j is operation j - 1.
        operations: (n, 4) numbers into OPERATIONS.

    Returns:
        bool (n, 5): the input, then the operations.
    """
    raw = np.ones((len(links), NUM_OPERATIONS + 1), dtype=np.bool_)
    rows = np.arange(len(links))
    for place in range(NUM_OPERATIONS):
        raw[:, place + 1] = raw[rows, links[:, place]] & (operations[:, place] == SKIP)
    return raw


def output_nodes(
    links: NDArray[np.integer[Any]], operations: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Tell which nodes are joined into the output: the leaves that are not the input itself.

    A skip of the input adds nothing there, as in the published networks; where there are no
    operations but such skips, the input alone is joined.

    Args:
        links: As for `raw_nodes`.
        operations: As for `raw_nodes`.

    Returns:
        bool (n, 5): the input, then the operations.
    """
    joined = ~raw_nodes(links, operations)
    joined[np.arange(len(links))[:, None], links] = False
    joined[:, 0] = ~joined.any(axis=1)
    return joined


def graph_parameters(
    links: NDArray[np.integer[Any]],
    operations: NDArray[np.integer[Any]],
    config: GraphConfig,
) -> NDArray[np.int64]:
    """Count the trainable parameters of many networks, without building them.

    With i the width of an operation's input, d = hidden_dim, k = nodes joined, c = classes:
    params = [pre] (f d + d) + 4 (2 d) + sum of operations + join, where gcn, gin, fc: i d + d;
    gat: i d + 3 d; cheb, sage, graph: 2 i d + d; arma: 2 i d + d^2 + d; skip: 0; and
    join = k d d + d + d c + c with a layer after it, k d c + c without.
    Every operation owns a batch norm (2 d), and arma a matrix (d^2) that one layer of it does not
    use, because the published networks and counts do.

    Args:
        links: As for `raw_nodes`.
        operations: As for `raw_nodes`.
        config: Sizes of the networks.

    Returns:
        int64 (n,).
    """
    f, c, d = config.num_features, config.num_classes, config.hidden_dim
    first = d if config.pre_layers else f
    width = np.where(raw_nodes(links, operations), first, d)
    inputs = np.take_along_axis(width, links.astype(np.int64), axis=1)
    matrices = np.array([_INPUT_MATRICES.get(name, 2) for name in OPERATIONS])
    fixed = np.array([_fixed(name, d) for name in OPERATIONS])
    total = (matrices[operations] * inputs * d + fixed[operations]).sum(axis=1)
    joined = (output_nodes(links, operations) * width).sum(axis=1)
    after = joined * d + d + d * c + c if config.post_layers else joined * c + c
    before = f * d + d if config.pre_layers else 0
    counted: NDArray[np.int64] = (total + after + before + NUM_OPERATIONS * 2 * d).astype(np.int64)
    return counted


def _fixed(name: str, d: int) -> int:
    """Parameters of an operation that do not depend on the width of its input."""
    vectors = {"skip": 0, "gat": 3}.get(name, 1)
    return vectors * d + _OUTPUT_MATRICES.get(name, 0) * d * d
