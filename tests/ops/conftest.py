"""What the tests of the ops share: every backend, random batches, random weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae import _native
from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.ops import DagGruParameters

BACKENDS = [f"cpp-{level}" for level in _native.load().cpu_levels()] + ["torch"]


def use(monkeypatch: pytest.MonkeyPatch, backend: str) -> str:
    name, _, level = backend.partition("-")
    monkeypatch.setenv("NGAE_OPS", name)
    monkeypatch.setenv("NGAE_CPU", level)
    return backend


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test once on each backend and instruction set that this machine has."""
    return use(monkeypatch, request.param)


@pytest.fixture(params=BACKENDS[:-1])
def native(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test once on each instruction set of the native backend."""
    return use(monkeypatch, request.param)


@pytest.fixture
def threads() -> object:
    """Return a function that sets torch's number of threads until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


MakeBatch = Callable[..., GraphBatch]
MakeParameters = Callable[..., DagGruParameters]


@pytest.fixture
def make_batch() -> MakeBatch:
    """Return a function that makes ragged random graphs of 1 to 7 nodes with 4 node types."""

    def make(num_graphs: int, seed: int = 0, max_nodes: int = 7) -> GraphBatch:
        rng = np.random.default_rng(seed)
        dags = []
        for n in rng.integers(1, max_nodes + 1, size=num_graphs):
            pairs = itertools.combinations(range(int(n)), 2)
            edges = tuple((u, v) for u, v in pairs if v == u + 1 or rng.random() < 0.4)
            dags.append(Dag(tuple(rng.integers(4, size=n).tolist()), edges))
        return GraphBatch.pack(dags)

    return make


@pytest.fixture
def make_parameters() -> MakeParameters:
    """Return a function that makes random weights for 4 node types and 7 places."""

    def make(
        hidden: int,
        dtype: torch.dtype = torch.float64,
        index: bool = True,
        types: int = 4,
        seed: int = 0,
    ) -> DagGruParameters:
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> Tensor:
            values = torch.randn(*shape, generator=generator, dtype=torch.float64)
            return (values / hidden**0.5).to(dtype).requires_grad_()

        return DagGruParameters(
            w_ih=draw(3 * hidden, types),
            b_ih=draw(3 * hidden),
            w_hh=draw(3 * hidden, hidden),
            b_hh=draw(3 * hidden),
            w_gate=draw(hidden, hidden),
            b_gate=draw(hidden),
            w_map=draw(hidden, hidden),
            gate_index=draw(7, hidden) if index else None,
            map_index=draw(7, hidden) if index else None,
        )

    return make
