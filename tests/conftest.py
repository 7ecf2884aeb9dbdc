"""Fixtures that several rooms share."""

import os
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from ngae.cli import main
from ngae.data import Table
from ngae.spaces.enas import EnasSpace
from tests.browser import Browser


def pytest_configure(config):
    """With `-n`, let threads that wait leave the core to those of the other processes."""
    if getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's; torch keeps all


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n 2 --dist loadfile`, one process also runs all files of the emulation of CUDA."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            folder = file.rpartition("/")[0]
            return folder if folder.endswith("cuda_emulation") else file

    return Scheduler(config, log)


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


@pytest.fixture(scope="session")
def searched_run(tmp_path_factory):
    """Give the folder of a tiny run with a finished search; whoever changes it takes a copy."""
    folder = tmp_path_factory.mktemp("runs")
    space, rng = EnasSpace(3), np.random.default_rng(0)
    dags = list({space.sample(rng): None for _ in range(240)})[:80]
    lines = [f"{space.format(dag)}, {len(dag.edges) / 20}\n" for dag in dags]
    (folder / "t.txt").write_text("".join(lines))
    run = str(folder / "tiny")
    small = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "30", "--protocol-points", "5", "--epochs", "3", "--out", run]
    assert main(["train", "--data", str(folder / "t.txt"), *small, *few]) == 0
    flags = ["--budget", "6", "--num-starts", "16", "--steps", "5", "--oracle", "predicted"]
    assert main(["search", run, *flags, "--weight", "0.1"]) == 0
    return Path(run)


@pytest.fixture(scope="module")
def window():
    """Give a browser's window."""
    with Browser() as window:
        yield window
