"""The encoder: node states along and against the edges, a read-out, and the posterior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ngae.batch import GraphBatch
from ngae.models.config import ModelConfig
from ngae.models.dense import dense
from ngae.models.propagation import Propagation
from ngae.ops import gather_rows


@dataclass(frozen=True)
class Posterior:
    """The diagonal Gaussian q(z | graph).

    Attributes:
        mean: (num_graphs, latent_dim).
        logvar: (num_graphs, latent_dim), logarithm of the variance.
    """

    mean: Tensor
    logvar: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return `mean + exp(logvar / 2) * noise`; noise (num_graphs, latent_dim)."""
        return self.mean + (0.5 * self.logvar).exp() * noise

    def kl(self) -> Tensor:
        """Return the divergence from N(0, I) in nats, (num_graphs,); equation (3), negated."""
        return -0.5 * (1 + self.logvar - self.mean.square() - self.logvar.exp()).sum(dim=1)


class Encoder(nn.Module):
    """Graphs to posteriors (sections 3.1.1 and 3.1.2 of the paper).

    With `readout="all"` every node state enters the posterior by a linear map of its place,
    followed by a ReLU; with `"output"` the output node's state does (with both directions:
    a linear map of it and of the input node's backward state, as in D-VAE).
    """

    def __init__(self, num_node_types: int, max_nodes: int, config: ModelConfig) -> None:
        super().__init__()
        self.max_nodes = max_nodes
        self.readout = config.readout
        self.precision = config.precision
        directions = 2 if config.bidirectional else 1
        self.propagations = nn.ModuleList(
            Propagation(
                num_node_types,
                config.hidden_dim,
                max_nodes,
                config.vertex_index,
                config.precision,
            )
            for _ in range(directions)
        )
        width = directions * config.hidden_dim
        places = max_nodes if config.readout == "all" else 1
        self.unify = nn.Linear(places * width, config.hidden_dim)
        self.mean = nn.Linear(config.hidden_dim, config.latent_dim)
        self.logvar = nn.Linear(config.hidden_dim, config.latent_dim)

    def forward(self, batch: GraphBatch) -> Posterior:
        """Encode `batch`; gives a posterior for each graph."""
        directions = (batch, batch.reverse())
        states = [
            propagation(graphs)
            for propagation, graphs in zip(self.propagations, directions, strict=False)
        ]
        state = self._all(batch, states) if self.readout == "all" else self._ends(batch, states)
        return Posterior(
            dense(self.mean, state, self.precision), dense(self.logvar, state, self.precision)
        )

    def _all(self, batch: GraphBatch, states: list[Tensor]) -> Tensor:
        rows = torch.cat(states, dim=1)
        places, width = batch.num_graphs * self.max_nodes, rows.shape[1]
        if batch.num_nodes < places:
            place = batch.node_graph.long() * self.max_nodes + batch.node_index.long()
            rows = rows.new_zeros(places, width).index_copy(0, place, rows)
        rows = rows.view(batch.num_graphs, self.max_nodes * width)
        return torch.relu(dense(self.unify, rows, self.precision))

    def _ends(self, batch: GraphBatch, states: list[Tensor]) -> Tensor:
        last = batch.graph_ptr[1:].long() - 1
        first = batch.graph_ptr[:-1].long()
        ends = [
            gather_rows(state, node) for state, node in zip(states, (last, first), strict=False)
        ]
        return dense(self.unify, torch.cat(ends, dim=1), self.precision)
