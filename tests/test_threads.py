"""One thread for a while."""

import pytest
import torch

from ngae.threads import one_thread


def test_what_was_comes_back_after_an_error_too():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(ValueError, match="work"), one_thread():
            assert torch.get_num_threads() == 1
            raise ValueError("work")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
