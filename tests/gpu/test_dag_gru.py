"""Propagation on a real device: values, bits, streams, memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.ops import DagGruParameters, dag_gru, reference
from tests.cuda_emulation.cases import BATCHES, SIZES, assert_close, expected, parameters

pytestmark = pytest.mark.gpu


def on_device(
    device: torch.device, batch: GraphBatch, weights: DagGruParameters, initial: Tensor | None,
    dh: Tensor, bf16: bool,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    leaves = [None if t is None else t.to(device).requires_grad_() for t in (*weights, initial)]
    precision = "bf16" if bf16 else "float32"
    h = dag_gru(batch.to(device), DagGruParameters(*leaves[:-1]), leaves[-1], precision=precision)
    wanted = [leaf for leaf in leaves if leaf is not None]
    return h, list(torch.autograd.grad(h, wanted, dh.to(device), materialize_grads=True))


@pytest.mark.parametrize("reverse", [False, True], ids=["along", "against"])
@pytest.mark.parametrize(("name", "hidden", "index", "has_initial", "bf16"), SIZES)
def test_states_and_gradients(cuda_device, name, hidden, index, has_initial, bf16, reverse):
    batch = BATCHES[name].reverse() if reverse else BATCHES[name]
    weights = parameters(hidden, index)
    generator = torch.Generator().manual_seed(1)
    shape = (batch.num_graphs, hidden)
    initial = torch.randn(shape, generator=generator) if has_initial else None
    dh = torch.randn(batch.num_nodes, hidden, generator=generator)
    h, gradients = on_device(cuda_device, batch, weights, initial, dh, bf16)
    dtype = torch.float32 if bf16 else torch.float64
    right_h, right = expected(reference.dag_gru, dtype, batch, weights, initial, dh, bf16)
    tolerance = 4e-3 if bf16 else 2e-5  # merged nodes are rounded as sums
    assert_close(h.cpu(), right_h, "h", tolerance)
    for found, gradient in zip(gradients, right, strict=True):
        assert_close(found.cpu(), gradient, "gradient", tolerance)


def test_same_bits_every_time(cuda_device):
    batch, weights = BATCHES["more rows than a tile"], parameters(70, True)
    dh = torch.randn(batch.num_nodes, 70, generator=torch.Generator().manual_seed(1))
    first_h, first = on_device(cuda_device, batch, weights, None, dh, False)
    for _ in range(10):
        h, gradients = on_device(cuda_device, batch, weights, None, dh, False)
        for one, two in zip([first_h, *first], [h, *gradients], strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_runs_on_the_current_stream(cuda_device):
    batch, weights = BATCHES["ragged"], parameters(70, True)
    moved = batch.to(cuda_device)
    held = DagGruParameters(*(None if t is None else t.to(cuda_device) for t in weights))
    right = dag_gru(moved, held)
    late = held._replace(b_hh=torch.zeros_like(held.b_hh))
    torch.cuda.synchronize(cuda_device)
    side = torch.cuda.Stream(cuda_device)
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        late.b_hh.copy_(held.b_hh)  # ops on another stream would read the zeros
        h = dag_gru(moved, late)
    side.synchronize()
    torch.testing.assert_close(h, right, rtol=0, atol=0)


def test_memory_is_given_back(cuda_device):
    batch, weights = BATCHES["more rows than a tile"], parameters(70, True)
    dh = torch.randn(batch.num_nodes, 70)
    on_device(cuda_device, batch, weights, None, dh, False)
    before = torch.cuda.memory_allocated(cuda_device)
    for _ in range(5):
        on_device(cuda_device, batch, weights, None, dh, False)
    assert torch.cuda.memory_allocated(cuda_device) == before


def test_does_not_wait_for_the_device(cuda_device, without_waiting):
    batch, weights = BATCHES["ragged"].to(cuda_device), parameters(70, True)
    leaves = [None if t is None else t.to(cuda_device).requires_grad_() for t in weights]
    with without_waiting():
        h = dag_gru(batch, DagGruParameters(*leaves))
        h.sum().backward()
    assert_close(h.detach().cpu(), dag_gru(BATCHES["ragged"], weights), "h", 2e-5)
    assert all(leaf.grad is not None for leaf in leaves if leaf is not None)
