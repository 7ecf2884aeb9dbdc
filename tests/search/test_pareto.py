import numpy as np

from ngae.search.pareto import pareto_front


def test_front_by_hand():
    performance = np.array([0.9, 0.8, 0.95, 0.95, 0.5])
    complexity = np.array([5.0, 3.0, 9.0, 8.0, 4.0])
    assert pareto_front(performance, complexity).tolist() == [1, 0, 3]


def test_front_equals_its_definition():
    rng = np.random.default_rng(0)
    performance = rng.integers(8, size=60).astype(float)
    complexity = rng.integers(8, size=60).astype(float)
    front = set(pareto_front(performance, complexity).tolist())
    kept = set()
    for i in range(60):
        beaten = (
            (performance >= performance[i])
            & (complexity <= complexity[i])
            & ((performance > performance[i]) | (complexity < complexity[i]))
        )
        twin = (performance[:i] == performance[i]) & (complexity[:i] == complexity[i])
        if not beaten.any() and not twin.any():
            kept.add(i)
    assert front == kept


def test_equal_points_keep_the_first_and_none_gives_none():
    assert pareto_front(np.ones(3), np.ones(3)).tolist() == [0]
    assert pareto_front(np.zeros(0), np.zeros(0)).tolist() == []
