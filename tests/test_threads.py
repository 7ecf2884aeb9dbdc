"""How many threads compute, and that what was comes back."""

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from ngae.oracles.base import Answer
from ngae.search.base import Trial
from ngae.search.config import GPConfig
from ngae.search.plain_gp import GPSearch
from ngae.search.problem import Problem
from ngae.spaces.enas import EnasSpace
from ngae.threads import native_threads, one_thread, small_numpy, small_torch


@pytest.mark.parametrize("before", [2, 3])
def test_the_number_comes_back(before):
    first = torch.get_num_threads()
    try:
        torch.set_num_threads(before)
        with pytest.raises(ValueError, match="work"), one_thread():
            assert torch.get_num_threads() == native_threads() == 1
            raise ValueError("work")
        assert torch.get_num_threads() == native_threads() == before
    finally:
        torch.set_num_threads(first)


def test_torch_alone_takes_one_thread():
    first = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(ValueError, match="work"), small_torch():
            assert (torch.get_num_threads(), native_threads()) == (1, 3)
            with small_torch():
                assert (torch.get_num_threads(), native_threads()) == (1, 3)
            with one_thread():
                assert (torch.get_num_threads(), native_threads()) == (1, 1)
            assert (torch.get_num_threads(), native_threads()) == (1, 3)
            raise ValueError("work")
        assert torch.get_num_threads() == native_threads() == 3
    finally:
        torch.set_num_threads(first)


def linear_algebra():
    """Numbers of threads of the libraries that numpy multiplies by."""
    found = threadpool_info()
    return [lib["num_threads"] for lib in found if lib["user_api"] == "blas"]


def test_numpy_multiplies_by_one_thread_while_a_surrogate_proposes(make_table, monkeypatch):
    space, seen, process = EnasSpace(3), [], GPSearch._process

    def watched(*arguments):
        seen.extend(linear_algebra())
        return process(*arguments)

    monkeypatch.setattr(GPSearch, "_process", watched)
    with threadpool_limits(3, user_api="blas"):
        before = linear_algebra()
        strategy = GPSearch(Problem(space, make_table(0, space)), 0, GPConfig(initial=2))
        trials = [Trial(k, c, Answer(k, {}, 0.0)) for k, c in enumerate(strategy.ask(2))]
        strategy.tell(trials)
        assert len(strategy.ask(3)) == 3
        assert linear_algebra() == before == [3] * len(before)
    assert set(seen) == {1}


def test_what_the_linear_algebra_had_comes_back_after_an_error():
    before = linear_algebra()
    with pytest.raises(KeyError), small_numpy():
        raise KeyError
    assert linear_algebra() == before
