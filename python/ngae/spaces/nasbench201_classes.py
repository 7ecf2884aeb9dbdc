"""Which cells of NAS-Bench-201 compute the same, found by writing what each computes.

A cell is written as a sum of operations on sums: zeros vanish, the identity leaves no trace, the
order of a sum does not matter. Convolutions carry the number of their weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from ngae.networks.nasbench201 import CELL_EDGES, KERNEL_WEIGHTS, OPERATIONS

NONE, SKIP = OPERATIONS.index("none"), OPERATIONS.index("skip_connect")
_UNMARKED = ("",) * len(CELL_EDGES)


@lru_cache(maxsize=1)
def representatives() -> NDArray[np.int64]:
    """For every cell the first that computes the same: int64 (15,625,), read only.

    Cells are numbered in the order in which the last of the six operations changes fastest.
    """
    first: dict[str, int] = {}
    cells = product(range(len(OPERATIONS)), repeat=len(CELL_EDGES))
    found = np.array([first.setdefault(expression(o), n) for n, o in enumerate(cells)])
    found.flags.writeable = False
    return found.astype(np.int64, copy=False)


def expression(operations: Sequence[int]) -> str:
    """Write what a cell computes, equal for cells that compute the same and for no others.

    Convolutions that would be written alike are told apart by numbers; of all ways to give these
    numbers the first text in alphabetical order is taken.

    Args:
        operations: Numbers into OPERATIONS, edges as in CELL_EDGES.
    """
    live = _without_dead_ends(operations)
    text, terms = _write(live, _UNMARKED)
    alike: dict[str, list[int]] = {}
    for edge, term in enumerate(terms):
        if term and KERNEL_WEIGHTS[live[edge]]:
            alike.setdefault(term, []).append(edge)
    groups = [edges for edges in alike.values() if len(edges) > 1]
    if not groups:
        return text
    return min(_write(live, marks)[0] for marks in _numberings(groups))


def _without_dead_ends(operations: Sequence[int]) -> list[int]:
    """Put `none` on the edges into nodes that do not reach the last one."""
    live, reached = list(operations), {CELL_EDGES[-1][1]}
    for edge in reversed(range(len(CELL_EDGES))):
        source, target = CELL_EDGES[edge]
        if target not in reached:
            live[edge] = NONE
        elif live[edge] != NONE:
            reached.add(source)
    return live


def _numberings(groups: list[list[int]]) -> Iterator[list[str]]:
    for orders in product(*(permutations(range(len(edges))) for edges in groups)):
        marks = [""] * len(CELL_EDGES)
        for edges, order in zip(groups, orders, strict=True):
            for edge, number in zip(edges, order, strict=True):
                marks[edge] = f"#{number}"
        yield marks


def _write(operations: Sequence[int], marks: Sequence[str]) -> tuple[str, list[str]]:
    """Write the sum at the last node, and the term of the operation on each edge, or nothing."""
    nodes: list[list[str]] = [["x"], [], [], []]
    terms = [""] * len(CELL_EDGES)
    for edge, (source, target) in enumerate(CELL_EDGES):
        operation, entering = operations[edge], nodes[source]
        if operation == SKIP:
            nodes[target] += entering
        elif operation != NONE and entering:
            terms[edge] = f"{operation}{marks[edge]}({'+'.join(sorted(entering))})"
            nodes[target].append(terms[edge])
    return "+".join(sorted(nodes[-1])), terms
