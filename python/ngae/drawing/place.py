"""Where the vertices of ordered layers stand: near their neighbours, edges straight.

Each layer in turn takes the places that are closest, by least squares, to the weighted means of
its vertices' neighbours and keep order and distances; that is an isotonic regression, solved by
pooling adjacent violators.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from ngae.drawing.layers import Layered

_SWEEPS = 40
# How much a link pulls by the number of its virtual ends: long edges should be straight.
_PULL = (3.0, 1.0, 8.0)
_FAR = 1e9

_Beside = dict[int, tuple[int, float]]  # the vertex beside one, and how far it has to be


def placed(
    graph: Layered, rows: Sequence[Sequence[int]], width: Callable[[int], float], gap: float
) -> list[float]:
    """Place vertices across the layers.

    Args:
        graph: The graph in layers.
        rows: The vertices of each layer from left to right.
        width: Of a vertex.
        gap: Least distance between two vertices of a layer.

    Returns:
        The centre of each vertex; the leftmost edge of all is 0.
    """
    half = [width(v) / 2 for v in range(len(graph.layer))]
    at = [0.0] * len(graph.layer)
    offsets = [_offsets(row, half, gap) for row in rows]
    for row, offset in zip(rows, offsets, strict=True):
        for vertex, x in zip(row, offset, strict=True):
            at[vertex] = x - offset[-1] / 2
    for sweep in range(_SWEEPS):
        both = sweep >= _SWEEPS // 2
        down = sweep % 2 == 0
        for i in range(len(rows)) if down else reversed(range(len(rows))):
            _move(graph, rows[i], offsets[i], at, above=down or both, below=not down or both)
    _straighten(graph, rows, half, gap, at)
    left = min(x - h for x, h in zip(at, half, strict=True))
    return [x - left for x in at]


def _offsets(row: Sequence[int], half: Sequence[float], gap: float) -> list[float]:
    """Centres of the vertices of a row that stand as close as can be, the first at 0."""
    found = [0.0]
    for one, other in itertools.pairwise(row):
        found.append(found[-1] + half[one] + gap + half[other])
    return found


def _move(
    graph: Layered,
    row: Sequence[int],
    offset: Sequence[float],
    at: list[float],
    *,
    above: bool,
    below: bool,
) -> None:
    """Move a row to where its neighbours pull it; `at` is the one thing written to."""
    wanted, weights = [], []
    for vertex, shift in zip(row, offset, strict=True):
        near = (graph.above[vertex] if above else ()) + (graph.below[vertex] if below else ())
        pulls = [_PULL[graph.is_virtual(vertex) + graph.is_virtual(other)] for other in near]
        total = sum(p * at[other] for p, other in zip(pulls, near, strict=True))
        wanted.append((total / sum(pulls) if near else at[vertex]) - shift)
        weights.append(sum(pulls) or 1e-3)
    for vertex, shift, x in zip(row, offset, isotonic(wanted, weights), strict=True):
        at[vertex] = x + shift


def isotonic(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Find the ascending values that are closest to `wanted` by weighted least squares.

    Args:
        wanted: n values.
        weights: n positive weights.

    Returns:
        n values, each at least as large as the one before.
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for value, weight in zip(wanted, weights, strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (x, a, m), (y, b, n) = pools[-2:]
            pools[-2:] = [((a * x + b * y) / (a + b), a + b, m + n)]
    return [mean for mean, _, members in pools for _ in range(members)]


def _straighten(
    graph: Layered,
    rows: Sequence[Sequence[int]],
    half: Sequence[float],
    gap: float,
    at: list[float],
) -> None:
    """Put chains, or long parts of them, onto one line where their neighbours leave room."""
    left: _Beside = {}
    right: _Beside = {}
    for row in rows:
        for one, other in itertools.pairwise(row):
            distance = half[one] + gap + half[other]
            right[one], left[other] = (other, distance), (one, distance)
    for chain in _chains(graph):
        run, low, high = [chain[0]], *_room(chain[0], left, right, at)
        for vertex in chain[1:]:
            nearest, farthest = _room(vertex, left, right, at)
            if max(low, nearest) > min(high, farthest):
                _align(run, low, high, at)
                run, low, high = [], nearest, farthest
            run.append(vertex)
            low, high = max(low, nearest), min(high, farthest)
        _align(run, low, high, at)


def _room(vertex: int, left: _Beside, right: _Beside, at: Sequence[float]) -> tuple[float, float]:
    """Between where and where a vertex can stand, with its neighbours as they are."""
    low, high = -_FAR, _FAR
    if vertex in left:
        other, distance = left[vertex]
        low = min(at[other] + distance, at[vertex])  # where it stands is right but for rounding
    if vertex in right:
        other, distance = right[vertex]
        high = max(at[other] - distance, at[vertex])
    return low, high


def _align(run: Sequence[int], low: float, high: float, at: list[float]) -> None:
    """Put vertices onto one line between `low` and `high`."""
    middle = min(max(sum(at[v] for v in run) / len(run), low), high)
    for vertex in run:
        at[vertex] = middle


def _chains(graph: Layered) -> list[list[int]]:
    """Rows of vertices, all virtual or all nodes, each the only one linked below the other."""
    chains = []
    for vertex in range(len(graph.layer)):
        if any(_follows(graph, other, vertex) for other in graph.above[vertex]):
            continue
        chain = [vertex]
        while nexts := [v for v in graph.below[chain[-1]] if _follows(graph, chain[-1], v)]:
            chain.append(nexts[0])
        if len(chain) > 1:
            chains.append(chain)
    return sorted(chains, key=len, reverse=True)


def _follows(graph: Layered, upper: int, lower: int) -> bool:
    if graph.is_virtual(upper) and graph.is_virtual(lower):
        return True
    alone = len(graph.below[upper]) == 1 and len(graph.above[lower]) == 1
    return alone and graph.is_virtual(upper) == graph.is_virtual(lower)
