"""`dag_gru`: gated sums and a GRU along the edges of many DAGs, level by level."""

from __future__ import annotations

from torch import Tensor

from ngae.batch import GraphBatch
from ngae.ops import reference
from ngae.ops.parameters import DagGruParameters, check_batch, check_dag_gru, check_tensor


def dag_gru(
    batch: GraphBatch, parameters: DagGruParameters, initial: Tensor | None = None
) -> Tensor:
    """Compute the state of every node from the states of the nodes that feed it.

        m(u) = sigmoid(w_gate h_u + b_gate + gate_index[node_index u])
               * (w_map h_u + map_index[node_index u])
        a_v  = sum over predecessors u of m(u), + initial[graph of v] where v is a root
        h_v  = GRUCell(onehot(node_type v), a_v)

    The aggregate takes the place of the GRU's hidden state, as in D-VAE (Zhang et al., 2019,
    equations 4 to 6). A predecessor that stands twice counts twice.

    Args:
        batch: The graphs.
        parameters: The weights, float32 or float64.
        initial: (num_graphs, hidden_dim), or None.

    Returns:
        h (num_nodes, hidden_dim), with gradients for all weights and `initial`.

    Raises:
        UsageError: A shape, dtype, device or node type that does not fit.
    """
    check_dag_gru("dag_gru", parameters)
    check_batch("dag_gru", batch, parameters)
    hidden = parameters.w_hh.shape[1]
    check_tensor("dag_gru", "initial", initial, (batch.num_graphs, hidden), parameters.w_hh)
    return reference.dag_gru(batch, parameters, initial)
