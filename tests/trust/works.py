"""What is killed: a training, its evaluation, searches; each tiny, and the same every time."""

import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from ngae.cli import main
from ngae.data import DataConfig, Table
from ngae.data.records import Dataset
from ngae.evaluate.config import EvaluateConfig
from ngae.models.config import ModelConfig
from ngae.oracles.base import Answer
from ngae.oracles.table import Table as TableOracle
from ngae.search.config import EvolutionConfig
from ngae.search.evolution import EvolutionSearch
from ngae.search.problem import Objective, Problem
from ngae.search.session import Session
from ngae.spaces.enas import EnasSpace
from ngae.train.config import RunConfig, TrainConfig
from ngae.train.folder import RunFolder
from ngae.train.session import run_training

SPACE = EnasSpace(3)
BUDGET = 8
_query = TableOracle.query


def small(epochs=2):
    return RunConfig(
        model=ModelConfig(hidden_dim=8, latent_dim=4, head_dim=8, predictor_dim=8),
        train=TrainConfig(epochs=epochs, batch_size=10, warmup_steps=3),
        evaluate=EvaluateConfig(prior_points=10, protocol_points=2, evaluate_batch_size=32),
    )


def architectures(count):
    rng = np.random.default_rng(0)
    return list({SPACE.sample(rng): None for _ in range(4 * count)})[:count]


def dataset():
    dags = architectures(36)
    performance = np.array([value_of(dag) for dag in dags])
    table = Table(
        "made", SPACE, tuple(dags), performance, SPACE.complexity(dags), "accuracy",
        SPACE.complexity_names, np.arange(1, 37), "embedded",
    )  # fmt: skip
    return Dataset(table, np.arange(30), np.arange(30, 36), DataConfig(), ())


def value_of(dag):
    return sum(dag.node_types) / 100 + len(dag.edges) / 30


def train(folder):
    run_training(small(), dataset(), RunFolder(Path(folder)), resume=True)
    return 0


def make_run(folder):
    """A finished run of a table in a file, for searches by its model."""
    lines = [f"{SPACE.format(dag)}, {value_of(dag)}\n" for dag in architectures(120)]
    table = Path(folder).parent / "t.txt"
    table.write_text("".join(lines))
    sizes = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "5", "--protocol-points", "2", "--epochs", "1", "--batch-size", "10"]
    return main(["train", "--data", str(table), *sizes, *few, "--out", str(folder)])


def evaluate(folder):
    """The command that measures a finished run."""
    few = ["--prior-points", "10", "--protocol-points", "2"]
    return main(["evaluate", str(folder), *few, "--json"])


def note(path, text):
    """Append a line at once, past the calls that are counted."""
    with open(path, "a") as file:
        file.write(text + "\n")


def search(run, folder, paid):
    """The command that searches with the run's model; what it pays for is noted."""

    def paying(self, dag):
        note(paid, dag.canonical_hash)
        return _query(self, dag)

    TableOracle.query = paying
    few = ["--budget", str(BUDGET), "--num-starts", "4", "--steps", "2", "--batch", "2"]
    return main(["search", run, "--out", folder, "--oracle", "table", *few, "--initial", "2"])


def ask_and_tell(folder, paid):
    """A script of a user who evaluates."""
    problem = Problem(SPACE, Table.empty(SPACE), objective=Objective(()))
    own = EvolutionConfig(population=4, tournament=2)
    session = Session(
        problem, lambda p: EvolutionSearch(p, 0, own), {"search": {"seed": 0}}, folder
    )
    while session.queries < BUDGET or session.pending:
        for dag in session.pending or session.ask(min(3, BUDGET - session.queries)):
            note(paid, dag.canonical_hash)
            session.tell([(dag, Answer(value_of(dag), {"ms": 1.0}, 0.0))])
    session.save()
    session.close()
    return 0


def warm_up(folder):
    """Do what torch and ngae do once, so that no child does it."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        train(f"{folder}/train")
        make_run(f"{folder}/run")
        search(f"{folder}/run", f"{folder}/search", f"{folder}/paid")
        ask_and_tell(f"{folder}/told", f"{folder}/paid")


WORKS = {
    "train": train, "make_run": make_run, "evaluate": evaluate, "search": search,
    "ask_and_tell": ask_and_tell,
}  # fmt: skip


def quiet(path):
    """Send what this process prints into a file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
