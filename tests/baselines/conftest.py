"""A naive second implementation of the published model, one graph and one edge at a time.

It is written from the formulas alone: plain tensors, GRU cell by hand, no batches, no masks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae.baselines.dvae import DVAE, DenseGraphs, DVAEConfig

START, END = 0, 1
CONFIG = DVAEConfig(hidden_dim=5, latent_dim=3, num_node_types=5, max_nodes=6)


@dataclass
class Answer:
    """What the naive implementation says of one graph."""

    mean: Tensor
    logvar: Tensor
    kl: Tensor
    predictor: Tensor
    predictor_complexity: Tensor
    type_terms: list[Tensor] = field(default_factory=list)  # node 1, 2, ...
    edge_terms: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    @property
    def reconstruction(self) -> Tensor:
        return sum([*self.type_terms, *self.edge_terms.values()], torch.zeros(()).double())


class Naive:
    """The published model over a dict of weights in float64."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.w = {k: v.detach().double().clone().requires_grad_() for k, v in weights.items()}
        self.hidden = self.w["fc1.weight"].shape[1]
        self.types = self.w["grud.weight_ih"].shape[1]
        self.nodes = self.w["gate_forward.0.weight"].shape[1] - self.hidden

    def linear(self, name: str, x: Tensor) -> Tensor:
        y = self.w[f"{name}.weight"] @ x
        return y + self.w[f"{name}.bias"] if f"{name}.bias" in self.w else y

    def mlp(self, name: str, x: Tensor, act: Callable[[Tensor], Tensor]) -> Tensor:
        return self.linear(f"{name}.2", act(self.linear(f"{name}.0", x)))

    def gru(self, name: str, node_type: int, h: Tensor) -> Tensor:
        x_part = self.w[f"{name}.weight_ih"][:, node_type] + self.w[f"{name}.bias_ih"]
        h_part = self.w[f"{name}.weight_hh"] @ h + self.w[f"{name}.bias_hh"]
        x_r, x_z, x_n = x_part.split(self.hidden)
        h_r, h_z, h_n = h_part.split(self.hidden)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        return (1 - z) * n + z * h

    def message(self, way: str, h: Tensor, place: int) -> Tensor:
        one_hot = torch.zeros(self.nodes, dtype=torch.float64)
        one_hot[place] = 1
        x = torch.cat([h, one_hot])
        gate = torch.sigmoid(self.linear(f"gate_{way}.0", x))
        return gate * self.linear(f"mapper_{way}.0", x)

    def zero(self) -> Tensor:
        return torch.zeros(self.hidden, dtype=torch.float64)

    def encode(self, types: list[int], edges: set[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        n = len(types)
        forward: dict[int, Tensor] = {}
        for v in range(n):
            total = self.zero()
            for u in range(n):
                if (u, v) in edges:
                    total = total + self.message("forward", forward[u], u)
            forward[v] = self.gru("grue_forward", types[v], total)
        backward: dict[int, Tensor] = {}
        for v in reversed(range(n)):
            total = self.zero()
            for u in range(n):
                if (v, u) in edges:
                    total = total + self.message("backward", backward[u], u)
            backward[v] = self.gru("grue_backward", types[v], total)
        state = self.linear("hg_unify.0", torch.cat([forward[n - 1], backward[0]]))
        return self.linear("fc1", state), self.linear("fc2", state)

    def decode_terms(
        self, z: Tensor, types: list[int], edges: set[tuple[int, int]]
    ) -> tuple[list[Tensor], dict[tuple[int, int], Tensor]]:
        h = [self.gru("grud", START, torch.tanh(self.linear("fc3", z)))]
        type_terms, edge_terms = [], {}
        for v in range(1, self.nodes):
            real = v < len(types)
            newest = h[min(v, len(types)) - 1]
            scores = self.mlp("add_vertex", newest, torch.relu)
            true_type = types[v] if real else START
            type_terms.append(torch.logsumexp(scores, 0) - scores[true_type])
            total = self.zero()
            h_v = self.gru("grud", true_type, total) if real else self.zero()
            for u in range(v - 1, -1, -1):
                score = self.mlp("add_edge", torch.cat([h[u], h_v]), torch.relu)[0]
                p = torch.sigmoid(score)
                edge_terms[u, v] = -torch.log(p if (u, v) in edges else 1 - p)
                if (u, v) in edges:
                    total = total + self.message("forward", h[u], u)
                    h_v = self.gru("grud", types[v], total)
            h.append(h_v)
        return type_terms, edge_terms

    def answer(self, types: list[int], edges: set[tuple[int, int]]) -> Answer:
        mean, logvar = self.encode(types, edges)
        kl = torch.zeros((), dtype=torch.float64)
        for i in range(len(mean)):
            kl = kl + 0.5 * (torch.exp(logvar[i]) + mean[i] ** 2 - 1 - logvar[i])
        heads = [
            torch.sigmoid(self.mlp(name, mean, torch.tanh))
            for name in ("predictor", "predictor_complexity")
        ]
        return Answer(mean, logvar, kl, *heads, *self.decode_terms(mean, types, edges))

    def probability(self, z: Tensor, types: list[int], edges: set[tuple[int, int]]) -> float:
        """How often the published sampling gives this graph: no decision about forced parts."""
        with torch.no_grad():
            type_terms, edge_terms = self.decode_terms(z, types, edges)
        chosen = type_terms[: min(len(types), self.nodes - 1) - 1]
        chosen += [term for (_, v), term in edge_terms.items() if v < len(types) - 1]
        return math.exp(-sum(float(term) for term in chosen))

    def all_answers(self, graphs: DenseGraphs) -> list[Answer]:
        return [self.answer(list(d.node_types), set(d.edges)) for d in graphs.to_dags()]


def make_graphs(count: int, config: DVAEConfig, seed: int) -> DenseGraphs:
    """Random graphs of 1 to max_nodes nodes, among them the shortest and the longest."""
    rng = np.random.default_rng(seed)
    nodes = config.max_nodes
    sizes = rng.integers(1, nodes + 1, size=count)
    sizes[:3] = (nodes, 1, 2)
    types = np.full((count, nodes), -1)
    feeds = np.zeros((count, nodes, nodes), dtype=np.int64)
    for i, n in enumerate(sizes):
        types[i, :n] = rng.integers(0, config.num_node_types, size=n)
        types[i, 0] = START
        feeds[i, :n, :n] = np.triu(rng.random((n, n)) < 0.6, 1)
    return DenseGraphs(*(torch.from_numpy(a) for a in (types, feeds, sizes)))


@pytest.fixture
def config() -> DVAEConfig:
    return CONFIG


@pytest.fixture
def model() -> DVAE:
    """A small model in float64 with weights large enough for every term to matter."""
    return strong_model(CONFIG)


@pytest.fixture
def graphs() -> DenseGraphs:
    return make_graphs(9, CONFIG, seed=1)


@pytest.fixture
def naive(model: DVAE) -> Naive:
    return Naive(model.state_dict())


@pytest.fixture
def make_naive() -> type[Naive]:
    return Naive


@pytest.fixture
def make_model() -> Callable[..., DVAE]:
    return strong_model


def strong_model(config: DVAEConfig, seed: int = 5, scale: float = 2.0) -> DVAE:
    model = DVAE(config, seed=seed).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(scale)
    return model


@pytest.fixture
def vectors(model: DVAE, naive: Naive, graphs: DenseGraphs) -> dict[str, np.ndarray]:
    """The content of a file of test vectors, from the naive implementation."""
    answers = naive.all_answers(graphs)
    reconstruction = torch.stack([a.reconstruction for a in answers])
    kl = torch.stack([a.kl for a in answers])
    loss = reconstruction.sum() + 0.005 * kl.sum()
    loss.backward()
    tensors = {
        **{f"param.{name}": w for name, w in naive.w.items()},
        **{f"grad.{name}": w.grad for name, w in naive.w.items() if w.grad is not None},
        **{
            key: torch.stack([getattr(a, key) for a in answers])
            for key in ("mean", "logvar", "predictor", "predictor_complexity")
        },
        "reconstruction_loss": reconstruction,
        "kl": kl,
        "batch_loss": loss,
        "batch_reconstruction_loss": reconstruction.sum(),
        "batch_kl": kl.sum(),
        "node_types": graphs.node_types,
        "adjacency": graphs.adjacency.to(torch.uint8),
        "num_nodes": graphs.num_nodes,
    }
    return {key: value.detach().numpy().copy() for key, value in tensors.items()}
