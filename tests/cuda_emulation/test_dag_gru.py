"""Propagation kernels, run by the emulation, against the CPU engine and plain PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.ops import DagGruParameters, _library, dag_gru, dag_gru_cuda, reference

from .cases import BATCHES, SIZES, assert_close, expected, parameters
from .emulator import ORDERS


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


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("reverse", [False, True], ids=["along", "against"])
@pytest.mark.parametrize(("name", "hidden", "index", "has_initial", "bf16"), SIZES)
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


def test_gradients_share_no_memory(engine):
    """As torch.library demands of what an op returns."""
    batch, weights = BATCHES["ragged"], parameters(5, True)
    dh = torch.randn(batch.num_nodes, 5)
    _, gradients = emulated(engine, batch, weights, None, dh, False)
    assert len({g.untyped_storage().data_ptr() for g in gradients}) == len(gradients) == 9
