"""The ops under `torch.compile`, captured whole: same values and gradients as without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.ops import DagGruParameters, dag_gru

MakeBatch = Callable[..., GraphBatch]
MakeParameters = Callable[..., DagGruParameters]

pytestmark = pytest.mark.end_to_end


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dag_gru(
    index: bool,
    dtype: torch.dtype,
    make_batch: MakeBatch,
    make_parameters: MakeParameters,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NGAE_OPS", "cpp")
    parameters = make_parameters(6, dtype, index=index)
    tensors = [t for t in parameters if t is not None]
    initial = torch.ones(5, 6, dtype=dtype, requires_grad=True)

    def loss(batch: GraphBatch, *inputs: Tensor) -> Tensor:
        h = dag_gru(batch, DagGruParameters(*inputs[:-1]), inputs[-1])
        return h.square().sum()

    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    for seed in (0, 1):
        batch = make_batch(5, seed=seed)
        found, expected = (f(batch, *tensors, initial) for f in (compiled, loss))
        assert torch.equal(found, expected)
        gradients = (torch.autograd.grad(value, [*tensors, initial]) for value in (found, expected))
        for gradient, other in zip(*gradients, strict=True):
            assert torch.equal(gradient, other)
