import csv
import dataclasses
import json

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.data import Table as Rows
from ngae.errors import RefusedError, WriteError
from ngae.oracles.base import Answer
from ngae.search.base import Candidate, Trial
from ngae.search.config import SearchConfig
from ngae.search.folder import SearchFolder
from ngae.search.problem import Objective, Problem
from ngae.search.random import RandomSearch
from ngae.search.result import SearchResult
from ngae.search.run import run_search
from ngae.spaces.chain import Chain
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


class Judge:
    """Tells the complexity of every second architecture, and another one of all."""

    name = "judge"
    space = SPACE
    queries = 0

    def query(self, dag):
        self.queries += 1
        told = {"ms": 2.0} if self.queries % 2 else {"joule": 3.0}
        return Answer(len(dag.edges) / 10, told, 0.0)


@pytest.fixture
def known(make_table):
    table = make_table(5, SPACE)
    values = {name: getattr(table, name) for name in table.__dataclass_fields__}
    return Problem(SPACE, Rows(**{**values, "complexity_names": ("ms", "params")}))


def test_complexities_that_an_oracle_does_not_tell_are_left_out(tmp_path, known):
    config = SearchConfig(budget=6, seed=2)
    folder = SearchFolder(tmp_path / "s", {"search": {}})
    problem = dataclasses.replace(known, objective=Objective(("ms",)))
    result = run_search(RandomSearch(problem), Judge(), problem, config, folder)
    assert result.pareto == (result.best,)
    assert result.objectives == "performance up; the oracle did not tell ms of all"
    with (tmp_path / "s" / "pareto.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert "ms" in rows[0] or "joule" in rows[0]


def test_columns_of_the_front_are_those_of_all_its_answers(tmp_path):
    rng = np.random.default_rng(0)
    answers = [
        Answer(0.5, {"ms": 1.0, "joule": 7.0}, 0),
        Answer(0.7, {"ms": 2.0, "params": 9.0}, 0),
    ]
    trials = tuple(
        Trial(number, Candidate(SPACE.sample(rng), None, {}), answer)
        for number, answer in enumerate(answers)
    )
    SearchFolder(tmp_path, {}).finish(SearchResult(trials, Objective(("ms",))))
    with (tmp_path / "pareto.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["number", "performance", "ms", "joule", "params", "architecture", "hash"]
    assert [row[1:5] for row in rows[1:]] == [["0.5", "1.0", "7.0", ""], ["0.7", "2.0", "", "9.0"]]


def test_a_number_that_is_none_is_a_failed_answer(known):
    class Dividing(Judge):
        def query(self, dag):
            return Answer(float("inf"), {}, 0.0)

    config = SearchConfig(budget=2)
    result = run_search(RandomSearch(known), Dividing(), known, config)
    assert result.answered == ()
    assert result.best.answer.error == "expected a finite performance, found inf"


def test_the_setting_in_which_an_unfinished_search_differs_is_named(tmp_path):
    SearchFolder(tmp_path, {"search": {"budget": 9, "batch": 4}})
    with pytest.raises(RefusedError, match=r"of other settings \(batch 4, not 1\)"):
        SearchFolder(tmp_path, {"search": {"budget": 9, "batch": 1}})


class Broken(Chain):
    """A space whose networks cannot be made."""

    operations = ("a", "b")
    length = 2

    def build(self, dag):
        raise RuntimeError("not today")


class Bare(Chain):
    operations = ("a", "b")
    length = 2


@pytest.mark.parametrize("space", [SPACE, Broken(), Bare()], ids=lambda space: type(space).__name__)
def test_the_best_is_written_in_all_forms_that_it_has(tmp_path, space):
    best = space.sample(np.random.default_rng(0))
    trial = Trial(0, Candidate(best, None, {}), Answer(0.5, {}, 0.0))
    folder = SearchFolder(tmp_path / "s", {"search": {}})
    folder.finish(SearchResult((trial,), Objective()))
    kept = json.loads((folder.path / "best.json").read_text())["dag"]
    assert Dag.from_json(kept, space) == best
    assert kept["format_version"] == 1
    assert kept.get("network") == (
        {"channels": 8, "image_size": 8, "image_channels": 1, "num_classes": 10}
        if space is SPACE
        else None
    )
    assert (folder.path / "best.svg").read_text() == best.to_svg()
    assert (folder.path / "best.py").exists() == (space is SPACE)
    if space is SPACE:
        assert (folder.path / "best.py").read_text() == best.to_source()
    assert (folder.path / "result.json").exists()


def test_a_source_that_cannot_be_written_to_the_disk_is_no_secret(tmp_path):
    best = SPACE.sample(np.random.default_rng(0))
    trial = Trial(0, Candidate(best, None, {}), Answer(0.5, {}, 0.0))
    folder = SearchFolder(tmp_path / "s", {"search": {}})
    (folder.path / "best.py").mkdir()  # nothing can be written there
    with pytest.raises(WriteError, match=r"best\.py: expected to write it, found: Is a directory"):
        folder.finish(SearchResult((trial,), Objective()))
