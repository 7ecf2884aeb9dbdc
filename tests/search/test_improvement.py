"""What a round takes of its candidates."""

from types import SimpleNamespace

import numpy as np
import pytest

from ngae.search.improvement import ImprovementSearch
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
FIRST = [SPACE.from_layers((0, 1, 2), ((), (j,), (k, m))) for j, k, m in np.ndindex(2, 2, 2)]
OTHER = [SPACE.from_layers((2, 1, 0), ((), (j,), (0, 0))) for j in (0, 1)]


class Given(ImprovementSearch):
    """Chooses among given candidates, of which the first are expected to improve most."""

    def _pool(self, fit):
        raise NotImplementedError

    def _judged(self, fit, pool):
        judged = SimpleNamespace(gain=-np.arange(len(pool), dtype=float))
        judged.after = lambda best: judged
        return judged


def chosen(table, dags, count):
    problem = Problem(SPACE, table)
    search = Given(Proposals(problem, 0, 0), None, 1, "best")
    pool = {dag.canonical_hash: dag for dag in dags}
    return [candidate.dag for candidate in search._chosen(None, pool, count)]


@pytest.mark.parametrize(
    ("dags", "count", "expected"),
    [
        (FIRST[:4] + OTHER, 4, FIRST[:2] + OTHER),
        (FIRST[:4] + OTHER, 2, [FIRST[0], OTHER[0]]),
        (FIRST[:4] + OTHER[:1], 4, [FIRST[0], FIRST[1], OTHER[0], FIRST[2]]),
        (FIRST[:4], 3, FIRST[:3]),
        (FIRST[:4] + OTHER, 1, FIRST[:1]),
        (FIRST[:1], 4, FIRST[:1]),
        ([], 4, []),
    ],
    ids=["half", "one each", "no others left", "no others", "one", "few", "none"],
)
def test_of_one_sequence_of_types_at_most_half(make_table, dags, count, expected):
    assert chosen(make_table(0, SPACE), dags, count) == expected
