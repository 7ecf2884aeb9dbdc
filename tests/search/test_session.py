"""Ask and tell: what is asked, what is refused, and that a search goes on after a kill."""

import json
import math
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import ngae
from ngae.errors import GraphError, RefusedError, UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.oracles.base import Answer
from ngae.search import SearchConfig
from ngae.search.config import GradientConfig
from ngae.search.problem import Problem
from ngae.search.run import problem_of
from ngae.search.session import Session
from ngae.search.surrogate import SurrogateSearch
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)


def value_of(dag):
    return len(dag.edges) / 30 + sum(dag.node_types) / 100


def tell(search, dags):
    for dag in dags:
        search.tell(dag, performance=value_of(dag))


@pytest.fixture
def search():
    """A search without a model."""
    return ngae.Search(SPACE, strategy="evolution", seed=3)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Judge:
    name = "judge"
    space = SPACE
    queries = 0

    def query(self, dag):
        return Answer(value_of(dag), ngae.oracles.base.complexity_of(SPACE, dag), 0.0)


@pytest.mark.parametrize("strategy", ["random", "evolution", "local", "nsga2", "reinforce"])
def test_asking_by_rounds_finds_what_run_finds(strategy):
    whole = ngae.Search(SPACE, strategy=strategy, seed=2, batch=4).run(24, Judge())
    search = ngae.Search(SPACE, strategy=strategy, seed=2, batch=4)
    while search.queries < 24:
        tell(search, search.ask(min(4, 24 - search.queries)))
    found = search.result()
    assert [t.dag for t in found.trials] == [t.dag for t in whole.trials]
    assert [t.answer.performance for t in found.trials] == [
        t.answer.performance for t in whole.trials
    ]
    assert found.pareto == whole.pareto


def test_what_waits_is_not_asked_again(search):
    first = search.ask(5)
    second = search.ask(30)
    assert search.pending == (*first, *second)
    tell(search, second[::-1])
    third = search.ask(30)
    hashes = [dag.canonical_hash for dag in (*first, *second, *third)]
    assert len(set(hashes)) == search.queries == 65
    assert search.pending == (*first, *third)
    numbers = [trial.number for trial in search.result().trials]
    assert numbers == list(range(5, 35))


def test_what_was_not_asked_is_a_known_label(search):
    rng = np.random.default_rng(0)
    told = list({SPACE.sample(rng): None for _ in range(60)})[:40]
    best = max(told, key=value_of)
    search.tell(SPACE.format(best), performance=9.0)
    tell(search, [dag for dag in told if dag is not best])
    asked = search.ask(40)
    assert not {dag.canonical_hash for dag in asked} & {dag.canonical_hash for dag in told}
    assert search.queries == len(asked)
    with pytest.raises(UsageError, match="expected an answer to what was asked, found none"):
        search.result()
    late = next(d for d in iter(lambda: SPACE.sample(rng), None) if d not in {*told, *asked})
    search.tell(late, performance=10.0)
    tell(search, asked[:1])
    assert late not in search.ask(20)
    assert [trial.dag for trial in search.result().trials] == asked[:1]


def test_answers_come_in_lists_and_may_be_failures(search):
    dags = search.ask(4)
    search.tell(
        dags,
        np.array([0.1, 0.2, 0.3, 0.4]),
        [{"ms": k} for k in range(4)],
        detail=[{"test": 0.5}] * 4,
        cost_s=[1.0, 2.0, 3.0, 4.0],
    )
    result = search.result()
    assert [t.answer.complexity["ms"] for t in result.trials] == [0, 1, 2, 3]
    assert result.trials[1].answer.complexity["params"] == SPACE.complexity(dags)[1, 0]
    assert result.seconds.oracle == 10.0
    failed, fine = search.ask(2)
    search.tell([failed, fine], [None, 0.9], error=["out of memory", ""])
    result = search.result()
    assert (result.trials[4].answer.ok, result.trials[4].answer.error) == (False, "out of memory")
    assert result.best.dag == fine
    assert failed not in search.ask(20)


def test_wrong_answers_are_named_and_nothing_of_them_is_learned(search):
    one, two, three = search.ask(3)
    search.tell(one, performance=0.5)
    shown = SPACE.format(one)
    with pytest.raises(UsageError) as caught:
        search.tell(one, performance=0.6)
    assert f"found a second one for {shown}" in str(caught.value)
    for value in (math.nan, math.inf):
        with pytest.raises(UsageError, match=f"performance of .*finite number, found {value}"):
            search.tell([two, three], [0.5, value])
    with pytest.raises(UsageError, match=r"ms of .*expected a finite number, found nan"):
        search.tell(two, 0.5, {"ms": math.nan})
    with pytest.raises(UsageError, match="found a second one"):
        search.tell([two, two], [0.5, 0.5])
    with pytest.raises(UsageError, match="expected performance or error, found neither"):
        search.tell(two)
    with pytest.raises(UsageError, match="expected performance or error, found both"):
        search.tell(two, 0.5, error="why")
    with pytest.raises(UsageError, match=r"performance: expected a list of 2 values, found 0.5"):
        search.tell([two, three], 0.5)
    with pytest.raises(UsageError, match="expected numbers by name, found 'fast'"):
        search.tell(two, 0.5, "fast")
    with pytest.raises(GraphError, match="expected an architecture of enas4"):
        search.tell(EnasSpace(3).sample(np.random.default_rng(0)), 0.5)
    with pytest.raises(UsageError, match="expected at least 1 architecture, found 0"):
        search.ask(0)
    assert search.pending == (two, three)
    with pytest.raises(UsageError, match="found one that was"):
        search.run(3, Judge())


def test_known_rows_are_not_told(make_table):
    rows = make_table(5, SPACE)
    search = ngae.Search(SPACE, strategy="random", history=rows)
    with pytest.raises(UsageError, match="expected an architecture without an answer, found a kno"):
        search.tell(rows.dags[0], 0.5)


def test_a_limit_on_what_only_answers_tell(search):
    limited = ngae.Search(SPACE, strategy="evolution", constraint="params <= 1e9", seed=1)
    dags = limited.ask(3)
    limited.tell(dags, [0.9, 0.8, 0.7], [{"params": 2e9}, {}, {}])
    assert limited.result().best.dag == dags[1]


def test_a_search_in_memory_goes_on_in_a_folder(search, tmp_path):
    with pytest.raises(UsageError, match="save: expected a folder, found none"):
        search.save()
    tell(search, search.ask(6)[:4])
    assert search.save(tmp_path / "s") == tmp_path / "s"
    assert json.loads((tmp_path / "s" / "result.json").read_text())["queries"] == 4
    with pytest.raises(UsageError, match=r"expected a folder, found .*other, not "):
        search.save(tmp_path / "other")
    tell(search, search.pending)
    assert len(lines(tmp_path / "s" / "trials.jsonl")) == 6
    with pytest.raises(RefusedError, match="another process writing"):
        ngae.Search(SPACE, strategy="evolution", seed=3, folder=tmp_path / "s").ask(1)
    assert len(lines(tmp_path / "s" / "trials.jsonl")) == 6
    after = search.ask(4)
    search.close()
    again = ngae.Search(SPACE, strategy="evolution", seed=3, folder=tmp_path / "s")
    assert again.pending == tuple(after)
    assert again.result().trials == search_trials(tmp_path / "s")
    with pytest.raises(RefusedError, match="an unfinished search of other settings"):
        ngae.Search(SPACE, strategy="evolution", seed=4, folder=tmp_path / "s").ask(1)


def search_trials(folder):
    """The trials that a folder's search holds, by opening it once more in memory."""
    search = ngae.Search(SPACE, strategy="evolution", seed=3)
    by_number = {line["number"]: line for line in lines(folder / "trials.jsonl")}
    dags = search.ask(6)
    assert [dag.canonical_hash for dag in dags] == [by_number[k]["hash"] for k in range(6)]
    tell(search, dags)
    return search.result().trials


def test_a_script_that_begins_anew_may_repeat_what_it_knows(tmp_path):
    dag = SPACE.sample(np.random.default_rng(0))
    settings = {"strategy": "random", "folder": tmp_path / "s"}
    for _ in range(2):
        search = ngae.Search(SPACE, **settings)
        search.tell(dag, 0.5)
        with pytest.raises(UsageError, match="found a second one"):
            search.tell(dag, 0.5)
        search.close()
    with pytest.raises(UsageError, match="found a second one"):
        ngae.Search(SPACE, **settings).tell(dag, 0.6)


def test_another_model_is_refused(tmp_path, make_table):
    def opened(seed):
        table = make_table(20, SPACE)
        sizes = ModelConfig(hidden_dim=8, latent_dim=4, predictor_dim=8)
        scales = TargetScaler.fit(table.performance[:, None]), TargetScaler.fit(table.complexity)
        model = NGAEModel(SPACE, sizes, *scales, seed=seed)
        few = GradientConfig(num_starts=16)
        problem = problem_of(table, None, SearchConfig())
        return Session(problem, lambda p: SurrogateSearch(model, p, config=few), {}, tmp_path / "s")

    with torch.no_grad():
        first = opened(0)
        first.tell([(dag, Answer(value_of(dag), {}, 0.0)) for dag in first.ask(4)])
        following = first.ask(4)
        first.close()
        again = opened(0)
        assert again.pending == tuple(following)
        again.close()
        with pytest.raises(RefusedError, match="expected to propose what was asked before"):
            opened(1)
        opened(0)  # the refusal has let go of the folder


def test_a_question_that_was_interrupted_is_asked_anew():
    class Interrupted(ngae.search.RandomSearch):
        calls = 0

        def ask(self, count):
            found = super().ask(count)
            Interrupted.calls += 1
            if Interrupted.calls == 2:
                raise KeyboardInterrupt
            return found

    def opened(kind):
        return Session(Problem(SPACE, ngae.Table.empty(SPACE)), kind, {})

    whole = opened(ngae.search.RandomSearch)
    wanted = [whole.ask(3), whole.ask(3)]
    session = opened(Interrupted)
    first = session.ask(3)
    with pytest.raises(KeyboardInterrupt):
        session.ask(3)
    assert [first, session.ask(3)] == wanted
    assert session.queries == 6


KILLED = """
import os, signal, sys
import ngae
from ngae.search.folder import SearchFolder
from ngae.oracles.ledger_file import LedgerFile
from ngae.spaces.enas import EnasSpace

folder, history, event, at = sys.argv[1:]
append, seen = LedgerFile.append, 0

def counted(self, line):
    global seen
    append(self, line)
    seen += line["event"] == event
    if seen == int(at):
        os.kill(os.getpid(), signal.SIGKILL)

LedgerFile.append = counted
search = ngae.Search(
    EnasSpace(4), strategy="evolution", population=6, seed=3, folder=folder, history=history or None
)
while search.queries < 20 or search.pending:
    for dag in search.pending or search.ask(4):
        print(dag.canonical_hash, flush=True)
        if len(dag.edges) % 5:
            search.tell(dag, len(dag.edges) / 30 + sum(dag.node_types) / 100)
        else:
            search.tell(dag, error="five edges")
search.save()
"""


def script(folder, history, event="", at=-1):
    command = [sys.executable, "-c", KILLED, str(folder), str(history), event, str(at)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout.split()


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    """A history, what a script that is not killed asks, and its folder."""
    folder = tmp_path_factory.mktemp("uncut")
    rng = np.random.default_rng(5)
    known = list({SPACE.sample(rng): None for _ in range(60)})[:30]
    history = folder / "evaluated.csv"
    shown = [f'"{SPACE.format(d)}",{value_of(d)}' for d in known]
    history.write_text("\n".join(["arch,performance", *shown]) + "\n")
    code, whole = script(folder / "whole", history)
    assert (code, len(whole), len(set(whole))) == (0, 20, 20)
    assert not set(whole) & {dag.canonical_hash for dag in known}
    return history, whole, folder / "whole"


@pytest.mark.end_to_end
@pytest.mark.parametrize(("event", "at"), [("proposed", 2), ("asked", 7), ("answered", 6)])
def test_a_killed_script_goes_on_where_it_was(tmp_path, uncut, event, at):
    history, whole, folder = uncut
    code, first = script(tmp_path, history, event, at)
    assert code == -signal.SIGKILL
    assert 0 < len(first) < 20
    code, rest = script(tmp_path, history)
    assert code == 0
    assert [*first, *rest] == whole
    for name in ("trials.jsonl", "pareto.csv", "best.json", "best.svg"):
        assert (tmp_path / name).read_text() == (folder / name).read_text()
