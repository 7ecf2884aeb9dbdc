"""What a search space is: one object with everything that depends on the space.

Nothing outside `ngae.spaces` asks which space it has.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, UsageError
from ngae.files import without_folder
from ngae.rules import DecodeRules

if TYPE_CHECKING:
    import torch

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource


class SearchSpace(ABC):
    """A set of architectures: node types, limits, validity, text form, networks.

    Attributes:
        name: Short name, the one in the registry.
        node_type_names: A label for each node type.
        max_nodes: Most nodes of a graph, start and end included.
        complexity_names: Names of the complexities that `complexity` computes exactly.
        network: Sizes of the networks that `build` makes, a frozen dataclass; None where they have
            none, or there are no networks.
        arch_columns: Columns that hold an architecture in published tables of the space, one
            choice after the other; the cells of several columns are joined by ";" for `parse`.
        identity_types: Labels of node types that give what they are given, such as a skip.
        zero_types: Labels of node types that give zeros whatever they are given.
    """

    name: str
    node_type_names: tuple[str, ...]
    max_nodes: int
    complexity_names: tuple[str, ...] = ()
    arch_columns: tuple[tuple[str, ...], ...] = ()
    network: Any = None
    identity_types: tuple[str, ...] = ()
    zero_types: tuple[str, ...] = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Let another process load a space of a user's file from there: it is no known module."""
        if ".py:" not in self.name:
            return super().__reduce_ex__(protocol)
        from ngae.spaces.loading import space_of_module

        return space_of_module, (self.name,), self.__dict__

    @property
    def identity(self) -> str:
        """What decides the networks of an architecture, in one line."""
        return f"{without_folder(self.name)}, {self.network}"

    @property
    def num_node_types(self) -> int:
        """Number of node types, start and end included."""
        return len(self.node_type_names)

    @property
    @abstractmethod
    def rules(self) -> DecodeRules:
        """The validity masks for the decoder."""

    @abstractmethod
    def check(self, dag: Dag) -> None:
        """Raise GraphError, naming the place, where `dag` is not in the space."""

    @abstractmethod
    def parse(self, text: str) -> Dag:
        """Read one architecture in the space's text form.

        Raises:
            ParseError: With the column, what was expected and what was found.
        """

    def parse_value(self, value: dict[str, Any]) -> Dag:
        """Read one architecture that a table holds as a JSON object.

        Raises:
            GraphError: It is no architecture of the space.
        """
        return Dag.from_json(value, self)

    def parse_many(self, texts: Sequence[str]) -> Dags:
        """Read many architectures; spaces of large tables read them all at once.

        Raises:
            ParseError: As `parse`, for any of the texts.
            GraphError: A text that names no architecture of the space.
        """
        return Dags.of((self.parse(text) for text in texts), self)

    @abstractmethod
    def format(self, dag: Dag) -> str:
        """Write `dag` in the space's text form, so that `parse` gives it back.

        The numbers of the nodes may change, the canonical hash does not.
        """

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw one architecture at random."""

    def canonical(self, dag: Dag) -> Dag:
        """Return the member of the space that stands for all that compute what `dag` computes.

        Spaces with operations that do nothing override it; here each Dag stands for itself.
        """
        return dag

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make the network that `dag` describes.

        Raises:
            NotImplementedError: The space has no networks.
        """
        raise NotImplementedError(f"the space {self.name} builds no networks")

    def source(self, dag: Dag) -> str:
        """Write the network of `dag` as a Python module that needs torch alone.

        Returns:
            The module's text; its `network()` makes what `build` makes, weights of equal names.

        Raises:
            NotImplementedError: The space has no networks.
            UsageError: The networks are made of what cannot be written.
        """
        from ngae.networks.source import module_of

        parts = self._network_source(dag)
        return module_of(self.name, self.format(dag), self.network, parts)

    def onnx(self, dag: Dag, network: torch.nn.Module | None = None) -> bytes:
        """Write the network of `dag` in ONNX, in eval mode.

        Args:
            dag: An architecture of the space.
            network: What `build` made of it; by default a new one, untrained.

        Returns:
            The content of a .onnx file.

        Raises:
            NotImplementedError: The space has no networks.
            UsageError: What the networks take is not told, or torch cannot write them.
            MissingExtraError: onnx or onnxscript is not installed.
        """
        from ngae.networks.onnx_form import onnx_bytes

        return onnx_bytes(self._onnx_form(self.build(dag) if network is None else network))

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        """Tell how a network is called; spaces that build networks override it."""
        raise UsageError(
            f"onnx: expected a space that tells what its networks take, found {self.name}",
            remedy="call torch.onnx.export with Dag.to_torch() and inputs of your own",
        )

    def _network_source(self, dag: Dag) -> NetworkSource:
        """Write the definitions of the network; spaces override it for the sake of reading."""
        from torch import device

        from ngae.networks.source_modules import modules_source

        with device("meta"):  # the weights do not matter
            network = self.build(dag)
        return modules_source(network, dag.node_labels, ())

    def resized(self, **sizes: Any) -> Self:
        """Return the same space with other sizes of its networks, and so other complexities.

        Args:
            sizes: Fields of `network` by name, such as `num_classes=100`.

        Raises:
            UsageError: A size that these networks do not have, or a value that they refuse.
        """
        known = [] if self.network is None else [f.name for f in dataclasses.fields(self.network)]
        for name in sizes:
            if name not in known:
                raise UsageError(
                    f"{self.name}: expected one of the sizes {', '.join(known) or '(none)'}, "
                    f"found {name!r}"
                )
        if not sizes:
            return self
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        for kind in type(self).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, cached_property):
                    other.__dict__.pop(name, None)
        other.network = dataclasses.replace(self.network, **sizes)
        return other

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Compute the exact complexities without building the networks.

        Returns:
            float64 (len(dags), len(complexity_names)).
        """
        return np.zeros((len(dags), 0))

    def is_valid(self, dag: Dag) -> bool:
        """Tell whether `dag` is in the space."""
        try:
            self.check(dag)
        except GraphError:
            return False
        return True
