import numpy as np

from ngae.search.problem import Problem
from ngae.search.random import RandomSearch
from ngae.spaces.enas import EnasSpace


def test_draws_are_new_distinct_and_follow_the_seed(make_table):
    table = make_table(300, EnasSpace(6), seed=1)  # drawn from the very seed of the search
    drawn = [
        [candidate.dag for candidate in RandomSearch(Problem(table.space, table), seed=1).ask(20)]
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert len({dag.canonical_hash for dag in drawn[0]} - set(table.hashes)) == 20


def test_a_small_space_runs_out_without_an_error(make_table):
    space = EnasSpace(1)
    search = RandomSearch(Problem(space, make_table(4, space)))
    assert len(search.ask(10)) == 2
    assert search.ask(10) == []
    assert np.isfinite(space.complexity([space.parse("[[0]]")])).all()
