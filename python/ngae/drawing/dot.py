"""A graph in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Sequence


def to_dot(labels: Sequence[str], edges: Sequence[tuple[int, int]]) -> str:
    """Write the graph in DOT, top to bottom.

    Args:
        labels: Text of each node.
        edges: Pairs (u, v), "u feeds v".
    """
    nodes = [f'  {node} [label="{_quoted(label)}"];' for node, label in enumerate(labels)]
    arrows = [f"  {u} -> {v};" for u, v in edges]
    head = ["digraph {", "  node [shape=box, style=rounded];"]
    return "\n".join([*head, *nodes, *arrows, "}"]) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
