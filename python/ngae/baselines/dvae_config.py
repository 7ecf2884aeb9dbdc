"""Sizes and constants of the published D-VAE/NGAE model; no torch in it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ngae.errors import UsageError


@dataclass(frozen=True)
class DVAEConfig:
    """Sizes and constants; the defaults are the published ones for ENAS graphs.

    Attributes:
        hidden_dim: Size of a node state. 501 is what the published scripts use.
        latent_dim: Size of z.
        num_node_types: Node types, start and end included.
        max_nodes: Most nodes of a graph, start and end included.
        performance_head: Whether there is a `predictor`.
        complexity_head: Whether there is a `predictor_complexity`.
        start_type: Type of node 0; also the target type past the end of a shorter graph.
        end_type: Type that ends a graph.
        beta: Weight of the KL term. The paper's objective has 1, the published code 0.005.
        noise_scale: Factor of the posterior's standard deviation in training. The paper has none
            (1), the published code 0.01.

    Raises:
        UsageError: A size below its least value.
    """

    hidden_dim: int = 501
    latent_dim: int = 56
    num_node_types: int = 8
    max_nodes: int = 8
    performance_head: bool = True
    complexity_head: bool = True
    start_type: int = 0
    end_type: int = 1
    beta: float = 0.005
    noise_scale: float = 0.01

    def __post_init__(self) -> None:
        least = {"hidden_dim": 1, "latent_dim": 1, "num_node_types": 2, "max_nodes": 2}
        for name, low in {**least, "start_type": 0, "end_type": 0, "beta": 0}.items():
            if not getattr(self, name) >= low:
                raise UsageError(
                    f"DVAEConfig: {name}: expected at least {low}, found {getattr(self, name)}"
                )
        for name in ("start_type", "end_type"):
            if getattr(self, name) >= self.num_node_types:
                raise UsageError(
                    f"DVAEConfig: {name}: expected less than num_node_types "
                    f"({self.num_node_types}), found {getattr(self, name)}"
                )

    def as_dict(self) -> dict[str, int | float | bool]:
        """Return the fields as plain values, for JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
