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
    `latent_in_heads`, also the first layer of both heads. Both heads get a term for the place of
    the node that is decided, and the edge head one for the place of the source: before its edges
    are decided a node's state depends on its type alone, and two nodes of one type that are fed
    alike have one state, so that without these terms both would have to get the same edges, feed
    the same nodes, and be followed by the same type.
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
        self.type_hidden = nn.Linear(hidden, head)
        self.type_out = nn.Linear(head, types)
        self.edge_source = nn.Linear(hidden, head)
        self.edge_target = nn.Linear(hidden, head, bias=False)
        self.edge_place = _places(rules.max_nodes, head)
        self.type_place = _places(rules.max_nodes, head)
        self.source_place = _places(rules.max_nodes, head)
        self.edge_out = nn.Linear(head, 1)
        self.type_latent = self._latent(config)
        self.edge_latent = self._latent(config)

    @staticmethod
    def _latent(config: ModelConfig) -> nn.Linear | None:
        if not config.latent_in_heads:
            return None
        return nn.Linear(config.latent_dim, config.head_dim, bias=False)

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
        hidden = hidden + gather_rows(self.type_place, decisions.type_place)
        if self.type_latent is not None:
            hidden = hidden + gather_rows(
                dense(self.type_latent, z, self.precision), decisions.type_graph
            )
        logits = self.type_out(torch.relu(hidden))
        logits = logits.masked_fill(decisions.type_forbidden, -torch.inf)
        loss = functional.cross_entropy(logits, decisions.type_target, reduction="none")
        return _sum_by_graph(loss, decisions.type_graph, batch.num_graphs)

    def _edge_loss(self, batch: GraphBatch, decisions: Decisions, h: Tensor, z: Tensor) -> Tensor:
        places = gather_rows(self.source_place, decisions.states.node_index.long())
        source = dense(self.edge_source, h, self.precision) + places  # (num_states, head_dim)
        by_type = dense(self.edge_target, self.propagation.type_states(), self.precision)
        target = gather_rows(by_type, batch.node_type.long())
        target = target + gather_rows(self.edge_place, batch.node_index.long())
        if self.edge_latent is not None:
            by_graph = dense(self.edge_latent, z, self.precision)
            target = target + gather_rows(by_graph, batch.node_graph.long())
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
            type_z=None if self.type_latent is None else self.type_latent.weight,
            type_bias=self.type_hidden.bias,
            type_out=self.type_out.weight,
            type_out_bias=self.type_out.bias,
            edge_u=self.edge_source.weight,
            edge_v=self.edge_target.weight,
            edge_z=None if self.edge_latent is None else self.edge_latent.weight,
            edge_bias=self.edge_source.bias,
            edge_out=self.edge_out.weight.squeeze(0),
            edge_out_bias=self.edge_out.bias,
            edge_place=self.edge_place,
            type_place=self.type_place,
            source_place=self.source_place,
        )


def _sum_by_graph(values: Tensor, graph: Tensor, num_graphs: int) -> Tensor:
    return sum_by_index(values.unsqueeze(1), graph, num_graphs).squeeze(1)


def _places(max_nodes: int, width: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(max_nodes, width).uniform_(-0.1, 0.1))
