"""Propagation kernels, run by the emulation, against the CPU engine and plain PyTorch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.ops import DagGruParameters, _library, dag_gru, dag_gru_cuda, reference

from .emulator import ORDERS

TYPES, PLACES = 4, 9


def ragged(counts: list[int], seed: int = 0, density: float = 0.4) -> GraphBatch:
    """Random graphs with the given numbers of nodes; some nodes have no edge at all."""
    rng = np.random.default_rng(seed)
    dags = []
    for n in counts:
        pairs = itertools.combinations(range(n), 2)
        edges = tuple(pair for pair in pairs if rng.random() < density)
        dags.append(Dag(tuple(rng.integers(TYPES, size=n).tolist()), edges))
    return GraphBatch.pack(dags)


def chain(length: int) -> GraphBatch:
    edges = tuple((v, v + 1) for v in range(length - 1)) + ((0, length - 1),) * (length > 2)
    return GraphBatch.pack([Dag(tuple(v % TYPES for v in range(length)), edges)])


BATCHES = {
    "none": ragged([]),
    "one node": ragged([1]),
    "ragged": ragged([1, 7, 2, 9, 1, 5]),
    "more rows than a tile": ragged([2] * 70 + [3] * 5, density=0.9),
    "200 nodes": chain(200),
    "many successors": GraphBatch.pack([Dag((0,) * 60, tuple((0, v) for v in range(1, 60)))]),
}


def parameters(hidden: int, index: bool, places: int = PLACES) -> DagGruParameters:
    generator = torch.Generator().manual_seed(hidden)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / shape[-1] ** 0.5

    tables = (numbers(places, hidden), numbers(places, hidden)) if index else (None, None)
    return DagGruParameters(
        numbers(3 * hidden, TYPES),
        numbers(3 * hidden),
        numbers(3 * hidden, hidden),
        numbers(3 * hidden),
        numbers(hidden, hidden),
        numbers(hidden),
        numbers(hidden, hidden),
        *tables,
    )


def expected(
    op, dtype: torch.dtype, batch: GraphBatch, weights: DagGruParameters, initial: Tensor | None,
    dh: Tensor, bf16: bool,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """States and gradients by another implementation, in its own number type."""
    leaves = [None if t is None else t.to(dtype, copy=True).requires_grad_()
              for t in (*weights, initial)]  # fmt: skip
    precision = "bf16" if bf16 else "float32"
    h = op(batch, DagGruParameters(*leaves[:-1]), leaves[-1], precision=precision)
    wanted = [leaf for leaf in leaves if leaf is not None]
    if not batch.num_nodes:
        return h.detach(), [torch.zeros_like(leaf) for leaf in wanted]
    gradients = torch.autograd.grad(h, wanted, dh.to(dtype), materialize_grads=True)
    return h.detach(), list(gradients)


def emulated(
    engine, batch: GraphBatch, weights: DagGruParameters, initial: Tensor | None, dh: Tensor,
    bf16: bool,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    graph = [engine.guard(tensor) for tensor in _library.graph_tensors(batch)]
    held = [None if t is None else engine.guard(t) for t in (*weights, initial)]
    h, saved = dag_gru_cuda.forward(*graph, *held, bf16)
    engine.register(saved, writable=False, written=True)
    gradients = dag_gru_cuda.backward(
        engine.guard(dh), *graph, *held[:-1], saved, initial is not None, bf16
    )
    given = [*(t is not None for t in weights), initial is not None]
    return h, [g for g, is_given in zip(gradients, given, strict=True) if is_given]


def assert_close(found: Tensor, right: Tensor, what: str, tolerance: float) -> None:
    most = tolerance * max(1.0, float(right.abs().max()) if right.numel() else 0)
    assert found.shape == right.shape, what
    error = float((found - right).abs().max()) if right.numel() else 0.0
    assert error <= most, f"{what}: off by {error:.2g}"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("reverse", [False, True], ids=["along", "against"])
@pytest.mark.parametrize(
    ("name", "hidden", "index", "has_initial", "bf16"),
    [
        ("none", 5, True, True, False),
        ("one node", 1, True, False, False),
        ("one node", 33, False, True, True),
        ("ragged", 5, True, True, False),
        ("ragged", 70, True, False, False),
        ("ragged", 70, False, True, True),
        ("more rows than a tile", 33, True, True, False),
        ("more rows than a tile", 33, True, False, True),
        ("200 nodes", 5, False, True, False),
        ("many successors", 40, False, False, False),
    ],
)
def test_states_and_gradients(engine, name, hidden, index, has_initial, bf16, reverse, order):
    batch = BATCHES[name].reverse() if reverse else BATCHES[name]
    weights = parameters(hidden, index)
    generator = torch.Generator().manual_seed(1)
    shape = (batch.num_graphs, hidden)
    initial = torch.randn(shape, generator=generator) if has_initial else None
    dh = torch.randn(batch.num_nodes, hidden, generator=generator)
    with engine.clean(order):
        h, gradients = emulated(engine, batch, weights, initial, dh, bf16)
    names = [n for n, t in zip(weights._fields, weights, strict=True) if t is not None]
    names += ["initial"] * has_initial
    exact = torch.float32 if bf16 else torch.float64  # rounding needs float32's own operands
    # The CPU engine merges equal nodes, so in bf16 it rounds sums of what is rounded one by one.
    rivals = ((reference.dag_gru, exact, 2e-5), (dag_gru, torch.float32, 4e-3 if bf16 else 2e-5))
    for op, dtype, tolerance in rivals:
        right_h, right = expected(op, dtype, batch, weights, initial, dh, bf16)
        assert_close(h, right_h, "h", tolerance)
        for what, found, gradient in zip(names, gradients, right, strict=True):
            assert_close(found, gradient, what, tolerance)


def test_same_bits_in_every_order(engine):
    batch, weights = BATCHES["ragged"], parameters(33, True)
    dh = torch.randn(batch.num_nodes, 33, generator=torch.Generator().manual_seed(1))
    results = []
    for order in ORDERS:
        with engine.clean(order, seed=7):
            h, gradients = emulated(engine, batch, weights, None, dh, False)
        results.append([h, *gradients])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=0)
