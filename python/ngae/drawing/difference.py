"""Two graphs in one picture: what both have in grey, what one of them has in its own colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ngae.drawing.layers import Edge
from ngae.drawing.picture import Arrow, Box, Style, draw
from ngae.drawing.svg import Entry

Pair = tuple[int | None, int | None]

# What it is worth to put two nodes onto each other: that their labels are equal, that they have
# neighbours of equal labels (at most), and that they stand in each other's place.
_EQUAL, _NEIGHBOURS, _PLACE = 4.0, 2.0, 0.5


class _Graph:
    """Labels, and the labels that stand before and after each node."""

    def __init__(self, labels: Sequence[str], edges: Sequence[Edge]) -> None:
        self.labels, self.edges = labels, set(edges)
        self.before: list[Counter[str]] = [Counter() for _ in labels]
        self.after: list[Counter[str]] = [Counter() for _ in labels]
        for u, v in edges:
            self.before[v][labels[u]] += 1
            self.after[u][labels[v]] += 1


def draw_difference(
    a: tuple[Sequence[str], Sequence[Edge]],
    b: tuple[Sequence[str], Sequence[Edge]],
    names: tuple[str, str] = ("a", "b"),
) -> str:
    """Draw two graphs over each other.

    Nodes are matched in their order, so that as many as can be lie on one of the same label. A box
    of two halves is a node of both, with the label of `a` on the left and that of `b` on the
    right. Dashes tell what is drawn apart, too, for those who do not see the colours.

    Args:
        a: Labels of the nodes, and edges (u, v) with u < v.
        b: Likewise.
        names: What the legend calls them.

    Returns:
        A whole SVG document.
    """
    one, other = _Graph(*a), _Graph(*b)
    pairs = matched(one, other)
    if len(one.labels) == len(other.labels):
        # Where architectures share a skeleton, its places match best.
        same: list[Pair] = [(node, node) for node in range(len(one.labels))]
        pairs = max(pairs, same, key=lambda found: _in_common(one, other, found))
    place_a = {u: node for node, (u, _) in enumerate(pairs) if u is not None}
    place_b = {v: node for node, (_, v) in enumerate(pairs) if v is not None}
    in_a = {(place_a[u], place_a[v]) for u, v in one.edges}
    in_b = {(place_b[u], place_b[v]) for u, v in other.edges}
    arrows = [
        Arrow(edge, "same" if edge in in_a & in_b else "a" if edge in in_a else "b")
        for edge in sorted(in_a | in_b)
    ]
    boxes = [_box(one, other, pair, names) for pair in pairs]
    return draw(boxes, arrows, _legend(names), Style())


def matched(a: _Graph, b: _Graph) -> list[Pair]:
    """Match nodes of two graphs in their order, by dynamic programming.

    Returns:
        Pairs of nodes, None where the other graph has no such node; each node stands once, and
        those of either graph ascend.
    """
    rows, columns = len(a.labels), len(b.labels)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            paired = _worth(a, b, i, j) + best[i + 1][j + 1]
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < rows and j < columns:
        if best[i][j] == _worth(a, b, i, j) + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    pairs += [(node, None) for node in range(i, rows)]
    return pairs + [(None, node) for node in range(j, columns)]


def _worth(a: _Graph, b: _Graph, i: int, j: int) -> float:
    """How well two nodes match."""
    shared = (a.before[i] & b.before[j]).total() + (a.after[i] & b.after[j]).total()
    all_of_them = (a.before[i] | b.before[j]).total() + (a.after[i] | b.after[j]).total()
    from_ends = abs(i - j) * abs(len(a.labels) - i - len(b.labels) + j)
    worth = _EQUAL if a.labels[i] == b.labels[j] else 0.0
    return worth + _NEIGHBOURS * shared / max(all_of_them, 1) + _PLACE * (from_ends == 0)


def _in_common(a: _Graph, b: _Graph, pairs: Sequence[Pair]) -> int:
    """Nodes of equal labels, twice, and edges that lie on each other."""
    place = {u: v for u, v in pairs if u is not None}
    edges = sum((place[u], place[v]) in b.edges for u, v in a.edges)
    return edges + 2 * sum(
        u is not None and v is not None and a.labels[u] == b.labels[v] for u, v in pairs
    )


def _box(a: _Graph, b: _Graph, pair: Pair, names: tuple[str, str]) -> Box:
    u, v = pair
    if v is None:
        assert u is not None
        return Box((a.labels[u],), ("a",), f"{names[0]}, node {u}: {a.labels[u]}")
    if u is None:
        return Box((b.labels[v],), ("b",), f"{names[1]}, node {v}: {b.labels[v]}")
    title = f"{names[0]}, node {u}: {a.labels[u]}; {names[1]}, node {v}: {b.labels[v]}"
    if a.labels[u] == b.labels[v]:
        return Box((a.labels[u],), ("same",), title)
    return Box((a.labels[u], b.labels[v]), ("a", "b"), title)


def _legend(names: tuple[str, str]) -> list[Entry]:
    texts = ("in both", f"only in {names[0]}", f"only in {names[1]}")
    return [Entry(paint, text) for paint, text in zip(("same", "a", "b"), texts, strict=True)]
