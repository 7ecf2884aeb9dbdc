"""A text form for any space: each node after the first as its type and the nodes that feed it.

`conv(0) pool(0,1) output(1,2)`: node 1 is a conv fed by node 0, and so on; node 0 goes unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ngae.errors import GraphError, ParseError, shown

NAME = re.compile(r"[^\s(),;]+")
_NODE = re.compile(r"([^\s(),;]+)\(([0-9]{1,6}(?:,[0-9]{1,6})*)?\)")
_BLANKS = re.compile(r"\s*")


def check_names(owner: str, names: Sequence[str]) -> None:
    """Require names that the text form can hold, each once.

    Raises:
        GraphError: Naming the one that it cannot.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise GraphError(
                f"{owner}: expected names without blanks, brackets, commas or semicolons, "
                f"found {name!r}"
            )
        if list(names).count(name) > 1:
            raise GraphError(f"{owner}: expected each name once, found {name!r} twice")


def write_nodes(
    node_types: Sequence[int], predecessors: Sequence[Sequence[int]], names: Sequence[str]
) -> str:
    """Write the nodes after the first."""
    return " ".join(
        f"{names[node_type]}({','.join(map(str, feeding))})"
        for node_type, feeding in list(zip(node_types, predecessors, strict=True))[1:]
    )


def read_nodes(
    text: str, names: Sequence[str], start_type: int
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Read what `write_nodes` writes.

    Returns:
        Node types, the first one's included, and edges.

    Raises:
        ParseError: With the column, what was expected and what was found.
    """
    number = {name: i for i, name in enumerate(names)}
    types, edges = [start_type], []
    place = _skip(text, 0)
    while place < len(text):
        match = _NODE.match(text, place)
        if match is None:
            raise ParseError("a node such as conv(0,1)", _word(text, place), place + 1)
        if match[1] not in number:
            raise ParseError(f"one of {', '.join(names)}", shown(match[1]), place + 1)
        node = len(types)
        for source in _sources(match, node):
            edges.append((source, node))
        types.append(number[match[1]])
        place = _skip(text, match.end())
    if len(types) == 1:
        raise ParseError("a node such as conv(0,1)", "the end of the text", len(text) + 1)
    return tuple(types), tuple(edges)


def _sources(match: re.Match[str], node: int) -> list[int]:
    sources = [int(text) for text in match[2].split(",")] if match[2] else []
    column, seen = match.start(2) + 1, set[int]()
    for source in sources:
        if source >= node:
            raise ParseError(f"a node from 0 to {node - 1}", f"{source}", column)
        if source in seen:
            raise ParseError("each node once", f"{source} twice", column)
        seen.add(source)
    return sources


def _skip(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    assert match is not None
    return match.end()


def _word(text: str, place: int) -> str:
    return shown(text[place:].split(maxsplit=1)[0])
