"""NAS-Bench-Graph: four graph convolutions, each fed by the input or by an earlier one.

Node 0 is the input, nodes 1 to 4 are the operations, node 5 is the output; it is fed by exactly
the operations that feed nothing. Text form (that of its tables): `links;operations`, such as
`0-0-1-2;gcn-gat-fc-skip`, where link 0 is the input and link j is the j-th operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags, narrow
from ngae.errors import GraphError, ParseError, UsageError
from ngae.networks.graph_config import (
    NUM_OPERATIONS,
    OPERATIONS,
    SKIP,
    GraphConfig,
    graph_parameters,
)
from ngae.rules import FREE, DecodeRules
from ngae.spaces.base import SearchSpace
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT, check_types

if TYPE_CHECKING:
    import torch

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource

LAST = NUM_OPERATIONS + 1
_NUMBERS = {name: number for number, name in enumerate(OPERATIONS)}


class NasBenchGraphSpace(SearchSpace):
    """Graph neural networks of four operations (Qin et al. 2022, section 3.1).

    Args:
        network: Sizes of the networks; those of Cora by default.
        backend: Whose layers `build` uses: "torch" (ours) or "torch_geometric".
    """

    name = "nas-bench-graph"
    node_type_names = ("input", "output", *OPERATIONS)
    max_nodes = NUM_OPERATIONS + 2
    complexity_names = ("params",)
    arch_columns = (("links", "ops"),)
    identity_types = (OPERATIONS[SKIP],)

    def __init__(self, network: GraphConfig | None = None, backend: str = "torch") -> None:
        self.network = network or GraphConfig.of("cora")
        self.backend = backend

    @cached_property
    def rules(self) -> DecodeRules:
        """One free edge into each operation; the output takes what feeds nothing."""
        nodes, types = self.max_nodes, self.num_node_types
        allowed = np.zeros((nodes, types), dtype=np.bool_)
        allowed[0, INPUT] = True
        allowed[1:-1, FIRST_OPERATION:] = True
        allowed[-1, OUTPUT] = True
        degree = np.ones(types, dtype=np.int32)
        degree[[INPUT, OUTPUT]] = 0
        most = degree.copy()
        most[OUTPUT] = NUM_OPERATIONS
        return DecodeRules(
            start_type=INPUT,
            end_type=OUTPUT,
            type_allowed=allowed,
            edge_rule=np.triu(np.full((nodes, nodes), FREE, dtype=np.uint8), 1),
            min_in_degree=degree,
            max_in_degree=most,
            loose_ends="only",
        )

    def check(self, dag: Dag) -> None:
        """Raise GraphError where node count, a type, an input or the output's inputs are wrong."""
        if len(dag) != self.max_nodes:
            raise GraphError(f"{self.name}: expected {self.max_nodes} nodes, found {len(dag)}")
        check_types(self, dag)
        for node in range(1, LAST):
            if len(dag.predecessors[node]) != 1:
                raise GraphError(
                    f"{self.name}: node {node}: expected one input, "
                    f"found {len(dag.predecessors[node])}"
                )
        leaves = tuple(n for n in range(1, LAST) if set(dag.successors[n]) <= {LAST})
        if dag.predecessors[LAST] != leaves:
            raise GraphError(
                f"{self.name}: output: expected edges from the nodes that feed nothing, {leaves}, "
                f"found {dag.predecessors[LAST]}"
            )

    def from_lists(self, links: Sequence[int], operations: Sequence[int]) -> Dag:
        """Make the Dag of links (0 is the input, j the j-th operation) and operation numbers."""
        edges = [(link, place + 1) for place, link in enumerate(links)]
        edges += [(node, LAST) for node in range(1, LAST) if node not in links]
        types = (INPUT, *(operation + FIRST_OPERATION for operation in operations), OUTPUT)
        return Dag(types, tuple(edges), self)

    def parse(self, text: str) -> Dag:
        """Read `0-0-1-2;gcn-gat-fc-skip`; the operations keep their numbers.

        Raises:
            ParseError: With the column, what was expected and what was found.
        """
        return self.from_lists(*_scan(text))

    def parse_many(self, texts: Sequence[str]) -> Dags:
        """Read many architectures at once.

        Raises:
            ParseError: As `parse`, for any of the texts.
        """
        read = [_scan(text) for text in texts]
        links = np.array([r[0] for r in read], dtype=np.int64).reshape(-1, NUM_OPERATIONS)
        numbers = np.array([r[1] for r in read], dtype=np.int64).reshape(-1, NUM_OPERATIONS)
        types = np.full((len(read), self.max_nodes), INPUT, dtype=np.int64)
        types[:, 1:LAST] = numbers + FIRST_OPERATION
        types[:, LAST] = OUTPUT
        adjacency = np.zeros((len(read), self.max_nodes, self.max_nodes), dtype=np.bool_)
        rows = np.arange(len(read))[:, None]
        adjacency[rows, links, np.arange(1, LAST)] = True
        adjacency[:, 1:LAST, LAST] = ~adjacency[:, 1:LAST].any(axis=2)
        return Dags.from_padded(narrow(types).astype(np.int16), adjacency, self)

    def format(self, dag: Dag) -> str:
        """Write `links;operations`."""
        links, operations = self.lists(dag)
        return "-".join(map(str, links)) + ";" + "-".join(OPERATIONS[o] for o in operations)

    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw each link and each operation uniformly."""
        links = [int(rng.integers(place + 1)) for place in range(NUM_OPERATIONS)]
        return self.from_lists(links, rng.integers(len(OPERATIONS), size=NUM_OPERATIONS).tolist())

    def canonical(self, dag: Dag) -> Dag:
        """Return the architecture under which the published tables hold what `dag` computes.

        A skip is the identity. One that feeds something, or that is a leaf and its input's only
        reader, can be taken out; so can a leaf that hands on the raw input, which adds nothing to
        the output. Those taken out stand in a row before all others. A skip that repeats the value
        of an operation beside its other readers stays. Of the numberings that are left, the one
        of the smallest lists is taken. Every member but that of skips alone is in the table then.
        """
        lists = self.lists(dag)
        reduced = _reduced(*lists)
        return dag if reduced == lists and dag.space is self else self.from_lists(*reduced)

    def lists(self, dag: Dag) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the links and the operation numbers of the four operations."""
        links = tuple(dag.predecessors[node][0] for node in range(1, LAST))
        return links, tuple(t - FIRST_OPERATION for t in dag.node_types[1:-1])

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make the network of `dag` (see `ngae.networks.graph_network`)."""
        from ngae.networks.graph_network import GraphNetwork

        return GraphNetwork(*self.lists(dag), self.network, self.backend)

    def _network_source(self, dag: Dag) -> NetworkSource:
        from ngae.networks.source_graph import graph_source

        if self.backend != "torch":
            raise UsageError(
                f"source: expected networks of the backend torch, found {self.backend}",
                remedy='make the space with backend="torch"',
            )
        return graph_source(*self.lists(dag), self.network)

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        import torch

        from ngae.networks.onnx_form import OnnxForm

        # Sizes that differ from each other and from the features', so that all stay free.
        inputs = {
            "x": torch.zeros(5, self.network.num_features),
            "edge_index": torch.tensor([[0, 1, 2, 3, 0, 2, 4], [1, 2, 3, 4, 2, 0, 4]]),
        }
        free = {"x": {0: "nodes"}, "edge_index": {1: "edges"}}
        return OnnxForm(network, inputs, ("scores",), free)

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Compute trainable parameters, exactly.

        Returns:
            float64 (len(dags), 1): params.
        """
        types, adjacency = Dags.of(dags, self).padded(self.max_nodes)
        links = adjacency[:, :, 1:LAST].argmax(axis=1)
        numbers = types[:, 1:LAST] - FIRST_OPERATION
        return graph_parameters(links, numbers, self.network).astype(np.float64)[:, None]


@lru_cache(maxsize=1 << 16)  # searches ask for the same ones over and over
def _reduced(
    links: tuple[int, ...], operations: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lists of `NasBenchGraphSpace.canonical`."""
    parent = dict(enumerate(links, start=1))
    number = dict(enumerate(operations, start=1))
    while (node := _needless(parent, number)) is not None:
        above = parent.pop(node)
        parent = {n: above if p == node else p for n, p in parent.items()}
    return _smallest(parent, number)


def _needless(parent: dict[int, int], number: dict[int, int]) -> int | None:
    """A skip that can be taken out, or None."""
    fed = list(parent.values())
    for node, above in parent.items():
        if number[node] == SKIP and (node in fed or above == 0 or fed.count(above) == 1):
            return node
    return None


def _smallest(
    parent: dict[int, int], number: dict[int, int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The smallest links, then operations, over all numberings, behind a row of skips."""
    skips = NUM_OPERATIONS - len(parent)
    best = None
    for order in permutations(parent):
        place = {0: skips} | {node: skips + i for i, node in enumerate(order, start=1)}
        below = tuple(place[parent[node]] for node in order)
        if all(p < place[node] for p, node in zip(below, order, strict=True)):
            numbers = tuple(number[node] for node in order)
            best = min(best or (below, numbers), (below, numbers))
    assert best is not None
    return (*range(skips), *best[0]), (*[SKIP] * skips, *best[1])


def _scan(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Links and operation numbers of a text."""
    links_text, mark, operations_text = text.partition(";")
    links = tuple(
        _value(word, {str(link): link for link in range(place + 1)}, column)
        for place, (word, column) in enumerate(_words(links_text, "links", 1))
    )
    if not mark:
        raise ParseError("';' and the operations", "the end of the text", len(text) + 1)
    words = _words(operations_text, "operations", len(links_text) + 2)
    return links, tuple(_value(word, _NUMBERS, column) for word, column in words)


def _words(text: str, what: str, column: int) -> list[tuple[str, int]]:
    words = text.split("-")
    if len(words) != NUM_OPERATIONS:
        raise ParseError(f"{NUM_OPERATIONS} {what} joined by '-'", f"{len(words)}", column)
    starts = [column + sum(len(word) + 1 for word in words[:i]) for i in range(NUM_OPERATIONS)]
    return list(zip(words, starts, strict=True))


def _value(word: str, values: dict[str, int], column: int) -> int:
    if word not in values:
        raise ParseError(f"one of {', '.join(values)}", repr(word[:40]), column)
    return values[word]
