"""The weights of one gated-sum + GRU propagation; the arithmetic is `ngae.ops.dag_gru`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ngae.batch import GraphBatch
from ngae.ops import DagGruParameters, dag_gru


class Propagation(nn.Module):
    """Gated sum and GRU over a DAG: `h_v = GRU(type_v, sum over u -> v of gate(h_u) * map(h_u))`.

    Equation (2) and Remark 1 of the paper.

    Args:
        num_node_types: Number of node types.
        hidden_dim: Size of a node state.
        max_nodes: Most nodes of a graph; used with `vertex_index` alone.
        vertex_index: Give gate and map a term for the node's place in its graph.
        precision: Of the operands of products; see `ngae.ops.dag_gru`.
    """

    def __init__(
        self,
        num_node_types: int,
        hidden_dim: int,
        max_nodes: int,
        vertex_index: bool,
        precision: str = "float32",
    ) -> None:
        super().__init__()
        self.precision = precision
        self.gru = nn.GRUCell(num_node_types, hidden_dim)
        self.gate = nn.Linear(hidden_dim, hidden_dim)
        self.map = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.gate_index = self._index_table(max_nodes, hidden_dim) if vertex_index else None
        self.map_index = self._index_table(max_nodes, hidden_dim) if vertex_index else None

    @staticmethod
    def _index_table(max_nodes: int, hidden_dim: int) -> nn.Parameter:
        bound = hidden_dim**-0.5
        return nn.Parameter(torch.empty(max_nodes, hidden_dim).uniform_(-bound, bound))

    def weights(self) -> DagGruParameters:
        """Return the weights in the form that the op takes."""
        return DagGruParameters(
            w_ih=self.gru.weight_ih,
            b_ih=self.gru.bias_ih,
            w_hh=self.gru.weight_hh,
            b_hh=self.gru.bias_hh,
            w_gate=self.gate.weight,
            b_gate=self.gate.bias,
            w_map=self.map.weight,
            gate_index=self.gate_index,
            map_index=self.map_index,
        )

    def forward(self, batch: GraphBatch, initial: Tensor | None = None) -> Tensor:
        """Propagate along the edges of `batch`.

        Args:
            batch: The graphs.
            initial: (num_graphs, hidden_dim) added to the aggregate of each graph's root.

        Returns:
            Node states (num_nodes, hidden_dim).
        """
        return dag_gru(batch, self.weights(), initial, precision=self.precision)

    def type_states(self) -> Tensor:
        """Return the state of a node without predecessors: (num_node_types, hidden_dim)."""
        like = self.gru.bias_ih
        types = torch.eye(self.gru.input_size, dtype=like.dtype, device=like.device)
        states: Tensor = self.gru(types)
        return states
