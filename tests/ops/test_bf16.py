"""Products with operands rounded to bfloat16: the same roundings on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.errors import UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.ops import dag_gru, decode, reference, reference_decode
from ngae.ops.product import product
from ngae.spaces.enas import EnasSpace

from .conftest import MakeBatch, MakeParameters


def distance(found: Tensor, expected: Tensor) -> float:
    """Length of the difference over the expected length."""
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("hidden", [1, 7, 33, 64, 501, 1100])
@pytest.mark.usefixtures("native")
def test_one_level_equals_reference(hidden: int, make_parameters: MakeParameters) -> None:
    """The operands are the same numbers on both sides, so only the order of adding differs."""
    batch = GraphBatch.pack([Dag((i % 4,), ()) for i in range(40)])
    parameters = make_parameters(hidden, torch.float32, index=False)
    initial = torch.randn(40, hidden, generator=torch.Generator().manual_seed(1))
    found = dag_gru(batch, parameters, initial, precision="bf16")
    expected = reference.dag_gru(batch, parameters, initial, precision="bf16")
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("hidden", [3, 33, 96, 501])
@pytest.mark.parametrize("has_initial", [False, True])
@pytest.mark.usefixtures("native")
def test_gradients_agree_with_reference(
    hidden: int, has_initial: bool, make_batch: MakeBatch, make_parameters: MakeParameters
) -> None:
    """A last bit of float32 may round to the next bfloat16: compare whole tensors."""
    batch = make_batch(40)
    parameters = make_parameters(hidden, torch.float32, index=has_initial)
    initial = torch.ones(40, hidden, requires_grad=True) if has_initial else None
    inputs = [t for t in (*parameters, initial) if t is not None]
    results = []
    for op, precision in ((dag_gru, "bf16"), (reference.dag_gru, "bf16"), (dag_gru, "float32")):
        h = op(batch, parameters, initial, precision=precision)
        results.append([h.detach(), *torch.autograd.grad(h.square().sum(), inputs)])
    for found, expected, exact in zip(*results, strict=True):
        assert distance(found, expected) < 5e-4
        assert 5e-4 < distance(found, exact) < 2e-2


@pytest.mark.usefixtures("native")
def test_decoding_agrees_with_reference() -> None:
    scaler = TargetScaler.fit(np.linspace(0, 1, 4)[:, None])
    model = NGAEModel(EnasSpace(6), ModelConfig(hidden_dim=72), scaler, scaler, seed=0)
    z = 3 * torch.randn(300, 56, generator=torch.Generator().manual_seed(0))
    arguments = (z, model.decoder._initial(z), model.decoder._weights(), model.decoder.rules)
    found = decode(*arguments, seed=1, precision="bf16")
    expected = reference_decode.decode(*arguments, seed=1, precision="bf16")
    assert (found.node_type == expected.node_type).float().mean() > 0.999
    assert (found.adjacency == expected.adjacency).float().mean() > 0.999


@pytest.mark.usefixtures("native")
def test_same_bits_for_any_number_of_threads(
    threads: object, make_batch: MakeBatch, make_parameters: MakeParameters
) -> None:
    parameters = make_parameters(130, torch.float32)
    results = []
    for count in (1, 2, 3):
        threads(count)  # type: ignore[operator]
        h = dag_gru(make_batch(60), parameters, precision="bf16")
        results.append([h.detach(), *torch.autograd.grad(h.sum(), list(parameters))])
    for one, two, three in zip(*results, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


def test_product_rounds_both_operands() -> None:
    x = torch.tensor([[1.0, 1 + 2**-9]], requires_grad=True)  # the second rounds to 1
    weight = torch.tensor([[1.0, 1 + 2**-7]], requires_grad=True)
    y = product(x, weight, "bf16")
    y.backward()
    assert y.item() == 2 + 2**-7
    torch.testing.assert_close(x.grad, torch.tensor([[1.0, 1 + 2**-7]]), rtol=0, atol=0)
    torch.testing.assert_close(weight.grad, torch.tensor([[1.0, 1.0]]), rtol=0, atol=0)


def test_refuses_double_and_unknown(make_batch: MakeBatch, make_parameters: MakeParameters) -> None:
    message = r"dag_gru: precision: expected float32 for torch.float64, found 'bf16'"
    with pytest.raises(UsageError, match=message):
        dag_gru(make_batch(2), make_parameters(3), precision="bf16")
    with pytest.raises(UsageError, match=r"expected float32 or bf16 for torch.float32, found 'x'"):
        dag_gru(make_batch(2), make_parameters(3, torch.float32), precision="x")
