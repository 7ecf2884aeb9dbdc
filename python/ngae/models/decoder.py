"""The decoder: the likelihood of given graphs, and new graphs from latent points.

Node by node: the type from the newest node's state, then all incoming edges at once from the
states of source and target, then one update of the target's state (section 3.3 of the paper).
Given the graph, that is one propagation and a few products over all nodes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.batch import GraphBatch
from ngae.models.config import ModelConfig
from ngae.models.decisions import Decisions
from ngae.models.dense import dense
from ngae.models.propagation import Propagation
from ngae.ops import Decoded, DecoderParameters, decode, gather_rows, pair_scores, sum_by_index
from ngae.rules import DecodeRules


class Decoder(nn.Module):
    """Latent points to graphs.

    z enters as the first node's aggregate, `h_0 = GRU(start, tanh(W z + b))`, and, with
    `latent_in_heads`, also the first layer of both heads. What it gives there, and a term beside
    it, has weights for each place in a graph: of the node that is decided, and of the source of an
    edge. Before its edges are decided a node's state depends on its type alone, and two nodes of
    one type that are fed alike have one state, so that without places both would have to get the
    same edges, feed the same nodes, and be followed by the same type.
    """

    def __init__(self, rules: DecodeRules, config: ModelConfig) -> None:
        super().__init__()
        self.rules = rules
        hidden, head, types = config.hidden_dim, config.head_dim, rules.num_node_types
        self.initial = nn.Linear(config.latent_dim, hidden)
        self.precision = config.precision
        self.propagation = Propagation(
            types, hidden, rules.max_nodes, config.vertex_index, config.precision
        )
        self.type_hidden = nn.Linear(hidden, head, bias=False)
        self.type_out = nn.Linear(head, types)
        self.edge_source = nn.Linear(hidden, head, bias=False)
        self.edge_target = nn.Linear(hidden, head, bias=False)
        self.edge_out = nn.Linear(head, 1)
        self.type_place = ByPlace(rules.max_nodes, config)
        self.edge_place = ByPlace(rules.max_nodes, config)
        self.source_place = ByPlace(rules.max_nodes, config)

    def forward(self, batch: GraphBatch, decisions: Decisions, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the negative log-likelihood of graphs given z, in nats.

        Args:
            batch: The graphs.
            decisions: `Decisions.of(batch, rules)`.
            z: (num_graphs, latent_dim).

        Returns:
            Of the node types and of the edges (L_n and L_e of equation 5), each (num_graphs,).
        """
        h = self.propagation(decisions.states, self._initial(z))
        return self._type_loss(batch, decisions, h, z), self._edge_loss(batch, decisions, h, z)

    def sample(
        self,
        z: Tensor,
        *,
        seed: int,
        sample_ids: Tensor | None = None,
        stochastic: bool = True,
        rules: DecodeRules | None = None,
    ) -> Decoded:
        """Decode one graph for each row of z (num_graphs, latent_dim); see `ngae.ops.decode`."""
        rules = rules or self.rules
        with torch.no_grad():
            return decode(
                z,
                self._initial(z),
                self._weights(),
                rules,
                seed=seed,
                sample_ids=sample_ids,
                stochastic=stochastic,
                precision=self.precision,
            )

    def _initial(self, z: Tensor) -> Tensor:
        return torch.tanh(dense(self.initial, z, self.precision))

    def _type_loss(self, batch: GraphBatch, decisions: Decisions, h: Tensor, z: Tensor) -> Tensor:
        hidden = gather_rows(dense(self.type_hidden, h, self.precision), decisions.type_state)
        hidden = hidden + self.type_place(z, decisions.type_graph, decisions.type_place)
        logits = dense(self.type_out, torch.relu(hidden), "float32")
        logits = logits.masked_fill(decisions.type_forbidden, -torch.inf)
        loss = functional.cross_entropy(logits, decisions.type_target, reduction="none")
        return _sum_by_graph(loss, decisions.type_graph, batch.num_graphs)

    def _edge_loss(self, batch: GraphBatch, decisions: Decisions, h: Tensor, z: Tensor) -> Tensor:
        states = decisions.states
        source = dense(self.edge_source, h, self.precision)  # (num_states, head_dim)
        source = source + self.source_place(z, states.node_graph.long(), states.node_index.long())
        by_type = dense(self.edge_target, self.propagation.type_states(), self.precision)
        target = gather_rows(by_type, batch.node_type.long())
        target = target + self.edge_place(z, batch.node_graph.long(), batch.node_index.long())
        weight = self.edge_out.weight.squeeze(0)
        pairs = (decisions.pair_source, decisions.pair_target)
        logits = pair_scores(source, target, weight, *pairs) + self.edge_out.bias
        edge = decisions.pair_edge.to(logits.dtype)
        loss = functional.binary_cross_entropy_with_logits(logits, edge, reduction="none")
        return _sum_by_graph(loss, decisions.pair_graph, batch.num_graphs)

    def _weights(self) -> DecoderParameters:
        return DecoderParameters(
            gru=self.propagation.weights(),
            type_h=self.type_hidden.weight,
            type_z=self.type_place.weights(),
            type_term=self.type_place.term,
            type_out=self.type_out.weight,
            type_out_bias=self.type_out.bias,
            edge_u=self.edge_source.weight,
            edge_v=self.edge_target.weight,
            edge_z=self.edge_place.weights(),
            edge_term=self.edge_place.term,
            source_z=self.source_place.weights(),
            source_term=self.source_place.term,
            edge_out=self.edge_out.weight.squeeze(0),
            edge_out_bias=self.edge_out.bias,
        )


class ByPlace(nn.Module):
    """What z and a term give to a head's first layer, with weights for each place in a graph.

    Args:
        max_nodes: Places.
        config: Sizes; without `latent_in_heads` there is the term alone.
    """

    def __init__(self, max_nodes: int, config: ModelConfig) -> None:
        super().__init__()
        self.max_nodes = max_nodes
        self.precision = config.precision
        self.term = nn.Parameter(torch.empty(max_nodes, config.head_dim).uniform_(-0.1, 0.1))
        self.latent = (
            nn.Linear(config.latent_dim, max_nodes * config.head_dim, bias=False)
            if config.latent_in_heads
            else None
        )

    def forward(self, z: Tensor, graph: Tensor, place: Tensor) -> Tensor:
        """Return the parts (n, head_dim) of nodes.

        Args:
            z: (num_graphs, latent_dim).
            graph: int64 (n,) graph of each node.
            place: int64 (n,) its place in that graph.
        """
        term = gather_rows(self.term, place)
        if self.latent is None:
            return term
        # (num_graphs, max_nodes * head_dim) -> (num_graphs * max_nodes, head_dim)
        rows = dense(self.latent, z, self.precision).reshape(-1, self.term.shape[1])
        return gather_rows(rows, graph * self.max_nodes + place) + term

    def weights(self) -> Tensor | None:
        """Return the weights on z, (max_nodes, head_dim, latent_dim), or None."""
        if self.latent is None:
            return None
        return self.latent.weight.reshape(self.max_nodes, -1, self.latent.in_features)


def _sum_by_graph(values: Tensor, graph: Tensor, num_graphs: int) -> Tensor:
    return sum_by_index(values.unsqueeze(1), graph, num_graphs).squeeze(1)
