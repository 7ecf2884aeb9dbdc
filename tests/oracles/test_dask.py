"""A Dask cluster over TCP: a scheduler and two workers, each a process, and what dies of them."""

import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from conftest import HERE
from counting import Counting, Misbehaving, architectures, value_of

from ngae.cli import main
from ngae.errors import MissingExtraError, UsageError
from ngae.oracles import Parallel, dask_workers, evaluate_many
from ngae.oracles.base import ExecutorError
from ngae.oracles.ledger import Ledger

distributed = pytest.importorskip("distributed", reason="pip install 'ngae[dask]'")
pytestmark = pytest.mark.end_to_end
# One that has no ngae.
STRANGER = "import sys\nsys.modules['ngae'] = None\nfrom dask.__main__ import main\nmain()"


class Cluster:
    """A scheduler on a free port of 127.0.0.1, and workers without nannies, of one thread."""

    def __init__(self, folder):
        self.folder = folder
        self.workers = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")

    @property
    def file(self):
        return str(self.folder / "scheduler.json")

    def with_workers(self, count):
        """Start as many workers as are missing, and wait for all."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        for _ in range(count - len(self.workers)):
            self.workers.append(self._start("worker", "--no-nanny", "--nthreads", "1"))
        with self.client() as client:
            client.wait_for_workers(count, timeout=120)
            while len(client.nthreads()) != count:  # those that were killed
                time.sleep(0.05)
        return self

    def client(self):
        return distributed.Client(scheduler_file=self.file, set_as_default=False, timeout=120)

    def end(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, kind, *flags, code=()):
        command = [sys.executable, *(code or ("-m", "dask")), kind]
        command += ["--no-dashboard", "--scheduler-file", self.file, *flags]
        environment = {**os.environ, "PYTHONPATH": HERE, "OMP_NUM_THREADS": "1"}
        log = (self.folder / "log").open("a")
        with log:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log
            )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.end()


def test_a_killed_worker_costs_an_attempt_and_nothing_else(cluster, tmp_path, evaluations):
    cluster.with_workers(2)
    dags = architectures(10)
    unlucky = dags[4].canonical_hash
    oracle = Misbehaving(tmp_path / "n", {unlucky: "kill once"}, 0.05)
    with Ledger(tmp_path / "l", retries=1) as ledger:
        with Parallel(oracle, dask_workers(cluster.file), ledger) as parallel:
            answers = parallel.query_many(dags)
        assert [answer.performance for answer in answers] == [value_of(dag) for dag in dags]
        asked = Counter(e["hash"] for e in ledger.events if e["event"] == "asked")
        withdrawn = [e for e in ledger.events if e["event"] == "withdrawn"]
    assert Counter(evaluations(tmp_path / "n")) == asked
    assert asked == Counter([dag.canonical_hash for dag in dags] + [unlucky])
    assert withdrawn == []


def test_an_architecture_that_kills_its_workers_fails_alone(cluster, tmp_path, evaluations):
    cluster.with_workers(2)
    dags = architectures(4)
    oracle = Misbehaving(tmp_path / "n", {dags[1].canonical_hash: "kill"}, 0.05)
    with (
        Ledger(tmp_path / "l", retries=0) as ledger,
        Parallel(oracle, dask_workers(cluster.file, 2), ledger) as parallel,
    ):
        answers = parallel.query_many(dags)
    assert [answer.ok for answer in answers] == [True, False, True, True]
    assert "WorkerLostError: worker tcp://127.0.0.1:" in answers[1].error
    assert answers[1].error.endswith("died (after 1 attempt)")
    assert sorted(evaluations(tmp_path / "n")) == sorted(dag.canonical_hash for dag in dags)


def test_errors_come_back_as_from_processes(cluster, tmp_path, evaluations):
    """By Dask's own executor, too."""
    cluster.with_workers(1)
    dags = architectures(4)
    deeds = {dags[1].canonical_hash: "error", dags[2].canonical_hash: "diverge"}
    oracle = Misbehaving(tmp_path / "n", deeds)
    with cluster.client() as client:
        for executor in (dask_workers(client), client.get_executor()):
            answers = evaluate_many(oracle, dags, executor, retries=1)
            assert [answer.performance for answer in answers if answer.ok] == [
                value_of(dags[0]),
                value_of(dags[3]),
            ]
            assert answers[1].error == "RuntimeError: out of memory (after 2 attempts)"
            assert answers[2].error == "the loss is nan"
        assert client.status == "running"
    assert Counter(evaluations(tmp_path / "n"))[dags[1].canonical_hash] == 4


def found(folder):
    lines = (folder / "trials.jsonl").read_text().splitlines()
    return [(t["hash"], t["performance"], t["status"]) for t in map(json.loads, lines)]


def test_a_search_goes_on_where_its_scheduler_was_killed(cluster, tmp_path, capsys):
    cluster.with_workers(2)
    with cluster.client() as client:
        place = client.scheduler.address
    lines, victim = tmp_path / "evaluated", tmp_path / "victim"
    judge = tmp_path / "judge.py"
    judge.write_text(
        f"#!{sys.executable}\nimport json, os, signal, sys\n"
        "given = json.load(open(sys.argv[1]))\n"
        f"with open({str(lines)!r}, 'a') as file:\n"
        "    file.write(given['architecture'] + '\\n')\n"
        f"if os.path.exists({str(victim)!r}) and len(open({str(lines)!r}).readlines()) >= 5:\n"
        f"    os.kill(int(open({str(victim)!r}).read()), signal.SIGKILL)\n"
        "print(len(given['edges']) / 20)\n"
    )
    judge.chmod(0o755)
    victim.write_text(str(cluster.scheduler.pid))

    def search(out, *flags):
        return main(
            ["search", "--space", "enas3", "--strategy", "random", "--budget", "8", "--batch", "2",
             "--oracle", f"command {judge} {{arch}}", "--out", str(tmp_path / out), *flags]
        )  # fmt: skip

    flags = ["--workers", "2", "--executor"]
    assert search("parts", *flags, f"dask:{place}") == 1
    shown = capsys.readouterr().err
    assert "error: Dask: expected a scheduler that answers, found that it is gone" in shown
    assert len(found(tmp_path / "parts")) == 4
    events = (tmp_path / "parts" / "ledger.jsonl").read_text().splitlines()
    counts = Counter(json.loads(event)["event"] for event in events)
    assert counts["answered"] == 4 == counts["asked"] - counts["withdrawn"]
    victim.unlink()
    assert search("parts", *flags, f"dask:{place}") == 1
    assert f"expected a scheduler at {place}, found: " in capsys.readouterr().err
    assert search("parts") == 0
    assert search("whole") == 0
    assert found(tmp_path / "parts") == found(tmp_path / "whole")


def test_workers_without_ngae_are_refused(tmp_path):
    cluster = Cluster(tmp_path)
    try:
        cluster.workers.append(cluster._start("worker", "--no-nanny", code=("-c", STRANGER)))
        with pytest.raises(ExecutorError, match=r"worker tcp://.*: expected ngae .*, found .*ngae"):
            evaluate_many(Counting(tmp_path / "n"), architectures(1), dask_workers(cluster.file))
    finally:
        cluster.end()


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(UsageError, match="workers: expected a number from 1, found 0"):
        dask_workers("tcp://127.0.0.1:1", 0)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match="Dask needs the package distributed"):
        dask_workers("tcp://127.0.0.1:1")()
