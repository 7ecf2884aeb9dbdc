"""`Dag`: one architecture, an immutable and topologically numbered graph of typed nodes.

It is checked once, when it is made. It knows no search space but by the few methods that
`SpaceLike` lists, and holds no tensors.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ngae import drawing
from ngae.edges import check_edges, check_types, integer, sorted_edges, topological_order
from ngae.errors import GraphError, UsageError, cut, shown
from ngae.files import parse_json, without_folder, write_bytes
from ngae.space_like import SpaceLike

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1  # of the JSON form; a new number where old readers would misread it


@dataclass(frozen=True)
class Dag:
    """One architecture: node types and directed edges.

    Nodes are numbered topologically: an edge (u, v) has u < v. Two Dags are equal when types and
    edges agree place by place; `canonical_hash` is equal for any order of the nodes.

    Attributes:
        node_types: Type of each node, integers from 0; at least one node.
        edges: Pairs (u, v) with u < v, "u feeds v"; kept sorted, each once.
        space: The search space it belongs to, or None; not compared.

    Raises:
        GraphError: An edge that leaves the graph, goes backward or stands twice; a type that is
            not an integer from 0; or, with a space, a graph outside of it.
    """

    node_types: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    space: SpaceLike | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "node_types", tuple(self.node_types))
        object.__setattr__(self, "edges", sorted_edges(self.edges))
        check_types(self.node_types)
        check_edges(self.edges, len(self.node_types))
        if self.space is not None:
            self.space.check(self)

    @classmethod
    def from_edges(
        cls,
        node_types: Sequence[int],
        edges: Iterable[tuple[int, int]],
        space: SpaceLike | None = None,
    ) -> Dag:
        """Make a Dag of nodes in any order.

        Args:
            node_types: Type of each node.
            edges: Pairs (u, v), "u feeds v", numbered as in `node_types`.
            space: The search space, or None.

        Returns:
            The Dag with its nodes in the topological order that keeps theirs where it can.

        Raises:
            GraphError: The edges hold a cycle (named), or as for the constructor.
        """
        pairs = sorted(set(sorted_edges(edges)))
        order = topological_order(len(node_types), pairs)
        place = {node: i for i, node in enumerate(order)}
        return cls(
            tuple(node_types[node] for node in order),
            tuple((place[u], place[v]) for u, v in pairs),
            space,
        )

    def __len__(self) -> int:
        return len(self.node_types)

    @cached_property
    def predecessors(self) -> tuple[tuple[int, ...], ...]:
        """For each node the nodes that feed it, ascending."""
        lists: list[list[int]] = [[] for _ in self.node_types]
        for u, v in self.edges:
            lists[v].append(u)
        return tuple(tuple(nodes) for nodes in lists)

    @cached_property
    def successors(self) -> tuple[tuple[int, ...], ...]:
        """For each node the nodes that it feeds, ascending."""
        lists: list[list[int]] = [[] for _ in self.node_types]
        for u, v in self.edges:
            lists[u].append(v)
        return tuple(tuple(nodes) for nodes in lists)

    @cached_property
    def canonical_hash(self) -> str:
        """32 hexadecimal digits, equal for isomorphic Dags and for no others met in practice.

        Beyond 1,024 nodes, what only a search would tell apart has one hash.
        """
        import numpy as np

        from ngae import _native

        source, target = np.array(self.edges, dtype=np.int32).reshape(-1, 2).T.copy()
        digests = _native.load().canonical_hashes(
            np.array(self.node_types, dtype=np.int32),
            np.array([0, len(self)], dtype=np.int32),
            np.array([0, len(self.edges)], dtype=np.int32),
            source,
            target,
        )
        return str(digests[0].tobytes().hex())

    def remember_hash(self, canonical_hash: str) -> None:
        """Take `canonical_hash` as known: who hashes many at once spares each its own."""
        self.__dict__.setdefault("canonical_hash", canonical_hash)

    @cached_property
    def node_labels(self) -> tuple[str, ...]:
        """A short text for each node: the type's name, or its number without a space."""
        if self.space is None:
            return tuple(str(t) for t in self.node_types)
        return tuple(self.space.node_type_names[t] for t in self.node_types)

    def check_connected(self) -> None:
        """Require one source, one sink, and every node on a path between them.

        Raises:
            GraphError: Naming the node that has no predecessor or no successor.
        """
        last = len(self) - 1
        for node in range(len(self)):
            if node > 0 and not self.predecessors[node]:
                raise GraphError(f"node {node}: expected a predecessor, found none")
            if node < last and not self.successors[node]:
                raise GraphError(f"node {node}: expected a successor, found none")

    def to_json(self) -> str:
        """Write as one JSON object, as `architecture.schema.json` in this package has it.

        Beside what `as_dict` returns it holds the version of the form and, with a space, the
        architecture's text and the sizes of its network.
        """
        value: dict[str, Any] = {"format_version": FORMAT_VERSION, **self.as_dict()}
        if self.space is not None:
            value["architecture"] = self.space.format(self)
            if dataclasses.is_dataclass(self.space.network):
                value["network"] = dataclasses.asdict(cast(Any, self.space.network))
        return json.dumps(value)

    def as_dict(self) -> dict[str, Any]:
        """Return space, node_types, labels and edges as plain Python values."""
        return {
            "space": None if self.space is None else self.space.name,
            "node_types": list(self.node_types),
            "labels": list(self.node_labels),
            "edges": [list(edge) for edge in self.edges],
        }

    @classmethod
    def from_json(cls, source: str | dict[str, Any], space: SpaceLike | None = None) -> Dag:
        """Read what `to_json` wrote, or an object as `as_dict` returns it.

        Args:
            source: The text, or the object parsed from it.
            space: The search space; the caller picks it, the name in the text is compared, without
                the folder of a space's file.

        Raises:
            GraphError: Not JSON, keys missing, values of the wrong kind, another space, or a
                version of the form that is not known.
        """
        try:
            value = parse_json(source) if isinstance(source, str) else source
            types = [integer(t) for t in value["node_types"]]
            edges = [(integer(u), integer(v)) for u, v in value["edges"]]
            name = value.get("space")
            version = value.get("format_version", FORMAT_VERSION)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GraphError(
                "Dag.from_json: expected an object with integer lists node_types and edges, "
                f"found {type(error).__name__}: {cut(str(error), 200)}"
            ) from error
        if type(version) is not int or version != FORMAT_VERSION:
            raise GraphError(
                f"Dag.from_json: expected format_version {FORMAT_VERSION}, found {shown(version)}",
                remedy="read it with the version of ngae that wrote it, or a later one",
            )
        if space is not None and name is not None and not _is_named(space, name):
            raise GraphError(f"Dag.from_json: expected space {space.name}, found {cut(str(name))}")
        return cls(tuple(types), tuple(edges), space)

    def to_dot(self) -> str:
        """Write in Graphviz's DOT language."""
        return drawing.to_dot(self.node_labels, self.edges)

    def to_svg(self, against: Dag | None = None, names: tuple[str, str] = ("a", "b")) -> str:
        """Draw as a self-contained SVG picture, for light and dark pages.

        Args:
            against: Another Dag, to be drawn over this one: what both have in grey, what one of
                them has in a colour of its own.
            names: What the legend calls this one and the other.

        Raises:
            UsageError: So large a graph that nobody would see anything.
        """
        if against is None:
            return drawing.draw_graph(self.node_labels, self.edges, self._names)
        one, other = ((dag.node_labels, dag.edges) for dag in (self, against))
        return drawing.draw_difference(one, other, names)

    def to_thumbnail(self) -> str:
        """Draw as a small SVG picture without texts, from left to right, in the same colours."""
        return drawing.draw_thumbnail(self.node_labels, self.edges, self._names)

    @property
    def _names(self) -> tuple[str, ...]:
        """All labels that a node of the space can have; they decide on the colours."""
        return () if self.space is None else self.space.node_type_names

    def _repr_svg_(self) -> str | None:
        try:
            return self.to_svg()
        except UsageError:  # too large: a notebook shows the text instead
            return None

    def save(self, path: str | Path) -> None:
        """Write to `path`; its suffix decides the form.

        .json (see `to_json`), .dot, .svg, .py (see `to_source`) or .onnx (see `to_onnx`).

        Raises:
            UsageError: Another suffix, or a graph too large to be drawn.
            GraphError: A network is wanted and the Dag belongs to no space.
            MissingExtraError: ONNX is wanted and not installed.
        """
        forms: dict[str, Callable[[], str | bytes]] = {
            ".json": self.to_json,
            ".dot": self.to_dot,
            ".svg": self.to_svg,
            ".py": self.to_source,
            ".onnx": self.to_onnx,
        }
        form = forms.get(Path(path).suffix)
        if form is None:
            raise UsageError(f"Dag.save: expected one of {', '.join(forms)}, found {path}")
        content = form()
        write_bytes(Path(path), content.encode() if isinstance(content, str) else content)

    def to_source(self) -> str:
        """Write the network of `to_torch` as a Python module that needs torch alone.

        Returns:
            The module's text. Its `network()` makes the network, untrained, and takes the weights
            of `to_torch()` by `load_state_dict`.

        Raises:
            GraphError: The Dag belongs to no space.
            NotImplementedError: The space has no networks.
            UsageError: The networks are made of what cannot be written.
        """
        if self.space is None:
            raise GraphError("Dag.to_source: expected a Dag of a search space, found none")
        return self.space.source(self)

    def to_onnx(self, network: torch.nn.Module | None = None) -> bytes:
        """Write the network in ONNX, in eval mode.

        Args:
            network: What `to_torch` made, with its weights; by default a new one, untrained.

        Returns:
            The content of a .onnx file.

        Raises:
            GraphError: The Dag belongs to no space.
            UsageError: The space does not tell what its networks take, or torch cannot write them.
            MissingExtraError: onnx or onnxscript is not installed.
        """
        if self.space is None:
            raise GraphError("Dag.to_onnx: expected a Dag of a search space, found none")
        return self.space.onnx(self, network)

    def to_torch(self, **sizes: Any) -> torch.nn.Module:
        """Make the network that this Dag describes, by its space's `build`, untrained.

        Args:
            sizes: Other sizes than the space's own, fields of its `network` by name, such as
                `num_classes=100`.

        Raises:
            GraphError: The Dag belongs to no space.
            UsageError: A size that the networks of the space do not have.
        """
        if self.space is None:
            raise GraphError("Dag.to_torch: expected a Dag of a search space, found none")
        return self.space.resized(**sizes).build(self)


def _is_named(space: SpaceLike, name: object) -> bool:
    return isinstance(name, str) and without_folder(name) == without_folder(space.name)
