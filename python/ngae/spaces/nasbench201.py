"""NAS-Bench-201: cells of four nodes with one of five operations on each of six edges.

A Dag has a node for each edge of the cell, in the order of the text form
`|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2, between input and
output; the node of a->b feeds the node of b->c. Nothing is lost, and only node types are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags, narrow, pointers
from ngae.errors import GraphError, ParseError, shown
from ngae.networks.nasbench201 import (
    CELL_EDGES,
    OPERATIONS,
    NasBench201Config,
    cell_complexities,
)
from ngae.rules import FORBIDDEN, FORCED, DecodeRules
from ngae.spaces.base import SearchSpace
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT, check_types
from ngae.spaces.nasbench201_classes import representatives

if TYPE_CHECKING:
    import torch

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource

_NUM_EDGES = len(CELL_EDGES)
_PLACE_VALUES = len(OPERATIONS) ** np.arange(_NUM_EDGES)[::-1]


def _edges() -> tuple[tuple[int, int], ...]:
    """Edges of every Dag of the space: the line graph of the cell."""
    found = []
    for u, (source, target) in enumerate(CELL_EDGES, 1):
        if source == 0:
            found.append((0, u))
        if target == CELL_EDGES[-1][1]:
            found.append((u, _NUM_EDGES + 1))
        found += [(u, v) for v, (start, _) in enumerate(CELL_EDGES, 1) if start == target]
    return tuple(sorted(found))


DAG_EDGES = _edges()


class NasBench201Space(SearchSpace):
    """The 15,625 cells of NAS-Bench-201 (Dong and Yang 2020, section 2.1).

    Args:
        network: Width, cells, image size and classes of the networks that `build` makes.
    """

    name = "nas-bench-201"
    node_type_names = ("input", "output", *OPERATIONS)
    max_nodes = _NUM_EDGES + 2
    complexity_names = ("params", "macs")
    arch_columns = (("arch_str",),)
    identity_types = ("skip_connect",)
    zero_types = ("none",)

    def __init__(self, network: NasBench201Config | None = None) -> None:
        self.network = network or NasBench201Config()

    @cached_property
    def rules(self) -> DecodeRules:
        """All edges forced; an operation at each inner node, the output after the last."""
        nodes, types = self.max_nodes, self.num_node_types
        allowed = np.zeros((nodes, types), dtype=np.bool_)
        allowed[0, INPUT] = True
        allowed[1:-1, FIRST_OPERATION:] = True
        allowed[-1, OUTPUT] = True
        edge_rule = np.full((nodes, nodes), FORBIDDEN, dtype=np.uint8)
        edge_rule[tuple(np.array(DAG_EDGES).T)] = FORCED
        return DecodeRules(
            start_type=INPUT,
            end_type=OUTPUT,
            type_allowed=allowed,
            edge_rule=edge_rule,
            min_in_degree=np.zeros(types, dtype=np.int32),
            max_in_degree=np.full(types, nodes, dtype=np.int32),
            loose_ends="only",
        )

    def check(self, dag: Dag) -> None:
        """Raise GraphError where node count, a type or an edge is wrong."""
        if len(dag) != self.max_nodes:
            raise GraphError(f"{self.name}: expected {self.max_nodes} nodes, found {len(dag)}")
        check_types(self, dag)
        if dag.edges != DAG_EDGES:
            u, v = min(set(dag.edges) ^ set(DAG_EDGES))
            expected, found = ("none", "one") if (u, v) in dag.edges else ("one", "none")
            raise GraphError(f"{self.name}: edge ({u}, {v}): expected {expected}, found {found}")

    def of(self, operations: Sequence[int]) -> Dag:
        """Make the Dag of six operation numbers (0..4), in the order of the text form."""
        types = (int(operation) + FIRST_OPERATION for operation in operations)
        return Dag((INPUT, *types, OUTPUT), DAG_EDGES, self)

    def all(self) -> Dags:
        """Return every cell, in the order in which the last operation changes fastest."""
        return self._pack(np.arange(len(OPERATIONS) ** _NUM_EDGES))

    def number(self, dag: Dag) -> int:
        """Return the place of `dag` in `all()`."""
        return int((np.array(dag.node_types[1:-1]) - FIRST_OPERATION) @ _PLACE_VALUES)

    def parse(self, text: str) -> Dag:
        """Read `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`.

        Raises:
            ParseError: With the column, what was expected and what was found.
        """
        place, operations = 0, []
        for edge, (source, _) in enumerate(CELL_EDGES):
            opening = "|" if source else "+|" if edge else "|"
            place = _expect(text, place, opening)
            end = text.find("~", place)
            name = text[place : end if end >= 0 else len(text)]
            if name not in OPERATIONS:
                found = shown(name.split("|")[0]) if place < len(text) else "the end"
                raise ParseError("one of " + ", ".join(OPERATIONS), found, place + 1)
            operations.append(OPERATIONS.index(name))
            place = _expect(text, place + len(name), f"~{source}")
            if edge + 1 == _NUM_EDGES or CELL_EDGES[edge + 1][0] == 0:
                place = _expect(text, place, "|")
        if place < len(text):
            raise ParseError("nothing after the cell", shown(text[place:]), place + 1)
        return self.of(operations)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The place of each cell in `all()` by its text."""
        choices = product(OPERATIONS, repeat=_NUM_EDGES)
        return {_text(names): number for number, names in enumerate(choices)}

    def parse_many(self, texts: Sequence[str]) -> Dags:
        """Read many architectures, each by one look into the list of all.

        Raises:
            ParseError: As `parse`, for the first text that is none.
        """
        numbers = list(map(self._numbers.get, texts))
        if None in numbers:
            self.parse(texts[numbers.index(None)])
        return self._pack(np.array(numbers, dtype=np.int64))

    def _pack(self, numbers: NDArray[np.int64]) -> Dags:
        """Make the Dags at `numbers` (n,) of `all()`."""
        count = len(numbers)
        types = np.empty((count, self.max_nodes), dtype=np.int64)
        types[:, 0], types[:, -1] = INPUT, OUTPUT
        types[:, 1:-1] = numbers[:, None] // _PLACE_VALUES % len(OPERATIONS) + FIRST_OPERATION
        source, target = np.tile(np.array(DAG_EDGES).T, count)
        return Dags(
            narrow(types.reshape(-1)),
            pointers(np.full(count, self.max_nodes)),
            narrow(source),
            narrow(target),
            pointers(np.full(count, len(DAG_EDGES))),
            self,
        )

    def format(self, dag: Dag) -> str:
        """Write `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        return _text([OPERATIONS[t - FIRST_OPERATION] for t in dag.node_types[1:-1]])

    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw each operation uniformly: every cell is equally frequent."""
        return self.of(rng.integers(len(OPERATIONS), size=_NUM_EDGES).tolist())

    def canonical(self, dag: Dag) -> Dag:
        """Return the first cell, in the order of `all()`, that computes what `dag` computes.

        `skip_connect` is the identity, `none` is zero, an operation on zero gives zero, what does
        not reach the output does not matter, and a sum has no order. Two convolutions on the
        same input are two, one that is used twice is one. The first cell has the least
        complexity of its kind: it has nothing that does not matter.
        """
        number = int(representatives()[self.number(dag)])
        return self.of((number // _PLACE_VALUES % len(OPERATIONS)).tolist())

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make the network of `dag` (see `ngae.networks.cell_nasbench201`)."""
        from ngae.networks.cell_nasbench201 import CellNetwork201

        return CellNetwork201([t - FIRST_OPERATION for t in dag.node_types[1:-1]], self.network)

    def _network_source(self, dag: Dag) -> NetworkSource:
        from ngae.networks.source_nasbench201 import cell201_source

        return cell201_source([t - FIRST_OPERATION for t in dag.node_types[1:-1]], self.network)

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        from ngae.networks.onnx_form import image_form

        size = self.network.image_size
        return image_form(network, self.network.image_channels, size, size)

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Compute trainable parameters and multiply-adds of one image, exactly.

        Returns:
            float64 (len(dags), 2): params, macs (with the linear layer's bias, as published).
        """
        types: NDArray[Any] = Dags.of(dags, self).node_type.reshape(-1, self.max_nodes)
        operations = types[:, 1:-1].astype(np.int64) - FIRST_OPERATION
        return cell_complexities(operations, self.network).astype(np.float64)


def _text(names: Sequence[str]) -> str:
    a, b, c, d, e, f = names
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def _expect(text: str, place: int, wanted: str) -> int:
    """Return the place after `wanted`, which must stand at `place`."""
    for offset, character in enumerate(wanted):
        found = text[place + offset : place + offset + 1]
        if found != character:
            raise ParseError(
                f"'{character}'", shown(found) if found else "the end", place + offset + 1
            )
    return place + len(wanted)
