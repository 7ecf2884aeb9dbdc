import pytest
import torch

from .emulator import ORDERS


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("counts", "columns"), [([1], 1), ([0, 11, 2], 40), ([9, 17], 32)])
def test_sum_rows_adds_the_listed_rows(emulator, order, counts, columns):
    generator = torch.Generator().manual_seed(0)
    values = emulator.guard(torch.randn(7, columns, generator=generator))
    lists = emulator.guard(torch.randint(7, (sum(counts),), generator=generator))
    ptr = emulator.guard(torch.tensor([0, *counts]).cumsum(0))
    out = emulator.empty(len(counts), columns)
    addresses = [t.data_ptr() for t in (ptr, lists, values, out)]
    with emulator.clean(order):
        emulator.module("_cuda").sum_rows((0, 0, False), [len(counts), columns], addresses)
    expected = torch.stack([values[part].sum(0) for part in lists.split(counts)])
    torch.testing.assert_close(out, expected)


def test_a_refused_launch_names_the_kernel(emulator):
    columns = 32 * 65536  # one more block along y than a grid has
    with pytest.raises(RuntimeError, match=r"^sum_rows: cudaErrorInvalidConfiguration: "):
        emulator.module("_cuda").sum_rows((0, 0, False), [1, columns], [0, 0, 0, 0])
