"""`DagNetwork`: any modules, joined by the edges of a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

Combine = Callable[[Sequence[Tensor]], Tensor]


def add(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of `inputs`, at least one, all of one shape."""
    total = inputs[0]
    for value in inputs[1:]:
        total = total + value
    return total


class DagNetwork(nn.Module):
    """Modules at the nodes of a graph.

    h_0 = stem(x); h_v = nodes_v(combine(h_u for u that feed v)); output = head(h_last).

    Args:
        nodes: A module for each node after the first; the last one's output is the graph's.
        predecessors: For each of them the nodes that feed it, at least one; 0 is the stem.
        stem: Before the graph.
        head: After it.
        combine: Joins the inputs of a node; their sum by default.
    """

    def __init__(
        self,
        nodes: Sequence[nn.Module],
        predecessors: Sequence[Sequence[int]],
        stem: nn.Module,
        head: nn.Module,
        combine: Combine = add,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.nodes = nn.ModuleList(nodes)
        self.head = head
        self.predecessors = tuple(tuple(feeding) for feeding in predecessors)
        self.combine = combine

    def forward(self, x: Tensor) -> Tensor:
        """Run stem, nodes and head on x, of whatever shape they take."""
        values: list[Tensor] = [self.stem(x)]
        for module, feeding in zip(self.nodes, self.predecessors, strict=True):
            values.append(module(self.combine([values[u] for u in feeding])))
        output: Tensor = self.head(values[-1])
        return output
