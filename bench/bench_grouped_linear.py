"""The layers of the performance predictors, forward and backward: the native op beside torch's."""

import pytest
import torch

from ngae.ops import grouped_linear
from ngae.ops._library import forced

SHAPES = {  # groups, rows, inputs, outputs
    "predictors' first layer, batch 128": (8, 128, 56, 256),
    "predictors' second layer, batch 128": (8, 128, 256, 256),
}


def batched_product(x, weight, bias):
    """Compute the same by torch's product of many matrices."""
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


MAPS = {"torch": batched_product, "native": grouped_linear}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("way", ["forward", "backward"])
def bench_grouped_linear(benchmark, way, name, shape):
    groups, rows, inputs, outputs = SHAPES[shape]
    torch.manual_seed(0)
    x = torch.randn(groups, rows, inputs, requires_grad=True)
    weight = (torch.randn(groups, outputs, inputs) / inputs**0.5).requires_grad_()
    bias = torch.zeros(groups, outputs, requires_grad=True)
    dout = torch.randn(groups, rows, outputs)
    benchmark.group = f"grouped linear {way} {shape}"
    with forced("cpp"):
        out = MAPS[name](x, weight, bias)
        assert (out - batched_product(x, weight, bias)).norm() / out.norm() < 1e-5
        if way == "forward":
            benchmark.pedantic(MAPS[name], (x, weight, bias), rounds=9, warmup_rounds=2)
        else:
            arguments = (out, (x, weight, bias), dout, True)
            benchmark.pedantic(torch.autograd.grad, arguments, rounds=9, warmup_rounds=2)
    products = 1 if way == "forward" else 2
    operations = 2 * products * groups * rows * inputs * outputs
    benchmark.extra_info["gflops_per_s"] = operations / benchmark.stats["median"] / 1e9
