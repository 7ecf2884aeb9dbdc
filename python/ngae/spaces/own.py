"""What `Chain` and `Cell` share: search spaces of one's own, described by a few class attributes.

A subclass names operations and limits; everything else (masks, text form, drawing at random,
networks, costs) follows from them and may be overridden.
"""

from __future__ import annotations

import hashlib
import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, UsageError
from ngae.files import without_folder
from ngae.spaces.base import SearchSpace
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT, check_types
from ngae.spaces.named_nodes import check_names, read_nodes, write_nodes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource

_DRAWS, _DRAWS_OF_A_SIZE = 10_000, 100


class OwnSpace(SearchSpace):
    """What `Chain` and `Cell` share: operations by name, text form, networks, costs.

    Attributes:
        operations: For each operation what makes its module, or names alone where no networks are
            to be built. A module takes the sum of its inputs and keeps their shape.
        input_shape: Shape of one input without its batch, such as (3, 32, 32); with it
            multiply-adds are counted, too.
    """

    operations: ClassVar[Mapping[str, Callable[[], torch.nn.Module]] | Sequence[str]] = ()
    input_shape: ClassVar[tuple[int, ...]] = ()

    def __init__(self) -> None:
        kind = type(self)
        self.name = f"{kind.__module__}:{kind.__qualname__}"
        self.node_type_names = ("input", "output", *self.operations)
        self._check_description()
        self.max_nodes = self.most_operations + 2
        if self.builds:
            self.complexity_names = ("params", "macs") if self.input_shape else ("params",)
        _ = self.rules  # a description that cannot be kept is refused here

    def _check_description(self) -> None:
        """Raise GraphError, naming class and attribute, where the attributes make no space."""
        kind = type(self).__name__
        if isinstance(self.operations, str) or len(self.operations) == 0:
            raise GraphError(
                f"{kind}: operations: expected at least one name, found {self.operations!r}"
            )
        check_names(kind, self.node_type_names)
        for place in ("identity_types", "zero_types"):
            names = getattr(self, place)
            if isinstance(names, str) or not set(names) <= set(self.operations):
                raise GraphError(
                    f"{kind}: {place}: expected some of {', '.join(self.operations)} in a tuple, "
                    f"found {names!r}"
                )
        makers = self.operations.values() if isinstance(self.operations, Mapping) else ()
        for name, make in zip(self.operations, makers, strict=False):
            if not isinstance(make, type) and (not callable(make) or hasattr(make, "state_dict")):
                raise GraphError(
                    f"{kind}: operations: {name}: expected a function that makes a module, such "
                    f"as `lambda: nn.ReLU()`, found {type(make).__name__}"
                )
        least, most = self.fewest_operations, self.most_operations
        if not 0 <= least <= most or most < 1:
            raise GraphError(
                f"{kind}: expected 0 <= fewest <= most operations, found {least} and {most}"
            )

    @property
    @abstractmethod
    def most_operations(self) -> int:
        """Most operations of an architecture."""

    @property
    @abstractmethod
    def fewest_operations(self) -> int:
        """Fewest operations of an architecture."""

    @property
    def builds(self) -> bool:
        """Whether there are networks: operations with modules, or a `build` of one's own."""
        return isinstance(self.operations, Mapping) or type(self).build is not OwnSpace.build

    def accepts(self, dag: Dag) -> bool:
        """Tell whether `dag`, which keeps the limits, is in the space; meant to be overridden.

        Decoded architectures that it refuses count as invalid.
        """
        return True

    def stem(self) -> torch.nn.Module:
        """Make what comes before the graph; meant to be overridden."""
        from torch import nn

        return nn.Identity()

    @property
    def identity(self) -> str:
        """The name, and what the text of the class comes to."""
        try:
            source = inspect.getsource(type(self))
        except (OSError, TypeError):  # typed into an interpreter
            return without_folder(self.name)
        return f"{without_folder(self.name)}, {hashlib.sha256(source.encode()).hexdigest()[:16]}"

    def head(self) -> torch.nn.Module:
        """Make what comes after the graph; meant to be overridden."""
        from torch import nn

        return nn.Identity()

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Join the inputs of a node, their sum; meant to be overridden."""
        from ngae.networks.dag_network import add

        return add(inputs)

    def parse(self, text: str) -> Dag:
        """Read `conv(0) pool(0,1) output(1,2)`: each node after the input, and what feeds it."""
        types, edges = read_nodes(text, self.node_type_names, INPUT)
        return Dag(types, edges, self)

    def format(self, dag: Dag) -> str:
        """Write `conv(0) pool(0,1) output(1,2)`."""
        return write_nodes(dag.node_types, dag.predecessors, self.node_type_names)

    def check(self, dag: Dag) -> None:
        """Raise GraphError where the limits are not kept or `accepts` refuses."""
        if dag.space is not self:
            Dag(dag.node_types, dag.edges, self)  # comes back with labels, which `accepts` may read
            return
        least, most = self.fewest_operations + 2, self.max_nodes
        if not least <= len(dag) <= most:
            raise GraphError(f"{self.name}: expected {least} to {most} nodes, found {len(dag)}")
        check_types(self, dag)
        self._check_edges(dag)
        if not self.accepts(dag):
            raise GraphError(f"{self.name}: expected what `accepts` accepts, found another one")

    @abstractmethod
    def _check_edges(self, dag: Dag) -> None:
        """Raise GraphError where the edges do not keep the limits."""

    @abstractmethod
    def _draw(self, rng: np.random.Generator, count: int) -> Dag | None:
        """Draw a graph of `count` operations, without `space`; None where there is none."""

    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw the number of operations uniformly, then their types and the edges.

        What the space does not accept is drawn again; after 100 times with another number.

        Raises:
            GraphError: Nothing was found in 10,000 draws.
        """
        for _ in range(_DRAWS // _DRAWS_OF_A_SIZE):
            count = int(rng.integers(self.fewest_operations, self.most_operations + 1))
            for _ in range(_DRAWS_OF_A_SIZE):
                dag = self._draw(rng, count)
                if dag is not None and self.is_valid(dag):
                    return Dag(dag.node_types, dag.edges, self)
        raise GraphError(f"{self.name}: expected an architecture in {_DRAWS} draws, found none")

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make stem, a module for each node, and head; see `ngae.networks.dag_network`.

        Raises:
            GraphError: The operations are names alone.
        """
        from torch import nn

        from ngae.networks.dag_network import DagNetwork, add

        if not isinstance(self.operations, Mapping):
            raise GraphError(f"{self.name}: expected operations with modules, found names alone")
        makers = tuple(self.operations.values())
        nodes = [makers[t - FIRST_OPERATION]() for t in dag.node_types[1:-1]]
        feeding = dag.predecessors[1:]
        adds = type(self).combine is OwnSpace.combine
        combine = add if adds else self.combine
        return DagNetwork([*nodes, nn.Identity()], feeding, self.stem(), self.head(), combine)

    def _network_source(self, dag: Dag) -> NetworkSource:
        from torch import device

        from ngae.networks.source_modules import modules_source

        with device("meta"):  # the weights do not matter
            network = self.build(dag)
        shape = f"torch.zeros({', '.join(map(str, (2, *self.input_shape)))})"
        return modules_source(network, dag.node_labels, (shape,) * bool(self.input_shape))

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        import torch

        from ngae.networks.onnx_form import OnnxForm

        if not self.input_shape:
            raise UsageError(
                f"onnx: expected a space with input_shape, found none in {self.name}",
                remedy="give the class the shape of one input, such as input_shape = (3, 32, 32)",
            )
        inputs = {"x": torch.zeros(2, *self.input_shape)}
        return OnnxForm(network, inputs, ("output",), {"x": {0: "batch"}})

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Count parameters and, with `input_shape`, multiply-adds, on the meta device.

        Returns:
            float64 (len(dags), len(complexity_names)).
        """
        packed = Dags.of(dags)
        if not self.builds or not len(packed):
            return np.zeros((len(packed), len(self.complexity_names)))
        if type(self).build is OwnSpace.build and type(self).combine is OwnSpace.combine:
            base, costs = self._costs
            return base + np.add.reduceat(costs[packed.node_type], packed.graph_ptr[:-1])
        return np.array([self._count(partial(self.build, dag)) for dag in packed])

    @cached_property
    def _costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Costs of stem and head together, and of a node by its type."""
        from ngae.networks.dag_network import DagNetwork

        def around(*makers: Callable[[], torch.nn.Module]) -> torch.nn.Module:
            feeding = [[node] for node in range(len(makers))]
            return DagNetwork([make() for make in makers], feeding, self.stem(), self.head())

        base = self._count(around)
        costs = np.zeros((self.num_node_types, len(base)))
        assert isinstance(self.operations, Mapping)
        for node_type, make in enumerate(self.operations.values(), FIRST_OPERATION):
            costs[node_type] = self._count(partial(around, make)) - base
        return base, costs

    def _count(self, make: Callable[[], torch.nn.Module]) -> NDArray[np.float64]:
        from ngae.networks.counts import count, count_parameters

        if not self.input_shape:
            return np.array([count_parameters(make)], dtype=np.float64)
        return np.array(count(make, (1, *self.input_shape)), dtype=np.float64)


def allowed_types(space: OwnSpace) -> NDArray[np.bool_]:
    """Types by place: input first, operations between, output where there are enough of them."""
    allowed = np.zeros((space.max_nodes, space.num_node_types), dtype=np.bool_)
    allowed[0, INPUT] = True
    allowed[1:-1, FIRST_OPERATION:] = True
    allowed[space.fewest_operations + 1 :, OUTPUT] = True
    return allowed
