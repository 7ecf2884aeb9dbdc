"""Linear maps of the model's shapes, forward and backward: the native op beside torch's own."""

import pytest
import torch
from torch.nn import functional

from ngae.ops import linear
from ngae.ops._library import forced

SHAPES = {  # rows, inputs, outputs
    "unify hidden 501 batch 256": (256, 8 * 1002, 501),
    "unify hidden 501 batch 32": (32, 8 * 1002, 501),
    "heads hidden 501 batch 256": (1536, 501, 256),
    "heads hidden 256 batch 64": (384, 256, 256),
}
MAPS = {
    "torch": functional.linear,
    "float32": linear,
    "bf16": lambda *arguments: linear(*arguments, precision="bf16"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("way", ["forward", "backward"])
def bench_linear(benchmark, way, name, shape):
    rows, inputs, outputs = SHAPES[shape]
    torch.manual_seed(0)
    x = torch.randn(rows, inputs, requires_grad=True)
    weight = (torch.randn(outputs, inputs) / inputs**0.5).requires_grad_()
    bias, dout = torch.zeros(outputs, requires_grad=True), torch.randn(rows, outputs)
    benchmark.group = f"linear {way} {shape}"
    with forced("cpp"):
        out = MAPS[name](x, weight, bias)
        error = (out - functional.linear(x, weight, bias)).norm() / out.norm()
        assert error < (2e-2 if name == "bf16" else 1e-5)
        if way == "forward":
            benchmark.pedantic(MAPS[name], (x, weight, bias), rounds=9, warmup_rounds=2)
        else:
            benchmark.pedantic(
                torch.autograd.grad, (out, (x, weight, bias), dout, True), rounds=9, warmup_rounds=2
            )
    products = 1 if way == "forward" else 2
    operations = 2 * products * rows * inputs * outputs
    benchmark.extra_info["gflops_per_s"] = operations / benchmark.stats["median"] / 1e9
