"""The published D-VAE/NGAE model: bidirectional encoder, decoder loss, two heads.

It is written to be right first, and keeps the published parameter names, so that published
checkpoints load. `ngae.models` holds the model to use. The same numbers come from one graph at a
time and from a batch of graphs of different sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.baselines import dvae_names
from ngae.baselines.dvae_config import DVAEConfig
from ngae.baselines.dvae_decode import decode_graphs
from ngae.baselines.dvae_graphs import DenseGraphs
from ngae.baselines.dvae_messages import message, propagation_weights
from ngae.baselines.dvae_teach import reconstruction_loss
from ngae.errors import GraphError, UsageError
from ngae.ops import dag_gru


class Losses(NamedTuple):
    """Terms of the objective, for each graph, in nats.

    Attributes:
        reconstruction: (num_graphs,) -log p(graph given z).
        kl: (num_graphs,) KL(q(z given graph) || N(0, I)).
    """

    reconstruction: Tensor
    kl: Tensor

    def total(self, beta: float) -> Tensor:
        """Sum reconstruction + beta * kl over the graphs, as published (not the mean)."""
        return self.reconstruction.sum() + beta * self.kl.sum()


class DVAE(nn.Module):
    """The published model (Zhang et al. 2019, D-VAE; with NGAE's predictor heads).

    With e_u the one-hot of node u's place in its graph, [;] concatenation, T the node types::

        m(u) = sigmoid(gate [h_u; e_u]) * mapper [h_u; e_u]
        encoder: h_v = GRUCell(onehot(type_v), sum of m(u) over what feeds v; fed by v, backward)
                 g = hg_unify [h_last forward; h_first backward];  mean = fc1 g;  logvar = fc2 g
        decoder: h_0 = grud(onehot(start), tanh(fc3 z));  h_v = grud(onehot(type_v), sum of m(u))
                 type logits of v = add_vertex h_{v-1};  edge logit of (u, v) = add_edge [h_u; h_v]
                 where h_v has the edges from u+1, ..., v-1 only; m with the encoder's gate_forward

    `hv_unify` is part of published checkpoints and is never used.

    Args:
        config: Sizes and constants.
        seed: Seed of the initial weights, drawn from PyTorch's default distributions.
        device: Where the weights are; "meta" makes a model without values.
    """

    def __init__(
        self, config: DVAEConfig, *, seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):
            self._make_encoder()
            self._make_decoder()
            self._make_heads()
        if str(device) != "meta":
            self.to_empty(device=device)
            self.reset_parameters(torch.Generator().manual_seed(seed))

    def _make_encoder(self) -> None:
        hidden, nodes = self.config.hidden_dim, self.config.max_nodes
        types, latent = self.config.num_node_types, self.config.latent_dim
        self.grue_forward = nn.GRUCell(types, hidden)
        self.grue_backward = nn.GRUCell(types, hidden)
        self.fc1 = nn.Linear(hidden, latent)
        self.fc2 = nn.Linear(hidden, latent)
        # each a Sequential, for the published names such as "gate_forward.0.weight"
        self.gate_forward = nn.Sequential(nn.Linear(hidden + nodes, hidden), nn.Sigmoid())
        self.gate_backward = nn.Sequential(nn.Linear(hidden + nodes, hidden), nn.Sigmoid())
        self.mapper_forward = nn.Sequential(nn.Linear(hidden + nodes, hidden, bias=False))
        self.mapper_backward = nn.Sequential(nn.Linear(hidden + nodes, hidden, bias=False))
        self.hv_unify = nn.Sequential(nn.Linear(2 * hidden, hidden))
        self.hg_unify = nn.Sequential(nn.Linear(2 * hidden, hidden))

    def _make_decoder(self) -> None:
        hidden, types = self.config.hidden_dim, self.config.num_node_types
        self.grud = nn.GRUCell(types, hidden)
        self.fc3 = nn.Linear(self.config.latent_dim, hidden)
        self.add_vertex = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, types)
        )
        self.add_edge = nn.Sequential(
            nn.Linear(2 * hidden, 4 * hidden), nn.ReLU(), nn.Linear(4 * hidden, 1)
        )

    def _make_heads(self) -> None:
        def head() -> nn.Sequential:
            latent, hidden = self.config.latent_dim, self.config.hidden_dim
            return nn.Sequential(
                nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, 1), nn.Sigmoid()
            )

        self.predictor = head() if self.config.performance_head else None
        self.predictor_complexity = head() if self.config.complexity_head else None

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw every weight from U(-1/sqrt(n), 1/sqrt(n)), n the layer's inputs (GRU: states)."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.GRUCell):
                inputs = layer.in_features if isinstance(layer, nn.Linear) else layer.hidden_size
                bound = inputs**-0.5
                for weight in layer.parameters(recurse=False):
                    uniform = torch.rand(weight.shape, dtype=weight.dtype, generator=generator)
                    weight.copy_(bound * (2 * uniform - 1))

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Tensor]) -> DVAE:
        """Make the model whose parameters are `state`; the sizes are read from it.

        Args:
            state: Tensors under the published names; `predictor` and `predictor_complexity` may
                be absent, each as a whole.

        Returns:
            The model, in the dtype of the weights: float32 or float64 to compute with.

        Raises:
            DataError: Names that are missing or foreign, or a shape that does not fit the others.
        """
        shapes = {name: tuple(value.shape) for name, value in state.items()}
        config = dvae_names.read_config(shapes, _parameter_shapes)
        model = cls(config).to(state["fc1.weight"].dtype)
        model.load_state_dict(state)
        return model

    def encode(self, graphs: DenseGraphs) -> tuple[Tensor, Tensor]:
        """Compute the posterior of each graph.

        Returns:
            mean and logvar, each (num_graphs, latent_dim).

        Raises:
            GraphError: Graphs that do not fit the model: width, types, or type of node 0.
        """
        self.check_graphs(graphs)
        batch = graphs.to_batch()
        forward = dag_gru(
            batch, propagation_weights(self.grue_forward, self.gate_forward, self.mapper_forward)
        )
        backward = dag_gru(
            batch.reverse(),
            propagation_weights(self.grue_backward, self.gate_backward, self.mapper_backward),
        )
        first, last = batch.graph_ptr[:-1].long(), batch.graph_ptr[1:].long() - 1
        state = self.hg_unify(torch.cat([forward[last], backward[first]], dim=1))
        return self.fc1(state), self.fc2(state)

    def sample(self, mean: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw z = mean + noise_scale * exp(logvar / 2) * N(0, I); None: z = mean.

        Returns:
            (num_graphs, latent_dim).
        """
        if generator is None:
            return mean
        noise = torch.randn(
            mean.shape, dtype=mean.dtype, generator=generator, device=generator.device
        )
        return mean + self.config.noise_scale * torch.exp(logvar / 2) * noise.to(mean.device)

    def loss(
        self,
        graphs: DenseGraphs,
        mean: Tensor,
        logvar: Tensor,
        *,
        generator: torch.Generator | None = None,
    ) -> Losses:
        """Score the graphs by teacher forcing (see `ngae.baselines.dvae_teach`).

        Deviation: edges are scored from logits, where the published code takes logarithms of
        probabilities, which overflow where the model is certain and wrong.

        Args:
            graphs: The graphs.
            mean: (num_graphs, latent_dim) from `encode`.
            logvar: (num_graphs, latent_dim) from `encode`.
            generator: Noise of z in training; None: z = mean, as in the published evaluation.

        Returns:
            The terms of each graph.
        """
        self.check_graphs(graphs)
        z = self.sample(mean, logvar, generator)
        kl = -0.5 * (1 + logvar - mean.square() - logvar.exp()).sum(dim=1)
        return Losses(reconstruction_loss(self, z, graphs), kl)

    def decode(self, z: Tensor, generator: torch.Generator | None) -> DenseGraphs:
        """Decode each row of z by the published rules.

        Types are drawn from the softmax, edges (from the newest node back to node 0) from the
        sigmoid; the last possible node is an end node; an end node is fed by all nodes that feed
        nothing, and ends the graph.

        Args:
            z: (num_graphs, latent_dim).
            generator: Source of all random numbers; None takes the likeliest type and p > 0.5.

        Returns:
            The graphs.

        Raises:
            UsageError: z of another shape.
        """
        if z.dim() != 2 or z.shape[1] != self.config.latent_dim:
            raise UsageError(
                f"DVAE.decode: z: expected shape (num_graphs, {self.config.latent_dim}), "
                f"found {tuple(z.shape)}"
            )
        return decode_graphs(self, z, generator)

    def initial_state(self, z: Tensor) -> Tensor:
        """Return the decoder's h_0 = grud(onehot(start), tanh(fc3 z)): (num_graphs, H)."""
        start = z.new_zeros(z.shape[0], self.config.num_node_types)
        start[:, self.config.start_type] = 1
        state: Tensor = self.grud(start, torch.tanh(self.fc3(z)))
        return state

    def message(self, states: Tensor, place: int) -> Tensor:
        """Return m(u) of the forward encoder and the decoder, for node u = `place`: (B, H)."""
        nodes = self.config.max_nodes
        return message(self.gate_forward, self.mapper_forward, states, place, nodes)

    def messages(self, states: Tensor) -> Tensor:
        """Return m(u) as `message` does, for all nodes: (num_graphs, nodes, H) to the same."""
        nodes = self.config.max_nodes
        places = torch.eye(nodes, dtype=states.dtype, device=states.device)
        joined = torch.cat([states, places.expand(len(states), nodes, nodes)], dim=2)
        result: Tensor = self.gate_forward(joined) * self.mapper_forward(joined)
        return result

    def one_hot(self, graphs: DenseGraphs) -> Tensor:
        """Return one-hot types (num_graphs, nodes, num_node_types), zero for absent nodes."""
        types = functional.one_hot(graphs.node_types.clamp(min=0), self.config.num_node_types)
        return (types * graphs.present[:, :, None]).to(self.fc1.weight.dtype)

    def check_graphs(self, graphs: DenseGraphs) -> None:
        """Raise GraphError where width, a type or the type of node 0 does not fit the model."""
        config, types = self.config, graphs.node_types
        if graphs.max_nodes != config.max_nodes:
            raise GraphError(
                f"DVAE: graphs: expected max_nodes {config.max_nodes}, found {graphs.max_nodes}"
            )
        if len(graphs) and int(types.max()) >= config.num_node_types:
            raise GraphError(
                f"DVAE: graphs: expected types below {config.num_node_types}, "
                f"found {int(types.max())}"
            )
        other = (types[:, 0] != config.start_type).nonzero()
        if len(other):
            raise GraphError(
                f"DVAE: graphs: graph {int(other[0])}: expected node 0 of the start type "
                f"{config.start_type}, found {int(types[int(other[0]), 0])}"
            )


def _parameter_shapes(config: DVAEConfig) -> dict[str, tuple[int, ...]]:
    model = DVAE(config, device="meta")
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}
