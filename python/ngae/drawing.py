"""A graph as text for others: SVG without any dependency, Graphviz DOT, a Python module.

It draws what it is given and checks nothing; `Dag` is the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_COLOURS = (
    "#e8eef7", "#dfe3e8", "#fde2c8", "#d6efd8", "#f9d5d3", "#e3dcf3",
    "#fff0c2", "#cfecee", "#f3d9ea", "#e2ead0",
)  # fmt: skip
_BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 30, 46, 16, 14


def to_dot(labels: Sequence[str], edges: Sequence[tuple[int, int]]) -> str:
    """Write the graph in DOT, left to right."""
    nodes = [f'  {node} [label="{_quoted(label)}"];' for node, label in enumerate(labels)]
    arrows = [f"  {u} -> {v};" for u, v in edges]
    head = ["digraph {", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    return "\n".join([*head, *nodes, *arrows, "}"]) + "\n"


def to_module(
    space: str,
    node_types: Sequence[int],
    edges: Sequence[tuple[int, int]],
    sizes: Mapping[str, object],
) -> str:
    """Write a Python module whose `network()` makes the network of the graph, of these sizes."""
    return f'''"""A network of the search space {space}, written by ngae."""

import torch

from ngae import Dag
from ngae.spaces.registry import space_named

NODE_TYPES = {tuple(node_types)}
EDGES = {tuple(edges)}
SIZES = {dict(sizes)}


def network() -> torch.nn.Module:
    """Make the network, untrained."""
    return Dag(NODE_TYPES, EDGES, space_named({space!r})).to_torch(**SIZES)
'''


def to_svg(labels: Sequence[str], colours: Sequence[int], edges: Sequence[tuple[int, int]]) -> str:
    """Draw the graph left to right, a column for each topological depth.

    Args:
        labels: Text of each node.
        colours: A number for each node; equal numbers get equal colours.
        edges: Pairs (u, v) with u < v.

    Returns:
        A whole SVG document. Edges over several columns are arcs.
    """
    box = max(44, 12 + max(round(7.2 * len(label)) for label in labels))
    depth = _depths(len(labels), edges)
    column = [[n for n, d in enumerate(depth) if d == k] for k in range(max(depth) + 1)]
    tallest = max(len(nodes) for nodes in column)
    arc = max((_arc_height(depth[v] - depth[u]) for u, v in edges), default=0)
    height = 2 * _MARGIN + 2 * arc + tallest * (_BOX_HEIGHT + _GAP_Y) - _GAP_Y
    width = 2 * _MARGIN + len(column) * (box + _GAP_X) - _GAP_X
    centre = {}
    for k, nodes in enumerate(column):
        for i, node in enumerate(nodes):
            y = height / 2 + (i - (len(nodes) - 1) / 2) * (_BOX_HEIGHT + _GAP_Y)
            centre[node] = (_MARGIN + k * (box + _GAP_X) + box / 2, y)
    parts = [_arrow(centre[u], centre[v], box, depth[v] - depth[u], u) for u, v in edges]
    parts += [_node(centre[n], box, label, colours[n]) for n, label in enumerate(labels)]
    return _document(width, height, parts)


def _depths(num_nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    depth = [0] * num_nodes
    for u, v in sorted(edges, key=lambda edge: edge[1]):
        depth[v] = max(depth[v], depth[u] + 1)
    return depth


def _arc_height(span: int) -> int:
    return 0 if span < 2 else 14 + 11 * span


def _arrow(
    start: tuple[float, float], end: tuple[float, float], box: int, span: int, source: int
) -> str:
    style = 'fill="none" stroke="#56606b" stroke-width="1.3" marker-end="url(#head)"'
    if span < 2:
        x0, x1 = start[0] + box / 2, end[0] - box / 2
        return f'<path d="M{x0:g} {start[1]:g} L{x1 - 3:g} {end[1]:g}" {style}/>'
    side = -1 if source % 2 == 0 else 1
    y0, y1 = start[1] + side * _BOX_HEIGHT / 2, end[1] + side * _BOX_HEIGHT / 2
    bow = side * _arc_height(span) * 4 / 3
    x0, x1 = start[0] + box / 4, end[0] - box / 4
    return (
        f'<path d="M{x0:g} {y0:g} C{x0 + 20:g} {y0 + bow:g} {x1 - 20:g} {y1 + bow:g} '
        f'{x1:g} {y1 + side * 3:g}" {style}/>'
    )


def _node(centre: tuple[float, float], box: int, label: str, colour: int) -> str:
    x, y = centre
    fill = _COLOURS[colour % len(_COLOURS)]
    return (
        f'<rect x="{x - box / 2:g}" y="{y - _BOX_HEIGHT / 2:g}" width="{box}" '
        f'height="{_BOX_HEIGHT}" rx="6" fill="{fill}" stroke="#56606b"/>'
        f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle">{escape(label)}</text>'
    )


def _document(width: float, height: float, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="12">'
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="5" refY="3" '
        'orient="auto"><path d="M0 0 L6 3 L0 6 z" fill="#56606b"/></marker></defs>'
        '<rect width="100%" height="100%" fill="white"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
