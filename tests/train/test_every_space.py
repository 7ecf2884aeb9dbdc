"""Every space trains with no case of its own, ragged, long and disconnected graphs, too."""

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import DataConfig, Table
from ngae.data.records import Dataset
from ngae.errors import GraphError
from ngae.rules import DecodeRules
from ngae.spaces import Cell, Chain, EnasSpace, SearchSpace, space_named
from ngae.train.folder import RunFolder, read_log
from ngae.train.session import run_training


class LongChain(Chain):
    operations = ("a", "b", "c")
    length, skips = 198, False


class LongCell(Cell):
    operations = ("a", "b")
    max_operations, min_operations, max_inputs = 198, 198, 3


class Islands(SearchSpace):
    """Graphs in which nodes may be fed by nothing and feed nothing, of one to five operations."""

    name, node_type_names, max_nodes = "islands", ("start", "end", "a", "b"), 7

    @property
    def rules(self):
        allowed = np.zeros((7, 4), dtype=bool)
        allowed[0, 0] = allowed[-1, 1] = True
        allowed[1:-1, 2:] = allowed[2:, 1] = True
        return DecodeRules(
            0, 1, allowed, np.triu(np.ones((7, 7), dtype=np.uint8), 1),
            np.zeros(4, dtype=np.int32), np.full(4, 7, dtype=np.int32), "free",
        )  # fmt: skip

    def check(self, dag):
        ends = (dag.node_types[0], dag.node_types[-1])
        if not 3 <= len(dag) <= 7 or ends != (0, 1) or set(dag.node_types[1:-1]) - {2, 3}:
            raise GraphError("islands: expected start, operations, end")

    def parse(self, text):
        raise NotImplementedError

    def format(self, dag):
        return str(dag)

    def sample(self, rng):
        count = int(rng.integers(1, 6))
        edges = np.triu(rng.random((count + 2, count + 2)) < 0.2, 1)
        pairs = tuple(zip(*(ends.tolist() for ends in edges.nonzero()), strict=True))
        return Dag((0, *rng.integers(2, 4, count).tolist(), 1), pairs, self)


SPACES = {
    "ENAS of 2 to 5 layers": EnasSpace(5, least_layers=2),
    "NAS-Bench-101": space_named("nas-bench-101"),
    "NAS-Bench-201": space_named("nas-bench-201"),
    "NAS-Bench-Graph": space_named("nas-bench-graph"),
    "recurrent": space_named("recurrent"),
    "200 nodes in a row": LongChain(),
    "200 nodes": LongCell(),
    "islands": Islands(),
}


def dataset(space, rows=60):
    rng = np.random.default_rng(0)
    dags = Dags.of([space.sample(rng) for _ in range(rows)], space)
    performance = np.array([sum(dag.node_types) / len(dag) for dag in dags])
    performance[::5] = np.nan  # unlabelled rows
    table = Table(
        "made", space, dags, performance, space.complexity(dags), "accuracy",
        space.complexity_names, np.arange(1, rows + 1), "embedded",
    )  # fmt: skip
    return Dataset(table, np.arange(48), np.arange(48, rows), DataConfig(), ())


@pytest.mark.parametrize("name", SPACES)
def test_trains_and_decodes_valid_architectures(name, tmp_path, config, changed):
    space = SPACES[name]
    folder = RunFolder(tmp_path / "run")
    config = changed(config, "train", epochs=16, lr=1e-2)
    finished = run_training(config, dataset(space), folder)
    log = read_log(folder.log)
    assert log[-1]["objective"] < log[0]["objective"] - 1  # nats a graph
    assert np.isfinite(log[-1]["performance"])
    assert finished.metrics["prior"]["validity"] == 1.0
    assert np.isfinite(finished.metrics["performance"]["rmse"])
    assert set(finished.metrics["complexity"]) == set(space.complexity_names)
    assert dataset(space).table.hashes == tuple(d.canonical_hash for d in dataset(space).table.dags)


def test_a_table_without_labels_has_no_performance(tmp_path, config):
    data = dataset(EnasSpace(3))
    data.table.performance[:] = np.nan
    finished = run_training(config, data, RunFolder(tmp_path / "run"))
    assert finished.model.performance is None
    assert finished.metrics["performance"] is None
    assert finished.metrics["complexity"]["params"]["rmse"] > 0
