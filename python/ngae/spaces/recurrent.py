"""Recurrent cells: what a layer makes of its input and of one to three states at each step.

Node 0 is x, then come the states that are read, the operations, the extra states that are
renewed, and h_new_0, which is also the output. No operation depends on the order of its inputs.
Text form: the JSON object of NAS-Bench-NLP (see `ngae.spaces.recurrent_text`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, ParseError, shown
from ngae.files import parse_json, repeated
from ngae.networks.recurrent import (
    OPERATIONS,
    CellCounts,
    CellNode,
    RecurrentConfig,
    recurrent_costs,
)
from ngae.rules import FREE, DecodeRules
from ngae.spaces.base import SearchSpace
from ngae.spaces.recurrent_draw import draw_cell
from ngae.spaces.recurrent_text import ARITY, OUTPUTS, read_cell, write_cell

if TYPE_CHECKING:
    import torch

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource

TYPES = ("x", "h_prev_0", "h_prev_1", "h_prev_2", *OPERATIONS, "h_new_1", "h_new_2", "h_new_0")
NUMBERS = {name: number for number, name in enumerate(TYPES)}
X, LINEAR, END = NUMBERS["x"], NUMBERS["linear"], NUMBERS["h_new_0"]
_OPERATION = slice(LINEAR, LINEAR + len(OPERATIONS))
_LEAST_NODES = 4  # x, h_prev_0, an operation, h_new_0

_MOST_NODES = 28  # what the largest published cell needs


class RecurrentSpace(SearchSpace):
    """Recurrent cells (Klyuchnikov et al. 2020, section 3).

    Args:
        max_nodes: Most nodes of a cell, x and states included. 28 holds all real cells of the
            published WikiText-2 table: the largest, of 15 operations, has that many.
        network: Sizes of the networks that `build` makes.
    """

    node_type_names = TYPES
    complexity_names = ("params", "macs")
    arch_columns = (("recepie",),)

    def __init__(
        self, max_nodes: int = _MOST_NODES, network: RecurrentConfig | None = None
    ) -> None:
        if max_nodes < _LEAST_NODES:
            raise GraphError(
                f"RecurrentSpace: max_nodes: expected at least {_LEAST_NODES}, found {max_nodes}"
            )
        self.max_nodes = max_nodes
        self.name = "recurrent" if max_nodes == _MOST_NODES else f"recurrent{max_nodes}"
        self.network = network or RecurrentConfig()

    @cached_property
    def follows(self) -> NDArray[np.bool_]:
        """Which type may come right after which: bool (types, types), `[t, s]` for s after t."""
        groups = (["x"], ["h_prev_0"], ["h_prev_1"], ["h_prev_2"], OPERATIONS)
        follows = np.zeros((len(TYPES), len(TYPES)), dtype=np.bool_)

        def allow(before: Sequence[str], after: Sequence[str]) -> None:
            for one in before:
                follows[NUMBERS[one], [NUMBERS[other] for other in after]] = True

        allow(groups[0], groups[1])
        allow(groups[1], ("h_prev_1", "h_prev_2", *OPERATIONS))
        allow(groups[2], ("h_prev_2", *OPERATIONS))
        allow(groups[3], OPERATIONS)
        allow(OPERATIONS, (*OPERATIONS, "h_new_2", "h_new_1", "h_new_0"))
        allow(["h_new_2"], ("h_new_1", "h_new_0"))
        allow(["h_new_1"], ["h_new_0"])
        return follows

    @cached_property
    def degrees(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Fewest and most inputs of each type, int32 (types,) each."""
        least, most = (np.zeros(len(TYPES), dtype=np.int32) for _ in range(2))
        for name in OPERATIONS:
            least[NUMBERS[name]], most[NUMBERS[name]] = ARITY[name]
        for name in ("h_new_1", "h_new_2"):
            least[NUMBERS[name]] = most[NUMBERS[name]] = 1
        least[END], most[END] = 1, self.max_nodes
        return least, most

    @cached_property
    def type_allowed(self) -> NDArray[np.bool_]:
        """Which types the node at a place may have: bool (max_nodes, types)."""
        nodes = self.max_nodes
        allowed = np.zeros((nodes, len(TYPES)), dtype=np.bool_)
        allowed[0, X] = allowed[1, NUMBERS["h_prev_0"]] = True
        allowed[2:-1, _OPERATION] = True
        for first, end, name in ((2, 3, "h_prev_1"), (2, 4, "h_prev_2")):
            allowed[first : min(end, nodes - 2), NUMBERS[name]] = True
        for name in ("h_new_1", "h_new_2"):
            allowed[3:-1, NUMBERS[name]] = True
        allowed[3:, END] = True
        return allowed

    @cached_property
    def rules(self) -> DecodeRules:
        """The order of the types, their degrees; what feeds nothing feeds h_new_0."""
        nodes = self.max_nodes
        least, most = self.degrees
        must_feed = np.zeros(len(TYPES), dtype=np.bool_)
        must_feed[_OPERATION] = True
        return DecodeRules(
            start_type=X,
            end_type=END,
            type_allowed=self.type_allowed,
            edge_rule=np.triu(np.full((nodes, nodes), FREE, dtype=np.uint8), 1),
            min_in_degree=least,
            max_in_degree=most,
            loose_ends="forced",
            must_feed=must_feed,
            type_follows=self.follows,
        )

    def check(self, dag: Dag) -> None:
        """Raise GraphError where size, order of types, a degree or a node's use is wrong."""
        if not _LEAST_NODES <= len(dag) <= self.max_nodes:
            raise GraphError(
                f"{self.name}: expected {_LEAST_NODES} to {self.max_nodes} nodes, found {len(dag)}"
            )
        types = dag.node_types
        if max(types) >= len(TYPES):
            raise GraphError(f"{self.name}: expected types 0..{END}, found {max(types)}")
        if types[0] != X or types[-1] != END:
            found = f"{TYPES[types[0]]} and {TYPES[types[-1]]}"
            raise GraphError(f"{self.name}: expected x first and h_new_0 last, found {found}")
        for node, (one, other) in enumerate(pairwise(types), start=1):
            if not self.follows[one, other]:
                raise GraphError(
                    f"{self.name}: node {node}: expected a type that may follow {TYPES[one]}, "
                    f"found {TYPES[other]}"
                )
        least, most = self.degrees
        for node, (kind, inputs) in enumerate(zip(types, dag.predecessors, strict=True)):
            if not least[kind] <= len(inputs) <= most[kind]:
                raise GraphError(
                    f"{self.name}: node {node}, {TYPES[kind]}: expected {least[kind]} to "
                    f"{most[kind]} inputs, found {len(inputs)}"
                )
            if TYPES[kind] in OPERATIONS and not dag.successors[node]:
                raise GraphError(
                    f"{self.name}: node {node}, {TYPES[kind]}: expected to feed a node, found none"
                )

    def parse(self, text: str) -> Dag:
        """Read a JSON object, node name -> {"op", "input"}.

        Raises:
            ParseError: It is not JSON; with the column.
            GraphError: Naming the node, what was expected and what was found.
        """
        try:
            value = parse_json(text, object_pairs_hook=_once)
        except ValueError as error:
            place = error.pos + 1 if isinstance(error, json.JSONDecodeError) else 1
            raise ParseError("a JSON object of nodes", str(error)[:80], place) from error
        return self.parse_value(value)

    def parse_value(self, value: dict[str, Any]) -> Dag:
        """Read an object as `parse` does, or one of `Dag.as_dict`.

        Raises:
            GraphError: Naming the node, what was expected and what was found.
        """
        if isinstance(value, dict) and "node_types" in value and "edges" in value:
            return super().parse_value(value)
        if isinstance(value, dict) and len(value) > self.max_nodes:  # each is a node at least
            raise GraphError(
                f"{self.name}: expected at most {self.max_nodes} nodes, found {len(value)}"
            )
        return self.from_cell(read_cell(value))

    def format(self, dag: Dag) -> str:
        """Write the JSON object, without blanks."""
        return json.dumps(write_cell(self.cell(dag)), separators=(",", ":"))

    def from_cell(self, cell: Sequence[CellNode]) -> Dag:
        """Make the Dag of a cell given node by node; its operations are numbered afresh.

        A cell can be written in many orders, and a model would have to learn them all. Here the
        next operation is always the one whose latest input is the most recent.
        """
        if len(cell) > self.max_nodes:
            raise GraphError(
                f"{self.name}: expected at most {self.max_nodes} nodes, found {len(cell)}"
            )
        order = _depth_first(cell)
        place = {node: i for i, node in enumerate(order)}
        edges = tuple((place[u], place[v]) for v, node in enumerate(cell) for u in node.inputs)
        return Dag(tuple(NUMBERS[cell[node].kind] for node in order), edges, self)

    def cell(self, dag: Dag) -> tuple[CellNode, ...]:
        """Return the cell node by node."""
        pairs = zip(dag.node_types, dag.predecessors, strict=True)
        return tuple(CellNode(TYPES[kind], inputs) for kind, inputs in pairs)

    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw a cell of one to three states (see `ngae.spaces.recurrent_draw`)."""
        return self.from_cell(draw_cell(rng, self.max_nodes))

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make the language model of `dag`; its layers `cells` are the cell alone."""
        from ngae.networks.recurrent_network import RecurrentNetwork

        return RecurrentNetwork(self.cell(dag), self.network)

    def _network_source(self, dag: Dag) -> NetworkSource:
        from ngae.networks.source_recurrent import recurrent_source

        return recurrent_source(self.cell(dag), self.network)

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        from ngae.networks.recurrent_network import step_form

        return step_form(network)

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Compute trainable parameters and multiply-adds of one token, exactly.

        Returns:
            float64 (len(dags), 2): params, macs.
        """
        packed = Dags.of(dags, self)
        num = len(packed)
        graph = np.repeat(np.arange(num), np.diff(packed.edge_ptr))
        target = packed.node_type[packed.graph_ptr[graph] + packed.edge_dst]
        into_linear, of_x = target == LINEAR, packed.edge_src == 0
        nodes = np.repeat(np.arange(num), np.diff(packed.graph_ptr))

        def count(of: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.bincount(of, minlength=num).astype(np.int64)

        counts = CellCounts(
            linear=count(nodes[packed.node_type == LINEAR]),
            from_x=count(graph[into_linear & of_x]),
            from_others=count(graph[into_linear & ~of_x]),
            x_elsewhere=count(graph[~into_linear & of_x]).clip(max=1),
        )
        return recurrent_costs(counts, self.network).astype(np.float64)


def _depth_first(cell: Sequence[CellNode]) -> list[int]:
    """Order the operations: latest input as late as can be, then type, then inputs."""
    operations = {v for v, node in enumerate(cell) if node.kind in OPERATIONS}
    order = [v for v, node in enumerate(cell) if node.kind.startswith(("x", "h_prev"))]
    place = {node: i for i, node in enumerate(order)}
    while operations:
        ready = [v for v in operations if all(u in place for u in cell[v].inputs)]
        inputs = {v: sorted((place[u] for u in cell[v].inputs), reverse=True) for v in ready}
        node = min(
            ready, key=lambda v: ([-u for u in inputs[v][:1]], NUMBERS[cell[v].kind], inputs[v], v)
        )
        place[node] = len(order)
        order.append(node)
        operations.remove(node)
    return order + [v for v, node in enumerate(cell) if node.kind in OUTPUTS]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs; a key that stands twice is refused."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError(f"{shown(repeated([name for name, _ in pairs]))} twice")
    return made
