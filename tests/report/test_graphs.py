import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.report.graphs import arrays_of, code_of, codes_of, dags_of, mean_code_length
from ngae.spaces.enas import EnasSpace


@pytest.mark.parametrize(
    ("types", "edges", "code"),
    [
        ((3,), [], "3|"),
        ((0, 1), [(0, 1)], "0.1|g"),  # 100000
        ((0, 2, 1), [(0, 1), (1, 2)], "0.2.1|o"),  # 101000
        ((0, 12, 4, 1), [(0, 1), (0, 2), (1, 3), (2, 3)], "0.12.4.1|z"),  # 110011
        ((0, 2, 2, 2, 1), [(0, 4), (3, 4)], "0.2.2.2.1|Ak"),  # 000000 100100
    ],
)
def test_a_graph_in_a_few_letters(types, edges, code):
    source, target = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    assert code_of(np.array(types), source, target) == code


def test_arrays_of_many_graphs_come_back():
    space, rng = EnasSpace(4), np.random.default_rng(3)
    dags = [space.sample(rng) for _ in range(7)]
    packed = Dags.of(dags, space)
    back = dags_of(arrays_of(packed))
    assert [(dag.node_types, dag.edges) for dag in back] == [(d.node_types, d.edges) for d in dags]
    assert codes_of(back)[2] == codes_of(Dags.of([dags[2]]))[0]


def test_the_length_of_codes_is_about_what_they_take():
    space, rng = EnasSpace(6), np.random.default_rng(0)
    dags = Dags.of([space.sample(rng) for _ in range(20)], space)
    real = np.mean([len(code) for code in codes_of(dags)])
    assert real <= mean_code_length(dags) <= 1.5 * real
    assert mean_code_length(Dags.of([Dag((0,), ())])) == 3.5
