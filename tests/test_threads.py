"""How many threads compute, and that what was comes back."""

import pytest
import torch

from ngae.threads import native_threads, one_thread, small_torch


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
