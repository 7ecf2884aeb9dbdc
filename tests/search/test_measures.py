import numpy as np

from ngae.search.measures import carried_on, incumbents, query_of_success, simple_regret

NAN = np.nan


def test_failed_queries_carry_the_incumbent_on():
    values = np.array([NAN, 3.0, 2.0, NAN, 5.0, 4.0])
    assert incumbents(values, 1.0).tolist() == [1, 3, 3, 3, 5, 5]
    assert simple_regret(values, 6.0, 1.0).tolist() == [5, 3, 3, 3, 1, 1]
    assert incumbents(np.zeros(0), 1.0).tolist() == []


def test_success_is_the_first_query_that_found_the_best():
    values = np.array([NAN, 3.0, 5.0, 5.0])
    assert query_of_success(values, 5.0) == 3
    assert query_of_success(values, 6.0) is None
    assert query_of_success(np.array([NAN]), 1.0) is None


def test_curves_get_one_length():
    assert carried_on(np.array([1.0, 2.0]), 4).tolist() == [1, 2, 2, 2]
    assert carried_on(np.array([1.0, 2.0]), 1).tolist() == [1]
