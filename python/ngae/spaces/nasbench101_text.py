"""The two text forms of NAS-Bench-101's cells: one at a time with columns, or many at once.

`adjacency;operations`: the n x n upper triangular matrix row by row, and n official names.
`num_vertices;edge_bits;ops`: bit x + y (y - 1) / 2 is the edge from x to y, one digit for each
inner node.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ngae.dags import Dags, narrow, pointers
from ngae.errors import ParseError, shown

if TYPE_CHECKING:
    from ngae.spaces.base import SearchSpace

INPUT, OUTPUT, FIRST_OPERATION = 0, 1, 2
LABELS = ("input", "output", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MAX_NODES, MAX_EDGES = 7, 9
BLOCK = 4096  # texts read at a time
# Ends of the edges by the number of their bit: (0, 1), (0, 2), (1, 2), (0, 3), ...
PAIRS = np.array([(x, y) for y in range(MAX_NODES) for x in range(y)], dtype=np.int64).T
_ORDER = np.lexsort(PAIRS[::-1])  # bits in the order of sorted edges
_NUMBER = re.compile(r"0|[1-9][0-9]{0,6}")
Edges = list[tuple[int, int]]


def pairs_within(size: int) -> int:
    """Return how many edges a graph of `size` nodes may have: its bits."""
    return size * (size - 1) // 2


def nodes_on_paths(size: int, edges: Sequence[tuple[int, int]]) -> set[int]:
    """Return the nodes on a path from the first to the last; `edges` (u, v) have u < v."""
    forward, backward = {0}, {size - 1}
    for u, v in sorted(edges):
        if u in forward:
            forward.add(v)
    for u, v in sorted(edges, key=lambda edge: -edge[1]):
        if v in backward:
            backward.add(u)
    return forward & backward


def scan_cell(text: str) -> tuple[list[int], Edges]:
    """Read either form; nothing is pruned.

    Returns:
        Node types and edges.

    Raises:
        ParseError: With the column, what was expected and what was found.
    """
    parts = text.split(";")
    if len(parts) == 2:
        return _scan_matrix(*parts)
    if len(parts) == 3:
        return _scan_bits(*parts)
    raise ParseError(
        "adjacency;operations or num_vertices;edge_bits;ops",
        f"{len(parts)} part{'s' * (len(parts) > 1)}",
        len(text) + 1 if len(parts) < 2 else len(";".join(parts[:3])) + 1,
    )


def _scan_matrix(adjacency: str, operations: str) -> tuple[list[int], Edges]:
    names = operations.split(",")
    size, types, column = len(names), [], len(adjacency) + 2
    if size < 2:
        raise ParseError("input,...,output", shown(operations), column)
    ends = {0: LABELS[:1], size - 1: LABELS[1:2]}
    for node, name in enumerate(names):
        choice = ends.get(node, LABELS[FIRST_OPERATION:])
        if name not in choice:
            raise ParseError(" or ".join(choice), shown(name), column)
        types.append(LABELS.index(name))
        column += len(name) + 1
    edges = []
    for place, character in enumerate(adjacency[: size**2]):
        u, v = divmod(place, size)
        if character not in ("01" if u < v else "0"):
            wanted = "0 or 1" if u < v else "0, on and below the diagonal"
            raise ParseError(wanted, shown(character), place + 1)
        if character == "1":
            edges.append((u, v))
    if len(adjacency) != size**2:
        column = min(len(adjacency), size**2) + 1
        raise ParseError(f"{size**2} digits for {size} nodes", f"{len(adjacency)}", column)
    return types, edges


def _scan_bits(vertices: str, bits: str, operations: str) -> tuple[list[int], Edges]:
    if vertices not in ("2", "3", "4", "5", "6", "7"):
        raise ParseError(f"a number of nodes from 2 to {MAX_NODES}", shown(vertices), 1)
    size, column = int(vertices), len(vertices) + 2
    most = 2 ** pairs_within(size) - 1
    if not _NUMBER.fullmatch(bits) or int(bits) > most:
        raise ParseError(f"edge bits from 0 to {most}", shown(bits), column)
    column += len(bits) + 1
    for place, digit in enumerate(operations):
        if digit not in ("0", "1", "2"):
            raise ParseError("an operation from 0 to 2", shown(digit), column + place)
    if len(operations) != size - 2:
        column += min(len(operations), size - 2)
        raise ParseError(f"{size - 2} operations", f"{len(operations)}", column)
    types = [INPUT, *(int(digit) + FIRST_OPERATION for digit in operations), OUTPUT]
    held = [bit for bit in range(pairs_within(size)) if int(bits) >> bit & 1]
    return types, [(u, v) for u, v in PAIRS[:, held].T.tolist()]


def dags_of_texts(texts: Sequence[str], space: SearchSpace) -> Dags:
    """Read many texts; a block with any that needs pruning or is wrong is read one by one.

    Raises:
        ParseError: As `space.parse`.
        GraphError: As `space.parse`.
    """
    parts = [Dags.of((), space)]
    for at in range(0, len(texts), BLOCK):
        block = texts[at : at + BLOCK]
        read = _read_block(block, space)
        parts.append(Dags.of(map(space.parse, block), space) if read is None else read)
    return Dags.joined(parts)


def _read_block(block: Sequence[str], space: SearchSpace) -> Dags | None:
    """Read texts of one form; None where one of them is not an unpruned cell of the space."""
    cells = [tuple(text.split(";")) for text in block]
    widths = set(map(len, cells))
    if widths == {2}:
        adjacencies, operations = zip(*cells, strict=True)
        code = _codes(list(operations))
        bits = None if code is None else _bits_of_matrices(list(adjacencies), _cells().size[code])
    elif widths == {3}:
        vertices, numbers, digits = zip(*cells, strict=True)
        code = _codes(list(map(";".join, zip(vertices, digits, strict=True))))
        bits = None if code is None else _bits_of_numbers(list(numbers), _cells().size[code])
    else:
        return None
    if code is None or bits is None:
        return None
    return _pack(_cells().types[code], bits, _cells().size[code], space)


class _Cells:
    """Every choice of operations, by its text in either form.

    Attributes:
        types: int64 (num_choices, MAX_NODES) node types, -1 past the end.
        size: int64 (num_choices,) nodes.
        code: Number of a choice by `input,...,output` and by `num_vertices;ops`.
    """

    def __init__(self) -> None:
        choices = [
            choice
            for inner in range(MAX_NODES - 1)
            for choice in product(range(len(LABELS) - FIRST_OPERATION), repeat=inner)
        ]
        self.types = np.full((len(choices), MAX_NODES), -1, dtype=np.int64)
        self.size = np.array([len(choice) + 2 for choice in choices], dtype=np.int64)
        self.code: dict[str, int] = {}
        for number, choice in enumerate(choices):
            types = [INPUT, *(digit + FIRST_OPERATION for digit in choice), OUTPUT]
            self.types[number, : len(types)] = types
            self.code[",".join(LABELS[t] for t in types)] = number
            self.code[f"{len(types)};{''.join(map(str, choice))}"] = number


@lru_cache(maxsize=1)
def _cells() -> _Cells:
    return _Cells()


def _codes(texts: list[str]) -> NDArray[np.int64] | None:
    codes = list(map(_cells().code.get, texts))
    return None if None in codes else np.array(codes, dtype=np.int64)


def _bits_of_numbers(numbers: list[str], sizes: NDArray[np.int64]) -> NDArray[np.uint8] | None:
    try:
        values = np.array(list(map(int, numbers)), dtype=np.int64)
    except (ValueError, OverflowError):
        return None
    # int() takes spaces, signs, underscores and leading zeros; the text must be what it writes.
    if list(map(str, values.tolist())) != numbers:
        return None
    if (values < 0).any() or (values >> sizes * (sizes - 1) // 2).any():
        return None
    return (values[:, None] >> np.arange(PAIRS.shape[1]) & 1).astype(np.uint8)


def _bits_of_matrices(texts: list[str], sizes: NDArray[np.int64]) -> NDArray[np.uint8] | None:
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    joined = "".join(texts)
    if (lengths != sizes**2).any() or not joined.isascii():
        return None
    characters = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
    starts = pointers(lengths)[:-1]
    bits = np.zeros((len(texts), PAIRS.shape[1]), dtype=np.uint8)
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        matrix = characters[starts[rows, None] + np.arange(size**2)] - ord("0")
        places = PAIRS[0, : pairs_within(size)] * size + PAIRS[1, : pairs_within(size)]
        bits[rows[:, None], np.arange(len(places))] = matrix[:, places]
        # Ones outside of the upper triangle, or characters other than 0 and 1.
        if (matrix > 1).any() or matrix.sum() != matrix[:, places].sum():
            return None
    return bits


def _pack(
    types: NDArray[np.int64],
    bits: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    space: SearchSpace,
) -> Dags | None:
    """Pack cells; None where one has too many edges or a node on no path.

    Args:
        types: (num_cells, MAX_NODES), -1 past the end.
        bits: (num_cells, 21) zeros and ones, no edge past the end.
        sizes: (num_cells,) nodes.
        space: The space of the cells.
    """
    nodes = np.arange(MAX_NODES)
    fed = np.stack([bits[:, PAIRS[1] == v].any(axis=1) for v in nodes], axis=1)
    feeds = np.stack([bits[:, PAIRS[0] == u].any(axis=1) for u in nodes], axis=1)
    fed[:, 0] = True
    last = sizes[:, None] - 1
    if not ((fed | (nodes > last)) & (feeds | (nodes >= last))).all():
        return None
    counts = bits.sum(axis=1, dtype=np.int64)
    if (counts > MAX_EDGES).any():
        return None
    edge = _ORDER[bits[:, _ORDER].nonzero()[1]]
    return Dags(
        narrow(types[types >= 0]),
        pointers(sizes),
        narrow(PAIRS[0, edge]),
        narrow(PAIRS[1, edge]),
        pointers(counts),
        space,
    )
