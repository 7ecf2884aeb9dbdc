"""`SpaceLike`: the few methods by which a `Dag` knows its search space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class SpaceLike(Protocol):
    """What a `Dag` needs of its search space."""

    @property
    def name(self) -> str:
        """Short name of the space, as in the registry."""

    @property
    def node_type_names(self) -> tuple[str, ...]:
        """A label for each node type."""

    @property
    def network(self) -> Any:
        """Sizes of its networks, a frozen dataclass, or None."""

    def check(self, dag: Any) -> None:
        """Raise GraphError where `dag` is not in the space."""

    def format(self, dag: Any) -> str:
        """Write `dag` in the space's text form."""
        ...

    def build(self, dag: Any) -> torch.nn.Module:
        """Make the network that `dag` describes."""

    def source(self, dag: Any) -> str:
        """Write the network of `dag` as a Python module that needs torch alone."""
        ...

    def onnx(self, dag: Any, network: torch.nn.Module | None = None) -> bytes:
        """Write the network of `dag` in ONNX."""
        ...

    def resized(self, **sizes: Any) -> SpaceLike:
        """Return the space with other sizes of its networks."""
        ...
