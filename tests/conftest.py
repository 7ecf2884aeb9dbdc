"""Fixtures that several rooms share."""

import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from ngae.data import Table


@pytest.fixture
def make_table():
    """Make a table of random architectures with a performance that depends on them."""

    def make(rows, space, seed=0):
        rng = np.random.default_rng(seed)
        dags, seen = [], set()
        while len(dags) < rows:
            dag = space.sample(rng)
            if dag.canonical_hash not in seen:
                seen.add(dag.canonical_hash)
                dags.append(dag)
        performance = np.array([len(d.edges) / 30 + sum(d.node_types) / 100 for d in dags])
        return Table(
            "made", space, tuple(dags), performance, space.complexity(dags), "accuracy",
            space.complexity_names, np.arange(1, rows + 1), "embedded",
        )  # fmt: skip

    return make


@pytest.fixture
def cuda_device():
    """Give the current CUDA device; skip the test where there is none."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device("cuda", torch.cuda.current_device())


@pytest.fixture
def without_waiting(cuda_device):
    """Give a context in which it is an error that the host waits for the device."""

    def switch(mode):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that this mode is a prototype
            torch.cuda.set_sync_debug_mode(mode)

    @contextmanager
    def refuse():
        switch("error")
        try:
            yield
        finally:
            switch("default")

    return refuse
