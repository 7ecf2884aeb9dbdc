"""What the emulation computes, by kernels that use each of its parts once."""

import pytest
import torch

from .emulator import ORDERS

pytestmark = pytest.mark.parametrize("order", ORDERS)


def warps(count):
    """Numbers of threads in whole blocks of 64, as (warps, lanes)."""
    return torch.arange(-(-count // 64) * 64).view(-1, 32)


@pytest.mark.parametrize("count", [1, 32, 63, 64, 150])
def test_lanes_exchange_numbers(planted, order, count):
    values = planted.guard(torch.randint(100, (count,), dtype=torch.int32))
    out = planted.empty(7, count, dtype=torch.int32)
    with planted.clean(order):
        planted.call("sample_shuffle", values, count, out)

    padded = torch.zeros(warps(count).numel(), dtype=torch.int32)
    padded[:count] = values
    lane, number = torch.arange(32), warps(count)
    votes = ((padded.view(-1, 32) % 2) << lane.int()).sum(1, dtype=torch.int64)
    flags = (padded.view(-1, 32) == 7).any(1) + 2
    expected = [
        padded[number - lane + 3],
        padded[number - lane % 8 + 3],
        padded[number - lane + (lane ^ 16)],
        padded[torch.where(lane + 5 < 32, number + 5, number)],
        padded[torch.where(lane % 8 >= 5, number - 5, number)],
        votes.int()[:, None].expand(-1, 32),
        flags.int()[:, None].expand(-1, 32),
    ]
    for found, wanted in zip(out, expected, strict=True):
        assert found.tolist() == wanted.reshape(-1)[:count].tolist()


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_barriers_separate_the_steps_of_a_sum(planted, order, count):
    values = planted.guard(torch.randint(9, (count,), dtype=torch.float64))
    out = planted.empty(count, dtype=torch.float64)
    with planted.clean(order, seed=5):
        planted.call("sample_sum_block", values, count, out)
    expected = torch.cat([part.sum().expand(len(part)) for part in values.split(64)])
    assert out.tolist() == expected.tolist()


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (16, 16), (17, 40), (50, 3)])
def test_grids_have_two_directions(planted, order, rows, columns):
    matrix = planted.guard(torch.randn(rows, columns))
    out = planted.empty(columns, rows)
    with planted.clean(order):
        planted.call("sample_transpose", matrix, rows, columns, out)
    assert torch.equal(out, matrix.T)


def test_a_warp_talks_through_memory(planted, order):
    values = planted.guard(torch.randn(64))
    out = planted.empty(64)
    with planted.clean(order):
        planted.call("sample_reverse_warp", values, out)
    assert torch.equal(out, values.view(2, 32).flip(1).flatten())


def test_bf16_rounds_as_torch_does(planted, order):
    words = torch.randint(-(2**31), 2**31, (3000,), dtype=torch.int32)
    ties = (torch.arange(64, dtype=torch.int32) << 16) + 0x3F808000
    special = torch.tensor([0.0, -0.0, torch.inf, -torch.inf, 3.4e38, 1e-40])
    numbers = torch.cat([words.view(torch.float32), ties.view(torch.float32), special])
    numbers = numbers[~numbers.isnan()]
    given = planted.guard(numbers)
    rounded = planted.empty(len(numbers), dtype=torch.bfloat16)
    back = planted.empty(len(numbers))
    with planted.clean(order):
        planted.call("sample_round_to_bf16", given, len(numbers), rounded, back)
    expected = numbers.to(torch.bfloat16)
    assert torch.equal(rounded.view(torch.int16), expected.view(torch.int16))
    assert torch.equal(back, expected.float())


def test_bf16_keeps_nan(planted, order):
    given = planted.guard(torch.tensor([torch.nan, -torch.nan]))
    rounded, back = planted.empty(2, dtype=torch.bfloat16), planted.empty(2)
    with planted.clean(order):
        planted.call("sample_round_to_bf16", given, 2, rounded, back)
    assert rounded.isnan().all() and back.isnan().all()


@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize("ldm", [16, 24])
def test_a_warp_multiplies_matrices(planted, order, by_columns, ldm):
    def padded(dtype):
        return planted.guard(torch.randn(16, ldm).to(dtype))

    a, b, c = padded(torch.bfloat16), padded(torch.bfloat16), padded(torch.float32)
    d = planted.empty(16, ldm)
    with planted.clean(order):
        planted.call("sample_multiply", a, b, c, ldm, int(by_columns), d)
    right, start, found = (m[:, :16].T if by_columns else m[:, :16] for m in (b, c, d))
    torch.testing.assert_close(found, a[:, :16].float() @ right.float() + start)
    assert planted.unwritten(d) == 4 * 16 * (ldm - 16)


@pytest.mark.parametrize("count", [1, 70])
def test_large_pieces_are_copied(planted, order, count):
    rows = planted.guard(torch.randn(count, 20))
    out = planted.empty(count, 20)
    accesses = planted.accesses
    with planted.clean(order):
        planted.call("sample_copy_rows", rows, count, out)
    expected = rows.clone()
    expected[:, -1] += 1
    assert torch.equal(out, expected)
    assert planted.accesses >= accesses + 2 * count


def test_the_host_fills_and_copies(planted, order):
    filled, copy = planted.empty(33), planted.empty(33)
    launches = planted.launches
    planted.call("sample_fill", filled, copy, 33)
    assert planted.findings() == []
    assert planted.unwritten(copy) == 0 and copy.tolist() == [0.0] * 33
    assert planted.launches == launches
