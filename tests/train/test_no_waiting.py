"""A step of training without the host waiting for the device, shown where there is no GPU.

The model lives on the meta device, whose tensors have shapes and no values: whoever reads a value
there, or a shape that depends on values, raises. A dispatch mode also refuses copies between the
host and the device within a step. The native ops are their fake kernels.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ngae.models import LossConfig, ModelConfig, NGAEModel, TargetScaler, objective
from ngae.models.inputs import Inputs
from ngae.spaces.enas import EnasSpace
from ngae.train.folder import RunFolder
from ngae.train.loop import Trainer
from ngae.train.session import run_training

META = torch.device("meta")


def tensors_of(values):
    return [t for t in torch.utils._pytree.tree_leaves(values) if isinstance(t, torch.Tensor)]


class NoWaiting(TorchDispatchMode):
    """Refuses ops that make the host wait for a device: reads of values, copies to or from it."""

    READS = (
        torch.ops.aten._local_scalar_dense,
        torch.ops.aten.item,
        torch.ops.aten.equal,
        torch.ops.aten.is_nonzero,
        torch.ops.aten.nonzero,
        torch.ops.aten.masked_select,
        torch.ops.aten._unique2,
        torch.ops.aten.bincount,
    )

    def __init__(self):
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls += 1
        kwargs = kwargs or {}
        given = tensors_of((args, kwargs))
        off_host = [t for t in given if t.device.type != "cpu"]
        if off_host and func.overloadpacket in self.READS:
            raise AssertionError(f"{func} reads values of the device")
        if off_host and func.overloadpacket is torch.ops.aten.index:
            masks = [t for t in tensors_of(args[1]) if t.dtype in (torch.bool, torch.uint8)]
            assert not masks, "indexing by a mask waits for its count"
        out = func(*args, **kwargs)
        places = {t.device.type for t in (*given, *tensors_of(out))}
        if func.namespace == "aten" and len(places) > 1:
            copied = [t for t in (*given, *tensors_of(out)) if t.device.type == "cpu"]
            assert all(t.dim() == 0 for t in copied) and "cpu" not in {
                t.device.type for t in tensors_of(out)
            }, f"{func} copies between host and device"
        return out


@pytest.fixture
def native_meta(monkeypatch):
    """Let the doors take tensors of the meta device to the native ops, as they do on CUDA."""
    monkeypatch.setattr("ngae.ops._library.backend", lambda function, device: "cuda")


FORMS = {
    "default": {},
    "paper": {"readout": "output", "latent_in_heads": False},
    "one way, no index": {"readout": "output", "bidirectional": False, "vertex_index": False},
    "no predictors": {"performance_predictor": False, "complexity_predictor": False},
}


def model_and_inputs(form, make_table, rows=6):
    table = make_table(8, EnasSpace(4))
    sizes = {"hidden_dim": 12, "latent_dim": 5, "head_dim": 7, "predictor_dim": 6}
    model = NGAEModel(
        table.space, ModelConfig(**sizes, **form), TargetScaler.fit(table.performance[:, None]),
        TargetScaler.fit(table.complexity), seed=3,
    ).to(META)  # fmt: skip
    return model, Inputs.of(table, np.arange(rows), META)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.usefixtures("native_meta")
def test_forward_and_backward(form, make_table):
    model, inputs = model_and_inputs(form, make_table)
    noise = torch.empty(6, 5, device=META)
    with NoWaiting() as mode:
        terms = model(inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, noise)
        total = objective(terms, LossConfig())
        total.backward()
    assert mode.calls > 100
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None for gradient in gradients)
    assert {gradient.device.type for gradient in gradients} == {"meta"}


@pytest.mark.usefixtures("native_meta")
def test_whole_steps_up_to_the_reading(tmp_path, data, config, changed):
    trainer = Trainer(changed(config, "train", device="meta"), data, RunFolder(tmp_path))
    trainer.model.train()
    inputs = Inputs.of(data.train, np.arange(10), META)
    noise = trainer._noise(10)
    for _ in range(49):
        with NoWaiting():
            trainer._learn(inputs, noise)
        trainer.step += 1
    assert len(trainer.terms.unread) == 49
    with pytest.raises(NotImplementedError), NoWaiting():  # the 50th step reads the terms
        trainer._learn(inputs, noise)


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x.sum().item(),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.cpu(),
        lambda x: torch.equal(x, x),
        lambda x: x + torch.ones(3).to(META),
        lambda x: torch.masked_select(x, x > 0),
        lambda x: bool(x.sum()),
    ],
)
def test_the_mode_refuses_what_waits(wait):
    with pytest.raises((AssertionError, NotImplementedError, RuntimeError)), NoWaiting():
        wait(torch.empty(3, device=META))


@pytest.mark.gpu
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_device_is_not_waited_for(form, make_table, cuda_device, without_waiting):
    table = make_table(8, EnasSpace(4))
    sizes = {"hidden_dim": 12, "latent_dim": 5, "head_dim": 7, "predictor_dim": 6}
    model = NGAEModel(
        table.space, ModelConfig(**sizes, **form), TargetScaler.fit(table.performance[:, None]),
        TargetScaler.fit(table.complexity), seed=3,
    )  # fmt: skip
    noise = torch.ones(6, 5)
    results = []
    for device in (torch.device("cpu"), cuda_device):
        model = model.to(device)
        model.zero_grad()
        arguments = (noise.to(device),)
        with without_waiting() if device.type == "cuda" else nullcontext():
            inputs = Inputs.of(table, np.arange(6), device)
            terms = model(
                inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, *arguments
            )
            total = objective(terms, LossConfig())
            total.backward()
        results.append([total.detach().cpu(), *(p.grad.cpu() for p in model.parameters())])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda_device")
def test_a_run_on_a_device(tmp_path, data, config, changed):
    for name in ("one", "other"):
        run_training(changed(config, "train", device="cuda"), data, RunFolder(tmp_path / name))
    one, other = (RunFolder(tmp_path / name) for name in ("one", "other"))
    assert one.last.read_bytes() == other.last.read_bytes()
