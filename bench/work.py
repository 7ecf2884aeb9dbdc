"""The cases themselves, by operation and size, and which sizes each list holds."""

from __future__ import annotations

from itertools import product as combinations

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import flops, models
from bench.cases import BATCH_SIZES, HIDDEN_DIMS, NATIVE, PLAIN, Call, Case, Precision
from bench.graphs import ENAS, NODE_TYPES, GraphArrays, graph_batch, most_nodes
from bench.models import LATENT_DIM
from ngae.baselines.dvae import DVAE, DenseGraphs, DVAEConfig
from ngae.batch import GraphBatch
from ngae.models import ModelConfig
from ngae.models.propagation import Propagation
from ngae.ops._library import forced

ASCENT_POINTS, ASCENT_STEPS = 2048, 20
WAYS = ("forward", "forward + backward")


def propagation(way: str, kind: str, hidden_dim: int, graphs: int, device: str = "cpu") -> Case:
    """One propagation: "forward" or "forward + backward"."""

    def make(ops: str, precision: Precision) -> Call:
        batch = graph_batch(kind, graphs).to(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            types, nodes = NODE_TYPES.get(kind, 5), most_nodes(kind)
            module = Propagation(types, hidden_dim, nodes, True, precision).to(device)

        def forward() -> list[torch.Tensor]:
            with torch.no_grad():
                return [module(batch)]

        def backward() -> list[torch.Tensor]:
            return list(
                torch.autograd.grad(module(batch).square().mean(), list(module.parameters()))
            )

        return forward if way == "forward" else backward

    passes = 1 if way == "forward" else 1 + flops.BACKWARD
    return Case(
        f"propagation {way}, {kind}, hidden {hidden_dim}, batch {graphs}",
        "graphs/s",
        graphs,
        make,
        lambda: passes * flops.propagation_flops(graph_batch(kind, graphs), hidden_dim),
        gradients=way != "forward",
    )


def encode(kind: str, hidden_dim: int, graphs: int, device: str = "cpu") -> Case:
    """Packed graphs to posteriors."""
    config = ModelConfig(hidden_dim=hidden_dim, latent_dim=LATENT_DIM)

    def make(ops: str, precision: Precision) -> Call:
        batch = graph_batch(kind, graphs).to(device)
        module = models.encoder(kind, hidden_dim, precision).to(device)

        def work() -> list[torch.Tensor]:
            with torch.no_grad():
                posterior = module(batch)
            return [posterior.mean, posterior.logvar]

        return work

    return Case(
        f"encode, {kind}, hidden {hidden_dim}, batch {graphs}",
        "graphs/s",
        graphs,
        make,
        lambda: flops.encode_flops(graph_batch(kind, graphs), config),
    )


def decode(hidden_dim: int, points: int, device: str = "cpu") -> Case:
    """Points of the prior to ENAS graphs, sampled."""
    z = torch.randn(points, LATENT_DIM, generator=torch.Generator().manual_seed(0))

    def make(ops: str, precision: Precision) -> Call:
        decoder, start = models.model(hidden_dim, precision).decoder.to(device), z.to(device)

        def work() -> list[torch.Tensor]:
            decoded = decoder.sample(start, seed=1)
            return [decoded.node_type, decoded.adjacency, decoded.num_nodes]

        return work

    def count() -> int:
        made = models.model(hidden_dim, "float32")
        decoded = made.decoder.sample(z, seed=1)
        graphs = GraphArrays.of_matrices(
            decoded.node_type.numpy(), decoded.adjacency.numpy(), decoded.num_nodes.numpy()
        )
        return flops.decode_flops(graphs.pack(), made.config, ENAS.rules)

    return Case(f"decode, hidden {hidden_dim}, batch {points}", "graphs/s", points, make, count)


def train_step(hidden_dim: int, graphs: int, device: str = "cpu") -> Case:
    """`Trainer._step`: packing, objective, backward, clipping, Adam."""
    order = np.arange(graphs)

    def make(ops: str, precision: Precision) -> Call:
        trainer = models.trainer(hidden_dim, graphs, precision, device)

        def work() -> list[torch.Tensor]:
            with trainer.threads():
                trainer._step(order)
            states = trainer.optimizer.state  # first moments: means of the limited gradients
            moments = [states[p]["exp_avg"] for p in trainer.model.parameters() if states[p]]
            return [trainer.terms.sums.float(), *moments]

        return work

    def count() -> int:
        batch = GraphBatch.pack(models.dataset(graphs).train.dags[:graphs])
        return flops.train_flops(models.trainer(hidden_dim, graphs, "float32").model, batch)

    name = f"train step, hidden {hidden_dim}, batch {graphs}"
    return Case(name, "graphs/s", graphs, make, count, gradients=True)


def ascent(device: str = "cpu") -> Case:
    """Climb the predicted performance less the first complexity, from many points at once.

    The answer is the points after three steps: rounding grows with each.
    """
    z = torch.randn(ASCENT_POINTS, LATENT_DIM, generator=torch.Generator().manual_seed(0))

    def make(ops: str, precision: Precision) -> Call:
        made, start = models.model(256, precision).to(device), z.to(device)

        def work() -> list[torch.Tensor]:
            points = made.ascend(
                start,
                performance_weight=1.0,
                complexity_weights=[-0.5, 0.0],
                step_size=0.1,
                keep=[3, ASCENT_STEPS],
            )
            return [points[0]]

        return work

    return Case(
        f"ascent, {ASCENT_POINTS} points, {ASCENT_STEPS} steps",
        "point steps/s",
        ASCENT_POINTS * ASCENT_STEPS,
        make,
        lambda: 2 * ASCENT_STEPS * flops.predict_flops(models.model(256, "float32"), ASCENT_POINTS),
        (NATIVE, PLAIN),
    )


def published(hidden_dim: int = 501, graphs: int = 32) -> Case:
    """A training step of the published model, which decides edge by edge, in float32.

    Its operations are those that plain PyTorch does for it.
    """
    config = DVAEConfig(hidden_dim=hidden_dim)

    def make(ops: str, precision: Precision) -> Call:
        dags = models.dataset(graphs).train.dags
        baseline, generator = DVAE(config), torch.Generator().manual_seed(0)
        adam = torch.optim.Adam(baseline.parameters(), lr=1e-4, fused=True)

        def work() -> list[torch.Tensor]:
            batch = DenseGraphs.from_dags(dags, config.max_nodes)
            losses = baseline.loss(batch, *baseline.encode(batch), generator=generator)
            total = losses.total(config.beta)
            adam.zero_grad(set_to_none=True)
            total.backward()
            adam.step()
            gradients = [p.grad for p in baseline.parameters() if p.grad is not None]
            return [total.detach(), *gradients]

        return work

    def count() -> int:
        with FlopCounterMode(display=False) as counter, forced(PLAIN.ops):
            make(PLAIN.ops, PLAIN.precision)()
        return int(counter.get_total_flops())

    return Case(
        f"train step of the published model, hidden {hidden_dim}, batch {graphs}",
        "graphs/s",
        graphs,
        make,
        count,
        (NATIVE, PLAIN),
        gradients=True,
    )


def propagation_cases(every_size: bool = False) -> list[Case]:
    """Propagation over all kinds of graphs; every size of hidden state and batch."""
    chosen = [
        ("enas", 501, 256), ("enas", 128, 4096), ("enas", 512, 32), ("enas", 501, 1),
        ("nasbench101", 256, 256), ("random20", 501, 32), ("random200", 256, 1),
        ("random200", 256, 32),
    ]  # fmt: skip
    if every_size:
        chosen = [
            (kind, hidden_dim, graphs)
            for kind in ("enas", "nasbench101", "random20", "random200")
            for hidden_dim, graphs in combinations(HIDDEN_DIMS, BATCH_SIZES)
            # the states that a backward keeps of more nodes than that do not fit a laptop
            if graphs * most_nodes(kind) <= 4096 * 8
        ]
    return [propagation(way, *size) for size in chosen for way in WAYS]


def encode_cases(every_size: bool = False) -> list[Case]:
    """Encoding; not of graphs of 200 nodes, whose read-out would be all there is."""
    chosen = [("enas", 256, 4096), ("enas", 501, 256), ("nasbench101", 256, 4096),
              ("enas", 512, 32), ("enas", 128, 1), ("random20", 128, 256)]  # fmt: skip
    if every_size:
        chosen = [
            (kind, *size)
            for kind in ("enas", "nasbench101", "random20")
            for size in combinations(HIDDEN_DIMS, BATCH_SIZES)
            if size[1] * most_nodes(kind) <= 4096 * 8
        ]
    return [encode(*size) for size in chosen]


def decode_cases(every_size: bool = False) -> list[Case]:
    """Decoding."""
    chosen = [(256, 4096), (501, 256), (512, 32), (128, 1)]
    return [decode(*size) for size in _sizes(chosen, every_size)]


def train_cases(every_size: bool = False) -> list[Case]:
    """Training steps."""
    chosen = [(501, 32), (256, 64), (256, 256), (512, 256), (128, 4096), (256, 1)]
    return [train_step(*size) for size in _sizes(chosen, every_size)]


def ascent_cases(every_size: bool = False) -> list[Case]:
    """The ascent, at one size."""
    return [ascent()]


def published_cases(every_size: bool = False) -> list[Case]:
    """The published model, at one size."""
    return [published()]


def headline_cases() -> list[Case]:
    """One size of each: what `--quick` shows."""
    return [
        train_step(501, 32),
        train_step(256, 64),
        *(propagation(way, "enas", 501, 256) for way in WAYS),
        encode("enas", 256, 4096),
        decode(501, 256),
        ascent(),
        published(),
    ]


def all_cases(every_size: bool = False) -> list[Case]:
    """List everything that pytest and the full report time."""
    lists = (train_cases, propagation_cases, encode_cases, decode_cases, ascent_cases,
             published_cases)  # fmt: skip
    return [case for cases in lists for case in cases(every_size)]


def _sizes(chosen: list[tuple[int, int]], every_size: bool) -> list[tuple[int, int]]:
    every = combinations(HIDDEN_DIMS, BATCH_SIZES)
    return list(dict.fromkeys([*chosen, *every])) if every_size else chosen
