"""A graph as a picture: boxes in layers, arrows that bend around them, a legend."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ngae.drawing.layers import Edge, Layered, in_layers
from ngae.drawing.order import ordered
from ngae.drawing.palette import paints_by_name
from ngae.drawing.place import placed
from ngae.drawing.svg import (
    Entry,
    box,
    document,
    label,
    legend,
    legend_width,
    path,
    text_width,
    titled,
)


@dataclass(frozen=True)
class Style:
    """Sizes of a drawing, in pixels.

    Attributes:
        box: Height of a node's box; its width, too, where nothing is written in it.
        least: Least width of a box with a text.
        gap: Least distance between boxes of a layer.
        track: Width of the lane in which a long edge passes a layer.
        between: Least distance between layers; it grows where edges run far across.
        slope: By how much of that distance across.
        margin: Around everything.
        head: Length of an arrow's head.
        port: Most distance between arrows at a box.
        least_port: Least one; a box is as wide as that takes.
        legend: Width up to which a drawing grows so that its legend is one line.
        small: True: no texts, layers from left to right.
    """

    box: float = 28
    least: float = 48
    gap: float = 16
    track: float = 2
    between: float = 30
    slope: float = 0.12
    margin: float = 16
    head: float = 5
    port: float = 16
    least_port: float = 9
    legend: float = 320
    small: bool = False


THUMBNAIL = Style(
    box=11,
    gap=6,
    track=1,
    between=11,
    slope=0.05,
    margin=4,
    head=0,
    port=3,
    least_port=0,
    small=True,
)


@dataclass(frozen=True)
class Box:
    """A node as it is drawn.

    Attributes:
        texts: One text, or two that stand beside each other.
        paints: A key of PAINTS for each.
        title: Shown where the pointer rests on it.
    """

    texts: tuple[str, ...]
    paints: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Arrow:
    """An edge as it is drawn.

    Attributes:
        ends: Its source and its target.
        paint: A key of PAINTS.
    """

    ends: Edge
    paint: str = "edge"


def draw_graph(labels: Sequence[str], edges: Sequence[Edge], names: Sequence[str] = ()) -> str:
    """Draw a graph from top to bottom, a layer for each topological depth.

    Args:
        labels: Text of each node, at least one.
        edges: Pairs (u, v) with u < v.
        names: All texts that nodes can have; with the same ones, colours are the same.

    Returns:
        A whole SVG document.
    """
    paints = paints_by_name([*names, *sorted(set(labels))])
    counts = Counter(text for text in labels if paints[text] != "end")
    entries = [
        Entry(paints[text], f"{text} \u00d7{counts[text]}" if counts[text] > 1 else text)
        for text in dict.fromkeys([*names, *labels])
        if text in counts
    ]
    boxes = _boxes(labels, edges, paints)
    return draw(boxes, [Arrow(edge) for edge in edges], entries, Style())


def draw_thumbnail(labels: Sequence[str], edges: Sequence[Edge], names: Sequence[str] = ()) -> str:
    """Draw a graph small, from left to right, without texts; see `draw_graph`."""
    paints = paints_by_name([*names, *sorted(set(labels))])
    boxes = _boxes(labels, edges, paints)
    return draw(boxes, [Arrow(edge) for edge in edges], [], THUMBNAIL)


def _boxes(labels: Sequence[str], edges: Sequence[Edge], paints: dict[str, str]) -> list[Box]:
    feeding: list[list[str]] = [[] for _ in labels]
    for u, v in edges:
        feeding[v].append(str(u))
    return [
        Box((text,), (paints[text],), f"node {node}: {text}{_fed_by(feeding[node])}")
        for node, text in enumerate(labels)
    ]


def _fed_by(feeding: Sequence[str]) -> str:
    return f", fed by {', '.join(feeding)}" if feeding else ""


def draw(
    boxes: Sequence[Box], arrows: Sequence[Arrow], entries: Sequence[Entry], style: Style
) -> str:
    """Lay out and draw boxes, arrows and a legend.

    Args:
        boxes: The nodes, at least one.
        arrows: The edges.
        entries: The legend, below.
        style: Sizes.

    Returns:
        A whole SVG document.
    """
    kinds = {paint: i for i, paint in enumerate(dict.fromkeys(a.paint for a in arrows))}
    graph = in_layers(len(boxes), [a.ends for a in arrows], [kinds[a.paint] for a in arrows])
    ports = [max(len(graph.above[v]), len(graph.below[v])) for v in range(len(boxes))]
    widths = [_width(b, n, style) for b, n in zip(boxes, ports, strict=True)]
    rows = ordered(graph)
    across = placed(
        graph,
        rows,
        lambda v: style.track if graph.is_virtual(v) else widths[v],
        style.gap,
    )
    frame = _Frame(graph, across, widths, style)
    wide = max(x + (widths[v] / 2 if v < len(widths) else 1) for v, x in enumerate(across))
    deep = frame.top[-1] + style.box
    parts = [
        titled([path(frame.commands(route), a.paint)], f"{a.ends[0]} \u2192 {a.ends[1]}")
        for a, route in zip(arrows, graph.routes, strict=True)
    ]
    parts += [frame.box(node, b) for node, b in enumerate(boxes)]
    if style.small:
        wide, deep = deep, wide
    inside = max(wide, min(legend_width(entries), style.legend))
    shift = (inside - wide) / 2 + style.margin
    body = f'<g transform="translate({shift:.1f} {style.margin:g})">' + "".join(parts) + "</g>"
    explained, height = legend(entries, style.margin, deep + 2 * style.margin, inside)
    height = deep + 2 * style.margin + (height + style.margin / 2 if entries else 0)
    paints = [p for b in boxes for p in b.paints] + [a.paint for a in arrows]
    paints += [entry.paint for entry in entries]
    title = f"graph of {len(boxes)} nodes and {len(arrows)} edges"
    return document(inside + 2 * style.margin, height, [body, *explained], paints, title)


def _width(node: Box, ports: int, style: Style) -> float:
    if style.small:
        return style.box
    texts = sum(text_width(text) + 18 for text in node.texts)
    return max(style.least, texts, 12 + style.least_port * (ports - 1))


class _Frame:
    """Where everything stands, and how it is drawn there.

    Args:
        graph: The graph in layers.
        across: Centre of each vertex across the layers.
        widths: Of each node.
        style: Sizes.

    Attributes:
        top: Upper end of each layer.
    """

    def __init__(
        self, graph: Layered, across: Sequence[float], widths: Sequence[float], style: Style
    ) -> None:
        self.graph, self.across, self.widths, self.style = graph, across, widths, style
        farthest = [0.0] * len(graph.rows)
        for u, v in graph.links:
            run = abs(across[u] - across[v])
            farthest[graph.layer[v]] = max(farthest[graph.layer[v]], run)
        top = [0.0]
        for run in farthest[1:]:
            top.append(top[-1] + style.box + style.between + min(style.slope * run, 60))
        self.top = top
        self.leaving = self._ports(graph.below)
        self.entering = self._ports(graph.above)

    def _ports(self, neighbours: Sequence[Sequence[int]]) -> dict[Edge, float]:
        """Where each link of a vertex meets it, by the vertex and the other one."""
        found: dict[Edge, float] = {}
        for vertex, others in enumerate(neighbours):
            if self.graph.is_virtual(vertex) or not others:
                found |= {(vertex, other): self.across[vertex] for other in others}
                continue
            room = self.widths[vertex] - 12
            step = min(self.style.port, max(room, 0) / max(len(others) - 1, 1))
            for i, other in enumerate(sorted(others, key=lambda v: self.across[v])):
                shift = (i - (len(others) - 1) / 2) * step
                found[vertex, other] = self.across[vertex] + shift
        return found

    def commands(self, route: Sequence[int]) -> str:
        """Write the way of an edge, its head included."""
        start = self.leaving[route[0], route[1]]
        parts = [f"M{self._point(start, self.top[self.graph.layer[route[0]]] + self.style.box)}"]
        for u, v in itertools.pairwise(route):
            x0, x1 = self.leaving[u, v], self.entering[v, u]
            y0 = self.top[self.graph.layer[u]] + self.style.box
            y1 = self.top[self.graph.layer[v]]
            half = (y1 - y0) / 2
            curve = ((x0, y0 + half), (x1, y1 - half), (x1, y1))
            parts.append("C" + " ".join(self._point(*at) for at in curve))
            if self.graph.is_virtual(v):
                parts.append(f"L{self._point(x1, y1 + self.style.box)}")
        head = self.style.head
        if head:
            sides = ((x1 - 0.7 * head, y1 - head), (x1, y1), (x1 + 0.7 * head, y1 - head))
            parts.append("M" + " L".join(self._point(*at) for at in sides))
        return "".join(parts)

    def box(self, node: int, drawn: Box) -> str:
        """Draw a node."""
        height, width = self.style.box, self.widths[node]
        x, y = self.across[node], self.top[self.graph.layer[node]] + height / 2
        if self.style.small:
            return titled([box(y, x, height, width, drawn.paints[0], 3)], drawn.title)
        parts, left = [], x - width / 2
        needed = sum(text_width(text) + 18 for text in drawn.texts)
        for text, paint in zip(drawn.texts, drawn.paints, strict=True):
            share = width * (text_width(text) + 18) / needed
            parts.append(box(left + share / 2, y, share, height, paint, 6))
            parts.append(label(left + share / 2, y, text))
            left += share
        return titled(parts, drawn.title)

    def _point(self, across: float, along: float) -> str:
        x, y = (along, across) if self.style.small else (across, along)
        return f"{x:.1f} {y:.1f}"
