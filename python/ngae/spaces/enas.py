"""The ENAS macro space: a chain of layers, each with one of six operations and skip inputs.

Node 0 is the input, node k + 1 is layer k, the last node is the output. Layer k is always fed by
the node before it; flag j = 1 adds an edge from node j. Text form (that of D-VAE's tables):
`[[type], [type, flag0], [type, flag0, flag1], ...]`, a list for each layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, ParseError
from ngae.networks.macro import OPERATIONS, MacroConfig, macro_complexities
from ngae.rules import FORCED, FREE, DecodeRules
from ngae.spaces.base import SearchSpace
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT, check_types
from ngae.spaces.nested_lists import IntegerList, scan_integer_lists

if TYPE_CHECKING:
    import torch

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource


class EnasSpace(SearchSpace):
    """Macro architectures of `num_layers` layers (Pham et al. 2018, section 2.3).

    Args:
        num_layers: Most layers between input and output, at least 1.
        least_layers: Fewest layers; by default all architectures have `num_layers`.
        network: Width, image size and classes of the networks that `build` makes.
    """

    complexity_names = ("params", "macs")

    def __init__(
        self,
        num_layers: int = 6,
        network: MacroConfig | None = None,
        *,
        least_layers: int | None = None,
    ) -> None:
        least = num_layers if least_layers is None else least_layers
        if not 1 <= least <= num_layers:
            raise GraphError(
                f"EnasSpace: expected 1 <= fewest <= most layers, found {least} and {num_layers}"
            )
        self.num_layers = num_layers
        self.least_layers = least
        self.network = network or MacroConfig()
        self.name = f"enas{num_layers}" if least == num_layers else f"enas{least}-{num_layers}"
        self.max_nodes = num_layers + 2
        self.node_type_names = ("input", "output", *OPERATIONS)

    @cached_property
    def rules(self) -> DecodeRules:
        """Chain edges forced, skip edges free, output after the last layer."""
        nodes, types = self.max_nodes, self.num_node_types
        allowed = np.zeros((nodes, types), dtype=np.bool_)
        allowed[0, INPUT] = True
        allowed[1:-1, FIRST_OPERATION:] = True
        allowed[self.least_layers + 1 :, OUTPUT] = True
        edge_rule = np.triu(np.full((nodes, nodes), FREE, dtype=np.uint8), 1)
        edge_rule[np.arange(nodes - 1), np.arange(1, nodes)] = FORCED
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
        """Raise GraphError where node count, a type or a chain edge is wrong."""
        least, most = self.least_layers + 2, self.max_nodes
        if not least <= len(dag) <= most:
            wanted = f"{most}" if least == most else f"{least} to {most}"
            raise GraphError(f"{self.name}: expected {wanted} nodes, found {len(dag)}")
        last = len(dag) - 1
        check_types(self, dag)
        edges = set(dag.edges)
        for node in range(1, len(dag)):
            if (node - 1, node) not in edges:
                raise GraphError(
                    f"{self.name}: node {node}: expected an edge from node {node - 1}, found none"
                )
        if sum(v == last for _, v in dag.edges) != 1:
            raise GraphError(
                f"{self.name}: output: expected an edge from node {last - 1} alone, "
                f"found {dag.predecessors[last]}"
            )

    def from_layers(self, operations: Sequence[int], flags: Sequence[Sequence[int]]) -> Dag:
        """Make the Dag of operation numbers (0..5) and skip flags (k of them for layer k)."""
        edges = {(node, node + 1) for node in range(len(operations) + 1)}
        for layer, row in enumerate(flags):
            edges |= {(j, layer + 1) for j, flag in enumerate(row) if flag}
        types = (INPUT, *(int(o) + FIRST_OPERATION for o in operations), OUTPUT)
        return Dag(types, tuple(edges), self)

    def parse(self, text: str) -> Dag:
        """Read `[[type], [type, flag0], ...]`.

        Raises:
            ParseError: With the column, what was expected and what was found.
        """
        layers = scan_integer_lists(text)
        least, most = self.least_layers, self.num_layers
        if not least <= len(layers) <= most:
            wanted = f"{most}" if least == most else f"{least} to {most}"
            raise ParseError(f"{wanted} layers", f"{len(layers)}", len(text))
        for index, layer in enumerate(layers):
            self._check_layer(index, layer)
        return self.from_layers(
            [layer.values[0] for layer in layers], [layer.values[1:] for layer in layers]
        )

    def _check_layer(self, index: int, layer: IntegerList) -> None:
        if len(layer.values) != index + 1:
            raise ParseError(
                f"a type and {index} skip flags in layer {index}",
                f"{len(layer.values)} numbers",
                layer.column,
            )
        for position, (value, column) in enumerate(zip(layer.values, layer.columns, strict=True)):
            high = 1 if position else len(OPERATIONS) - 1
            if not 0 <= value <= high:
                what = "skip flag" if position else "type"
                raise ParseError(f"a {what} from 0 to {high}", str(value), column)

    def format(self, dag: Dag) -> str:
        """Write `[[type], [type, flag0], ...]`, flags of the chain edges as 0."""
        layers = []
        for layer in range(len(dag) - 2):
            fed = set(dag.predecessors[layer + 1])
            flags = [int(j in fed) for j in range(layer)]
            layers.append([dag.node_types[layer + 1] - FIRST_OPERATION, *flags])
        return str(layers)

    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw the number of layers, each operation and each skip flag uniformly."""
        layers = self.num_layers
        if self.least_layers < layers:
            layers = int(rng.integers(self.least_layers, layers + 1))
        operations = rng.integers(len(OPERATIONS), size=layers)
        flags = [rng.integers(2, size=layer) for layer in range(layers)]
        return self.from_layers(operations.tolist(), [row.tolist() for row in flags])

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make the macro network of `dag` (see `ngae.networks.macro`)."""
        from ngae.networks.macro import MacroNetwork

        return MacroNetwork(*self.layers(dag), self.network)

    def _network_source(self, dag: Dag) -> NetworkSource:
        from ngae.networks.source_macro import macro_source

        return macro_source(*self.layers(dag), self.network)

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        from ngae.networks.onnx_form import image_form

        size = self.network.image_size
        return image_form(network, self.network.image_channels, size, size)

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Compute trainable parameters and multiply-adds of one image, exactly.

        Returns:
            float64 (len(dags), 2): params, macs.
        """
        packed = Dags.of(dags)
        base = macro_complexities(np.zeros((1, 0), dtype=np.int64), self.network)
        operations = np.arange(len(OPERATIONS))[:, None]
        costs = np.zeros((self.num_node_types, 2), dtype=np.int64)
        costs[FIRST_OPERATION:] = macro_complexities(operations, self.network) - base
        if not len(packed):
            return np.zeros((0, 2))
        sums = np.add.reduceat(costs[packed.node_type], packed.graph_ptr[:-1])
        return (base + sums).astype(np.float64)

    def layers(self, dag: Dag) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """Return the operations of the layers and, for each layer, the nodes that feed it."""
        operations = tuple(t - FIRST_OPERATION for t in dag.node_types[1:-1])
        return operations, dag.predecessors[1:-1]
