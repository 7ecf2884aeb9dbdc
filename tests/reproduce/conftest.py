"""A tiny reproduction that several tests look at; those that change it take a copy."""

import shutil

import numpy as np
import pytest

from ngae.cli import main
from ngae.data.digits6 import load_digits6
from ngae.reproduce import stages

TINY = (
    "--epochs", "3", "--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8",
    "--predictor-dim", "8", "--prior-points", "30", "--protocol-points", "5", "--budget", "5",
    "--networks", "10", "--ascents", "5", "--map-points", "7", "--batch-size", "16",
)  # fmt: skip


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Write 120 rows of the embedded table as a CSV file."""
    known = load_digits6()
    path = tmp_path_factory.mktemp("table") / "t.csv"
    lines = ["arch,performance"]
    for row in np.random.default_rng(0).choice(len(known), 120, replace=False).tolist():
        text = known.space.format(known.dags[row])
        lines.append(f'"{text}",{float(known.performance[row])!r}')
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def made(table, tmp_path_factory):
    """Reproduce on that table, without Bayesian optimisation, which takes longest."""
    out = tmp_path_factory.mktemp("made") / "r"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "find_spec", lambda name: None)
        assert main(["reproduce", "--data", str(table), *TINY, "--out", str(out)]) == 0
    return out


@pytest.fixture
def copied(made, tmp_path):
    """Give a copy to change."""
    shutil.copytree(made, tmp_path / "r")
    return tmp_path / "r"


@pytest.fixture
def again(table, monkeypatch):
    """Give the command that made it, for any folder and with further flags."""
    monkeypatch.setattr(stages, "find_spec", lambda name: None)

    def run(out, *flags):
        return main(["reproduce", "--data", str(table), *TINY, "--out", str(out), *flags])

    return run
