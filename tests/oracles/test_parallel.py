import json
import threading
import time
from collections import Counter
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from multiprocessing import get_context

import pytest
from counting import Counting, Misbehaving, architectures, value_of

from ngae.errors import MissingExtraError, UsageError
from ngae.oracles import (
    Parallel,
    Training,
    TrainingConfig,
    evaluate_many,
    executor_dask,
    executor_named,
    executor_slurm,
    processes,
)
from ngae.oracles.base import BudgetExhaustedError, EvaluationError, ExecutorError
from ngae.oracles.ledger import Ledger
from ngae.oracles.shared_weights import SharedWeights
from ngae.spaces.enas import EnasSpace


def pool(workers=2):
    return lambda: ProcessPoolExecutor(workers, get_context("fork"))


@pytest.mark.parametrize("kind", ["here", "threads", "processes"])
def test_answers_come_in_order_and_once_each(tmp_path, evaluations, kind):
    dags = architectures(12)
    oracle = Counting(tmp_path / "n")
    asked = [*dags, dags[3], dags[0]]
    with ThreadPoolExecutor(3) as threads:
        executor = {"here": None, "threads": threads, "processes": pool()}[kind]
        answers = evaluate_many(oracle, asked, executor)
    assert [answer.performance for answer in answers] == [value_of(dag) for dag in asked]
    assert sorted(evaluations(tmp_path / "n")) == sorted(dag.canonical_hash for dag in dags)


def test_answers_are_given_as_they_come(tmp_path):
    dags = architectures(3)
    go = threading.Event()

    class Waiting(Counting):
        def query(self, dag):
            if dag is dags[0]:
                go.wait(30)
            return super().query(dag)

    with ThreadPoolExecutor(2) as threads:
        places = []
        for place, _ in Parallel(Waiting(tmp_path / "n"), threads).as_answered(dags):
            places.append(place)
            if len(places) == 2:
                go.set()
    assert places == [1, 2, 0]


@pytest.mark.parametrize(("guilty", "unlucky"), [(2, 5), (2, 3), (0, 1), (9, 8)])
def test_a_worker_that_dies_takes_no_other_one_along(tmp_path, evaluations, guilty, unlucky):
    dags = architectures(10)
    deeds = {dags[guilty].canonical_hash: "kill", dags[unlucky].canonical_hash: "kill once"}
    oracle = Misbehaving(tmp_path / "n", deeds, 0.02)
    with (
        Ledger(tmp_path / "l", retries=1) as ledger,
        Parallel(oracle, pool(), ledger) as parallel,
    ):
        answers = parallel.query_many(dags)
        again = parallel.query_many(dags)
    failed = [place for place, answer in enumerate(answers) if not answer.ok]
    assert failed == [guilty]
    assert "the worker died: BrokenProcessPool" in answers[guilty].error
    assert answers[guilty].error.endswith("(after 2 attempts)")
    assert [a.performance for a in answers if a.ok] == [
        value_of(dag) for place, dag in enumerate(dags) if place != guilty
    ]
    counts = Counter(evaluations(tmp_path / "n"))
    assert max(counts.values()) == counts[dags[guilty].canonical_hash] <= 3
    assert all(a is b for a, b in zip(answers, again, strict=True))
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.used == 10
        assert not ledger.answer(dags[guilty]).ok


def test_without_a_factory_a_broken_pool_ends_it_and_nothing_is_lost(tmp_path):
    dags = architectures(6)
    oracle = Misbehaving(tmp_path / "n", {dags[0].canonical_hash: "kill once"}, 0.02)
    with Ledger(tmp_path / "l", retries=1) as ledger:
        with pool(1)() as broken, pytest.raises(EvaluationError, match="found a broken one"):
            Parallel(oracle, broken, ledger).query_many(dags)
        assert ledger.unanswered(oracle.space) == [dags[0]]
        with Parallel(oracle, pool(1), ledger) as parallel:
            answers = parallel.query_many(dags)
    assert [answer.performance for answer in answers] == [value_of(dag) for dag in dags]


def test_errors_fail_alone(tmp_path, evaluations):
    dags = architectures(6)
    deeds = {dags[1].canonical_hash: "error", dags[4].canonical_hash: "diverge"}
    oracle = Misbehaving(tmp_path / "n", deeds)
    with ThreadPoolExecutor(2) as threads:
        answers = evaluate_many(oracle, dags, threads, retries=2)
    assert answers[1].error == "RuntimeError: out of memory (after 3 attempts)"
    assert answers[4].error == "the loss is nan"
    assert [answer.ok for answer in answers] == [True, False, True, True, False, True]
    assert Counter(evaluations(tmp_path / "n"))[dags[1].canonical_hash] == 3


def test_what_hangs_is_given_up_and_its_process_ended(tmp_path):
    dags = architectures(6)
    deeds = {dag.canonical_hash: "hang" for dag in (dags[0], dags[3], dags[5])}
    oracle = Misbehaving(tmp_path / "n", deeds)
    start = time.monotonic()
    with Parallel(oracle, pool(), timeout_s=0.6) as parallel:
        answers = parallel.query_many(dags)
    assert time.monotonic() - start < 20
    assert [answer.ok for answer in answers] == [False, True, True, False, True, False]
    assert answers[0].error == "no answer within 0.6 s"


def test_the_budget_ends_it_after_what_is_under_way(tmp_path, evaluations):
    dags = architectures(6)
    ledger = Ledger(budget=4)
    with ThreadPoolExecutor(2) as threads:
        parallel = Parallel(Counting(tmp_path / "n", 0.01), threads, ledger)
        with pytest.raises(BudgetExhaustedError):
            parallel.query_many(dags)
        assert all(ledger.answer(dag).ok for dag in dags[:4])
        assert [a.ok for a in parallel.query_many(dags[:4])] == [True] * 4
    assert (parallel.queries, len(evaluations(tmp_path / "n"))) == (4, 4)


def test_who_stops_listening_loses_nothing(tmp_path):
    dags = architectures(8)
    ledger = Ledger()
    with ThreadPoolExecutor(3) as threads:
        answers = Parallel(Counting(tmp_path / "n", 0.01), threads, ledger).as_answered(dags)
        next(answers)
        answers.close()
        assert ledger.unanswered(Counting.space) == []
        assert 1 <= ledger.used < 8


def test_an_executor_that_refuses_is_not_asked_for_ever(tmp_path):
    class Closed:
        def submit(self, function, *arguments):
            raise BrokenExecutor("closed")

    with pytest.raises(EvaluationError, match="takes calls, found BrokenExecutor: closed"):
        evaluate_many(Counting(tmp_path / "n"), architectures(2), Closed)


def test_futures_of_other_kinds_are_waited_for(tmp_path):
    class Job:
        def __init__(self, call):
            self.call, self.looks = call, 0

        def done(self):
            self.looks += 1
            return self.looks > 1

        def result(self):
            return self.call()

    class Slurm:
        def submit(self, function, *arguments):
            return Job(lambda: function(*arguments))

    dags = architectures(2)
    answers = evaluate_many(Counting(tmp_path / "n"), dags, Slurm())
    assert [answer.performance for answer in answers] == [value_of(dag) for dag in dags]


@pytest.mark.parametrize("cancelled", [True, False])
def test_who_drops_calls_or_is_gone_costs_no_attempt(tmp_path, cancelled):
    class Dropped:
        def done(self):
            return True

        def result(self):
            raise CancelledError if cancelled else ExecutorError("the scheduler is gone")

    class Dropping:
        def submit(self, function, *arguments):
            return Dropped()

    oracle = Counting(tmp_path / "n")
    found = "found that it drops its calls" if cancelled else "the scheduler is gone"
    with Ledger(tmp_path / "l") as ledger, pytest.raises(ExecutorError, match=found):
        Parallel(oracle, Dropping(), ledger, workers=2).query_many(architectures(3))
    with Ledger(tmp_path / "l") as ledger:
        assert [e["event"] for e in ledger.events] == [
            "opened", "asked", "asked", "withdrawn", "withdrawn",
        ]  # fmt: skip
        assert ledger.used == 0


def test_a_refusal_comes_back_whole_from_another_process(tmp_path, evaluations):
    """Errors of ngae with other arguments than a message used to break the pool."""
    dags = architectures(3)
    oracle = Misbehaving(tmp_path / "n", {dags[1].canonical_hash: "lack"})
    with (
        Ledger(tmp_path / "l") as ledger,
        Parallel(oracle, pool(1), ledger) as parallel,
        pytest.raises(MissingExtraError, match="a film needs the package reels") as caught,
    ):
        parallel.query_many(dags)
    assert caught.value.remedy == "pip install 'ngae[film]'"
    assert len(evaluations(tmp_path / "n")) == 2
    with Ledger(tmp_path / "l") as ledger:
        assert (ledger.used, ledger.answer(dags[0]).ok) == (1, True)


def test_executors_go_by_names(tmp_path, monkeypatch):
    monkeypatch.setattr(executor_dask, "dask_workers", lambda *given: ("dask", *given))
    monkeypatch.setattr(
        executor_slurm, "slurm_jobs", lambda *given, **settings: ("slurm", *given, settings)
    )

    def named(name):
        return executor_named(name, 3, tmp_path)

    assert named("dask://host:8786") == ("dask", "tcp://host:8786", 3)
    assert named("dask:tls://host:8786") == ("dask", "tls://host:8786", 3)
    assert named("dask:a/s.json") == ("dask", "a/s.json", 3)
    assert named("slurm") == ("slurm", tmp_path, 3, {})
    settings = {"partition": "a b", "time": 5, "exclusive": True, "gpus_per_node": 1}
    text = "slurm partition='a b' time=5 exclusive --gpus-per-node=1 setup='x y=1' setup=z"
    assert named(text) == ("slurm", tmp_path, 3, {**settings, "setup": ["x y=1", "z"]})
    for name in ("dask", "dask:", "slurms", "threads", ""):
        with pytest.raises(UsageError, match=r"--executor: expected one of processes, dask://"):
            named(name)
    with pytest.raises(UsageError, match="--executor slurm: expected NAME=VALUE, found '=3'"):
        named("slurm =3")
    with pytest.raises(UsageError, match="--executor slurm: expected closed quotes"):
        named("slurm a='3")


def test_wrong_use_is_refused(tmp_path):
    oracle = Counting(tmp_path / "n")
    with pytest.raises(UsageError, match="retries: expected those of the ledger, 1, found 2"):
        Parallel(oracle, None, Ledger(), retries=2)
    with pytest.raises(UsageError, match="timeout_s: expected a number above 0"):
        Parallel(oracle, pool(), timeout_s=0)
    with pytest.raises(UsageError, match="timeout_s: expected an executor to be timed"):
        Parallel(oracle, timeout_s=1)
    with pytest.raises(UsageError, match="workers: expected a number from 1, found 0"):
        processes(0)


@pytest.mark.end_to_end
def test_oracles_with_weights_and_images_travel_to_other_processes(tmp_path):
    space = EnasSpace(2)
    dags = [space.parse(text) for text in ("[[0], [1, 1]]", "[[4], [2, 0]]", "[[3], [3, 0]]")]
    training = Training(space, TrainingConfig(epochs=1, batch_size=300))
    expected = [training.query(dag).performance for dag in dags]
    with Ledger(tmp_path / "l") as ledger, Parallel(training, processes(2), ledger) as parallel:
        assert [answer.performance for answer in parallel.query_many(dags)] == expected
    opened = json.loads((tmp_path / "l").read_text().splitlines()[0])
    assert opened["oracle"].startswith("train, enas2, MacroConfig(channels=8")
    shared = SharedWeights.for_digits6()
    texts = [str([[(k + first) % 6] + [0] * k for k in range(6)]) for first in range(3)]
    dags = [shared.space.parse(text) for text in texts]
    counts = shared.count_correct(dags).tolist()
    answers = evaluate_many(shared, dags, processes(1))
    assert [answer.detail["correct"] for answer in answers] == counts
