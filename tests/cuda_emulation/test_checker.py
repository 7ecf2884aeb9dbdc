"""Each planted fault is found, by its kind and line; the same kernels without it are clean."""

import re
from dataclasses import dataclass

import pytest
import torch

from . import places
from .build import HERE
from .emulator import ORDERS

SOURCE = (HERE / "faulty.cu").read_text().splitlines()


@dataclass(frozen=True)
class Case:
    """A kernel of faulty.cu.

    Attributes:
        kind: what its fault is reported as.
        right: out by in, both (rows, columns), without the fault; NaN where nothing is written.
        columns: of in and out.
        wrong: orders in which the fault changes the numbers that are written.
        kernel: name in the finding, where it is not the case's own.
    """

    kind: str
    right: callable
    columns: int = 64
    wrong: tuple[str, ...] = ()
    kernel: str | None = None


def first_column(numbers):
    return torch.cat([numbers[:, None], torch.full((len(numbers), 63), torch.nan)], 1)


def one(number):
    out = torch.full((3, 64), torch.nan)
    out[0, 0] = number
    return out


def same(x):
    return x


def all_but_last_pair(x):
    return torch.nn.functional.pad(x[:, :62], (0, 2), value=torch.nan)


def reversed_warps(x):
    return x.view(-1, 2, 32).flip(2).reshape(-1, 64)


def swapped(x):
    return x.view(-1, 32, 2).flip(2).reshape(-1, 64)


def row_sums(x):
    out = torch.full_like(x, torch.nan)
    out[:, 0] = x.sum(1)
    return out


CASES = {
    "missing_barrier": Case("race in block", lambda x: x.flip(1), 50, ORDERS),
    "row_guard": Case("out of bounds", torch.ones_like, 20),
    "tail_mask": Case("out of bounds", row_sums, 50, ORDERS),
    "divergent_barrier": Case("divergent barrier", same),
    "two_barriers": Case("divergent barrier", same),
    "shared_index": Case("out of bounds", lambda x: x.roll(-1, 1)),
    "sum_over_blocks": Case("race between blocks", lambda x: one(x[:, 0].sum())),
    "missing_syncwarp": Case("race in block", reversed_warps, 64, ORDERS),
    "shuffle_for_syncwarp": Case("race in block", same),
    "unwritten_shared": Case(
        "read of unwritten memory",
        lambda x: x + torch.nn.functional.pad(x, (0, 14)).flip(1)[:, :50],
        50,
        ORDERS,
    ),
    "written_input": Case("write to an input", same),
    "half_warp_leaves": Case("divergent barrier", same),
    "half_warp_at_shuffle": Case("divergent warp", swapped),
    "partial_mask": Case("mask that is not full", swapped),
    "misaligned_matrix": Case("misaligned matrix", None),
    "misaligned_pair": Case("misaligned access", all_but_last_pair),
    "unwritten_row": Case("read of unwritten memory", same, 40, ORDERS, "copy_scratch"),
    "past_the_end": Case(
        "out of bounds",
        lambda x: (x.flatten() + torch.cat([x.flatten()[1:], torch.zeros(1)])).view_as(x),
    ),
    "shared_after_block": Case("shared variable after its block", lambda x: first_column(x[:, 0])),
    "same_value": Case("race in block", lambda x: one(1.0)),
    "null_pointer": Case("out of bounds", same),
}


@pytest.fixture
def run(planted):
    """Run a kernel of faulty.cu; gives in, out."""

    def run(name, faulty, order, rows=3):
        columns = CASES[name].columns
        given = torch.randn(rows, columns, generator=torch.Generator().manual_seed(1))
        given = planted.guard(given)
        scratch, out = planted.empty(rows, columns), planted.empty(rows, columns)
        if name == "sum_over_blocks":
            out[0, 0] = 0
            planted.register(out, writable=True, written=True)
        planted.order(order, seed=3)
        planted.call("faulty_run", name, int(faulty), given, rows, columns, scratch, out)
        return given, out

    return run


def line_of(name):
    (line,) = [i for i, text in enumerate(SOURCE, 1) if text.endswith(f"// fault: {name}")]
    return f"faulty.cu:{line}"


def expected(name, given):
    if name == "misaligned_matrix":
        out = torch.full((given.numel(),), torch.nan)
        out[:256] = given.flatten()[:256]
        return out.view_as(given)
    return CASES[name].right(given.clone())


def rows_for(name):
    return 5 if name == "misaligned_matrix" else 3


def test_every_kernel_has_a_case():
    names = {text.split("fault: ")[1] for text in SOURCE if "// fault: " in text}
    assert names == set(CASES)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CASES)
def test_a_right_kernel_is_clean(planted, run, name, order):
    with planted.clean(order, seed=3):
        given, out = run(name, False, order, rows_for(name))
    torch.testing.assert_close(out, expected(name, given), equal_nan=True)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_named(planted, run, name, order):
    case = CASES[name]
    run(name, True, order, rows_for(name))
    places = [
        {found.place, found.other}
        for found in planted.findings()
        if (found.kind, found.kernel) == (case.kind, case.kernel or name)
    ]
    assert any(line_of(name) in pair for pair in places), planted.findings()


@pytest.mark.parametrize(
    ("name", "order"), [(name, order) for name, case in CASES.items() for order in case.wrong]
)
def test_a_fault_gives_wrong_numbers(run, name, order):
    given, out = run(name, True, order)
    close = torch.isclose(out, expected(name, given), equal_nan=True)
    assert not close.all()


def test_nothing_is_found_while_checks_are_off(planted, run):
    planted.check(False)
    accesses = planted.accesses
    given, out = run("sum_over_blocks", True, "forward")
    assert planted.findings() == [] and planted.accesses == accesses
    torch.testing.assert_close(out[0, 0], given[:, 0].sum())


def test_without_addr2line_an_offset_remains(planted, run, monkeypatch):
    monkeypatch.setattr(places.shutil, "which", lambda name: None)
    run("written_input", True, "forward")
    (found,) = planted.findings()
    assert re.match(r"planted\.so\+0x[0-9a-f]+ \(", found.place)
    assert re.match(r"planted\.so\+0x[0-9a-f]+ \(", found.kernel)


def test_findings_read_well(planted, run):
    run("missing_barrier", True, "forward")
    (found,) = [f for f in planted.findings() if "read after" in f.detail]
    read = line_of("missing_barrier")
    write = f"faulty.cu:{int(read.split(':')[1]) - 2}"
    assert str(found) == (
        f"race in block: missing_barrier at {read}, other at {write} "
        "(block (0, 0), thread 25, 75 times) read after a write by thread 24"
    )
