"""The order of the vertices within their layers, with few crossings.

Sweeps down and up sort each layer by the medians of its neighbours, then neighbours change places
where that helps (Gansner et al. 1993, section 3). The best order that was met is kept.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence

from ngae.drawing.layers import Layered

Rows = list[list[int]]

_SWEEPS = 12
_EFFORT = 2_000_000  # links looked at in one sweep; graphs that can be read take far fewer


def ordered(graph: Layered) -> Rows:
    """Order the vertices of each layer.

    Args:
        graph: The graph in layers.

    Returns:
        The vertices of each layer from left to right.
    """
    found = [_improved(graph, rows) for rows in (_walked(graph), _walked(graph, upward=True))]
    return min(found, key=lambda rows: crossings(graph, rows))


def crossings(graph: Layered, rows: Sequence[Sequence[int]]) -> int:
    """Count the pairs of links that cross."""
    return sum(_between(graph, upper, lower) for upper, lower in itertools.pairwise(rows))


def _between(graph: Layered, upper: Sequence[int], lower: Sequence[int]) -> int:
    place = {vertex: i for i, vertex in enumerate(lower)}
    seen: list[int] = []
    count = 0
    for vertex in upper:
        ends = [place[other] for other in graph.below[vertex]]
        count += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return count


def _walked(graph: Layered, *, upward: bool = False) -> Rows:
    """Vertices as a depth-first walk meets them, from the top or from the bottom."""
    after = graph.above if upward else graph.below
    before = graph.below if upward else graph.above
    waiting = [v for v in reversed(range(len(graph.layer))) if not before[v]]
    rows: Rows = [[] for _ in graph.rows]
    met = set()
    while waiting:
        vertex = waiting.pop()
        if vertex not in met:
            met.add(vertex)
            rows[graph.layer[vertex]].append(vertex)
            waiting += reversed(after[vertex])
    return rows


def _improved(graph: Layered, rows: Rows) -> Rows:
    best, fewest = rows, crossings(graph, rows)
    for sweep in range(_SWEEPS):
        rows = _exchanged(graph, _swept(graph, rows, upward=bool(sweep % 2)))
        count = crossings(graph, rows)
        if count < fewest:
            best, fewest = rows, count
        if not fewest:
            break
    return best


def _swept(graph: Layered, rows: Rows, *, upward: bool) -> Rows:
    """Sort one layer after the other by the medians of the neighbours in the one before."""
    neighbours = graph.below if upward else graph.above
    new: dict[int, list[int]] = {}
    place: dict[int, int] = {}
    for layer in reversed(range(len(rows))) if upward else range(len(rows)):
        row = rows[layer]
        middle = {v: _median(sorted(place[u] for u in neighbours[v])) for v in row}
        new[layer] = _sorted_around(row, middle)
        place |= {vertex: i for i, vertex in enumerate(new[layer])}
    return [new[layer] for layer in range(len(rows))]


def _sorted_around(row: Sequence[int], middle: dict[int, float]) -> list[int]:
    """Sort by `middle`; vertices without neighbours, of -1, keep their places."""
    free = iter(sorted((v for v in row if middle[v] >= 0), key=lambda v: middle[v]))
    return [v if middle[v] < 0 else next(free) for v in row]


def _median(places: Sequence[int]) -> float:
    """The median of Gansner et al., which leans to the closer side; -1 of none."""
    half = len(places) // 2
    if not places:
        return -1
    if len(places) % 2:
        return places[half]
    if len(places) == 2:
        return (places[0] + places[1]) / 2
    left, right = places[half - 1] - places[0], places[-1] - places[half]
    if left + right == 0:
        return (places[half - 1] + places[half]) / 2
    return (places[half - 1] * right + places[half] * left) / (left + right)


def _exchanged(graph: Layered, rows: Rows) -> Rows:
    """Let neighbours change places as long as that takes crossings away."""
    rows = [list(row) for row in rows]
    place = {vertex: i for row in rows for i, vertex in enumerate(row)}
    effort, better = _EFFORT, True
    while better and effort > 0:
        better = False
        for row in rows:
            effort -= sum(len(graph.above[v]) + len(graph.below[v]) + 1 for v in row)
            for i in range(len(row) - 1):
                one, other = row[i], row[i + 1]
                if _gain(graph, place, one, other) > 0:
                    row[i], row[i + 1] = other, one
                    place[one], place[other] = i + 1, i
                    better = True
    return rows


def _gain(graph: Layered, place: dict[int, int], left: int, right: int) -> int:
    """Crossings that go away when two neighbours change places."""
    gain = 0
    for neighbours in (graph.above, graph.below):
        for a in neighbours[left]:
            for b in neighbours[right]:
                gain += (place[a] > place[b]) - (place[a] < place[b])
    return gain
