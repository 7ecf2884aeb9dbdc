"""What was evaluated before a search: tables, trials of other searches, ledgers."""

import json

import numpy as np
import pytest

from ngae.dags import Dags
from ngae.data import DataConfig, Table
from ngae.errors import DataError
from ngae.oracles import Ledger
from ngae.oracles import Table as TableOracle
from ngae.oracles.asking import askable
from ngae.oracles.base import Answer
from ngae.search import RandomSearch, SearchConfig, SearchFolder, run_search
from ngae.search.history import Start
from ngae.search.problem import Problem
from ngae.search.run import problem_of
from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


@pytest.fixture
def known(make_table):
    return make_table(6, SPACE)


def written(path, rows, columns="arch,performance"):
    path.write_text("\n".join([columns, *rows]) + "\n")
    return str(path)


def quoted(dag):
    return f'"{SPACE.format(dag)}"'


def test_the_answer_of_a_history_wins_and_a_note_counts(tmp_path, known, make_table):
    fresh = make_table(9, SPACE, seed=4)
    new = [dag for dag in fresh.dags if dag.canonical_hash not in known.hashes][:3]
    rows = [f"{quoted(dag)},0.{k + 1}" for k, dag in enumerate([known.dags[2], *new])]
    path = written(tmp_path / "evaluated.csv", rows)
    start = Start(known).with_history(path, DataConfig())
    assert start.notes == (
        f"{path}: 4 known answers; 1 of them were known already, the answers of {path} count",
    )
    assert len(start.known) == 9
    answers = dict(zip(start.known.hashes, start.known.performance, strict=True))
    assert answers[known.hashes[2]] == 0.1
    assert answers[new[2].canonical_hash] == 0.4
    assert answers[known.hashes[0]] == known.performance[0]
    exact = SPACE.complexity(start.known.dags)
    np.testing.assert_array_equal(start.known.complexity, exact)


def test_nothing_of_a_history_is_asked_or_counted(tmp_path, make_table):
    class Judge:
        name, space, queries = "judge", SPACE, 0

        def query(self, dag):
            return Answer(len(dag.edges) / 10, {}, 0.0)

    every = make_table(300, SPACE)
    path = written(tmp_path / "t.csv", [f"{quoted(dag)},0.5" for dag in every.dags])
    start = Start(Table.empty(SPACE)).with_history(path, DataConfig())
    problem = problem_of(start.known, Judge(), SearchConfig())
    result = run_search(RandomSearch(problem), Judge(), problem, SearchConfig(budget=40))
    assert len(result.trials) == 40
    assert not {trial.dag.canonical_hash for trial in result.trials} & set(every.hashes)


def test_columns_are_those_of_the_search(tmp_path, known):
    dag = known.dags[1]
    path = written(tmp_path / "t.csv", [f"{quoted(dag)},0.25,3,7"], "arch,loss,joule,ms")
    names = {"complexity_names": ("ms", "watt"), "complexity": np.ones((6, 2))}
    fields = {name: getattr(known, name) for name in known.__dataclass_fields__}
    config = DataConfig(performance_col="loss", lower_is_better=True, complexity_col="ms,watt")
    start = Start(Table(**{**fields, **names})).with_history(path, config)
    row = start.known.hashes.index(dag.canonical_hash)
    assert start.known.performance[row] == -0.25
    np.testing.assert_array_equal(start.known.complexity[row], [7.0, np.nan])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["{0},0.5", '"[[9], [1, 1], [1, 0, 0]]",0.5'], "t.csv:3:"),
        (["{0},0.5", "{1},"], "t.csv:3:"),
        (["{0},nan"], "t.csv:2:"),
        (["{0},0.5", "{0},0.6"], "t.csv:3:1: expected the performance of line 2"),
    ],
)
def test_rows_that_are_none_are_named(tmp_path, known, rows, message):
    shown = [quoted(dag) for dag in known.dags]
    path = written(tmp_path / "t.csv", [row.format(*shown) for row in rows])
    with pytest.raises(DataError) as caught:
        Start(known).with_history(path, DataConfig())
    assert message in str(caught.value)


class Picky:
    """Fails for some."""

    name, space, queries = "picky", SPACE, 0

    def query(self, dag):
        if len(dag.edges) % 2:
            return Answer.failed("odd", {"ms": 1.0})
        return Answer(len(dag.edges) / 10, {"ms": 2.0}, 0.0)


@pytest.mark.parametrize("name", ["trials.jsonl", "ledger.jsonl"])
def test_another_search_is_a_history(tmp_path, known, name):
    problem = Problem(SPACE, Table.empty(SPACE))
    folder = SearchFolder(tmp_path / "s", {})
    config = SearchConfig(budget=12)
    result = run_search(RandomSearch(problem, 1), Picky(), problem, config, folder)
    path = tmp_path / "s" / name
    with path.open("a") as file:
        file.write('{"cut off by a')
    start = Start(Table.empty(SPACE)).with_history(str(path), DataConfig())
    good = {t.dag.canonical_hash: t.answer.performance for t in result.answered}
    assert dict(zip(start.known.hashes, start.known.performance, strict=True)) == good
    failed = {t.dag.canonical_hash for t in result.trials if not t.answer.ok}
    assert start.failed == failed
    assert start.notes == (f"{path}: {len(good)} known answers, {len(failed)} failed",)
    again = problem_of(start.known, None, config, start.failed)
    drawn = {c.dag.canonical_hash for c in RandomSearch(again, 1).ask(100)}
    assert not drawn & (failed | set(good))
    later = written(tmp_path / "later.csv", [f"{quoted(t.dag)},0.5" for t in result.trials])
    both = Start(Table.empty(SPACE)).with_history(f"{path}, {later}", DataConfig())
    assert (len(both.known), both.failed) == (12, frozenset())


def test_trials_of_another_space_and_broken_lines_are_named(tmp_path, known):
    line = {
        "number": 0, "hash": "x", "architecture": "[[1], [2, 1]]", "performance": 0.5,
        "complexity": {}, "status": "ok",
    }  # fmt: skip
    path = tmp_path / "trials.jsonl"
    for change, message in [
        ({}, "trials.jsonl:2: architecture: "),
        ({"architecture": None}, "trials.jsonl:2: expected a trial of a search, found"),
        ({"architecture": SPACE.format(known.dags[0]), "performance": "0.5"}, "expected a trial"),
        ({"architecture": SPACE.format(known.dags[0]), "performance": float("inf")}, "a trial"),
    ]:
        good = {**line, "architecture": SPACE.format(known.dags[0])}
        path.write_text(json.dumps(good) + "\n" + json.dumps({**line, **change}) + "\n")
        with pytest.raises(DataError) as caught:
            Start(known).with_history(str(path), DataConfig())
        assert message in str(caught.value)
    with pytest.raises(DataError, match="expected architectures of enas3, found enas2"):
        Start(known).with_table(Table.empty(EnasSpace(2)))


def test_told_ledgers_hold_what_was_known(tmp_path, known):
    with Ledger(tmp_path / "l.jsonl") as ledger:
        ledger.bind("told")
        ledger.know(known.dags[0], Answer(0.75, {}, 0.0))
        ledger.know(known.dags[1], Answer.failed("no"))
    start = Start(Table.empty(SPACE)).with_history(str(tmp_path / "l.jsonl"), DataConfig())
    assert start.known.performance.tolist() == [0.75]
    assert start.failed == {known.hashes[1]}
    with Ledger(tmp_path / "l.jsonl") as ledger:
        assert ledger.used == 0
        ledger.bind("told")  # a ledger with such events opens again


def test_rows_of_a_table_that_compute_what_is_known_are_not_asked():
    """In NAS-Bench-Graph a skip that only hands on has an equal without it."""
    space = space_named("nas-bench-graph")
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(2000)]
    other = next(d for d in drawn if space.canonical(d).canonical_hash != d.canonical_hash)
    rows = {space.canonical(d).canonical_hash: space.canonical(d) for d in [other, *drawn[:20]]}
    dags = Dags.of(rows.values(), space)
    count = len(dags)

    def table(dags):
        return Table(
            "made", space, dags, np.ones(len(dags)), space.complexity(dags), "accuracy",
            space.complexity_names, np.zeros(len(dags), dtype=np.int64), "made",
        )  # fmt: skip

    allowed = askable(TableOracle(table(dags)), table(Dags.of([other], space)))
    assert allowed.key(space.canonical(other)) is None
    assert len(allowed.rows) == count - 1
