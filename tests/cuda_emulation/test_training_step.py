"""A training step by the kernels, everything else as on a GPU, against the CPU engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae.data.digits6 import load_digits6
from ngae.models import LossConfig, ModelConfig, NGAEModel, TargetScaler, objective
from ngae.models.inputs import Inputs
from ngae.ops import _library, dag_gru_cuda

GRAPHS = 12


@contextmanager
def kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the implementations for CUDA wherever ops are called."""
    with monkeypatch.context() as patch, torch.library._scoped_library("ngae", "IMPL") as library:
        patch.setattr(_library, "backend", lambda function, device: "cuda")
        library.impl("dag_gru", dag_gru_cuda.forward, "CPU")
        library.impl("dag_gru_backward", dag_gru_cuda.backward, "CPU")
        by_sorting = import_module("ngae.ops.gather_rows")._backward_by_sorting
        library.impl("gather_rows_backward", by_sorting, "CPU")
        yield


def step(model: NGAEModel, inputs: Inputs) -> tuple[list[Tensor], list[Tensor]]:
    """The terms of the objective, and the gradients of all weights."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(GRAPHS, model.config.latent_dim, generator=generator)
    terms = model(inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, noise)
    total = objective(terms, LossConfig())
    gradients = torch.autograd.grad(total, list(model.parameters()))
    return list(terms.as_dict().values()), list(gradients)


@pytest.mark.filterwarnings("ignore:Warning only once for all operators")
@pytest.mark.parametrize("bidirectional", [True, False])
def test_terms_and_gradients(engine, monkeypatch, bidirectional):
    table = load_digits6()
    config = ModelConfig(
        hidden_dim=20, latent_dim=8, head_dim=12, predictor_dim=10, bidirectional=bidirectional
    )
    model = NGAEModel(
        table.space,
        config,
        TargetScaler.fit(table.performance[:, None]),
        TargetScaler.fit(table.complexity),
        seed=0,
    )
    inputs = Inputs.of(table, np.arange(GRAPHS), torch.device("cpu"))
    inputs = replace(inputs, batch=inputs.batch.with_merged())
    assert inputs.batch.merged is not None
    right_terms, right = step(model, inputs)
    engine.check(False)  # the model's own tensors are not known to the checker
    launches = engine.launches
    with kernels(monkeypatch):
        terms, gradients = step(model, inputs)
    assert engine.launches > launches + 40
    torch.testing.assert_close(terms, right_terms, rtol=1e-5, atol=1e-5)
    for (name, _), found, gradient in zip(model.named_parameters(), gradients, right, strict=True):
        most = max(1e-3, float(gradient.abs().max()))
        assert float((found - gradient).abs().max()) <= 2e-5 * most, name
