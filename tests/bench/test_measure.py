"""How a case is checked and measured, without regard to speed."""

import dataclasses
import re

import pytest
import torch

from bench import work
from bench.cases import BF16, NATIVE, PLAIN, check_answer
from bench.graphs import enas
from bench.growth import Growth, encode_all, nasbench101_row, with_graphs, with_nodes
from bench.machine import extra_memory, facts, peaks
from bench.measure import measure, peak_rows
from bench.models import encoder
from bench.timing import interleaved

TINY = [
    work.propagation("forward", "random20", 16, 2),
    work.propagation("forward + backward", "nasbench101", 16, 3),
    work.encode("enas", 16, 4),
    work.decode(16, 5),
    work.train_step(16, 3),
    work.published(8, 2),
]


@pytest.mark.parametrize("case", TINY, ids=lambda case: case.name)
def test_rows_of_a_case(case):
    rows = measure(case, seconds=0, rounds=2)
    assert [row.variant for row in rows] == [variant.name for variant in case.variants]
    plain = rows[-1]
    for row in rows:
        assert row.name == case.name
        assert row.value == pytest.approx(case.amount / row.seconds)
        assert row.gflop_s * row.seconds == pytest.approx(case.flops() / 1e9)
        expected = None if row is plain else plain.seconds / row.seconds
        assert row.ratio == (None if expected is None else pytest.approx(expected))
        assert row.share > 0
        assert row.memory is None or row.memory >= 0


def test_a_wrong_answer_is_not_timed():
    case = TINY[0]
    right = case.call(PLAIN)()

    def make(ops, precision):
        return lambda: [right[0] + (1e-3 if ops == "cpp" else 0)]

    wrong = dataclasses.replace(case, make=make)
    with pytest.raises(AssertionError, match=re.escape(f"{case.name}, float32: part 0")):
        measure(wrong, seconds=0)


@pytest.mark.parametrize(
    ("variant", "error", "passes"),
    [(NATIVE, 1e-7, True), (NATIVE, 1e-4, False), (BF16, 5e-3, True), (BF16, 2e-2, False)],
)
def test_answers_may_differ_by_rounding_alone(variant, error, passes):
    expected = [torch.linspace(1, 2, 100)]
    found = [expected[0] * (1 + error)]
    if passes:
        check_answer(TINY[0], variant, found, expected)
    else:
        with pytest.raises(AssertionError):
            check_answer(TINY[0], variant, found, expected)


def test_decisions_may_differ_in_a_few_places():
    expected = [torch.zeros(10_000, dtype=torch.int32)]
    found = [expected[0].clone()]
    found[0][:5] = 1
    check_answer(TINY[0], NATIVE, found, expected)
    found[0][:50] = 1
    with pytest.raises(AssertionError, match=r"99\.50% as plain PyTorch"):
        check_answer(TINY[0], NATIVE, found, expected)


def test_calls_take_turns():
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "ab"}
    times, beside = interleaved(calls, seconds=0, beside=lambda: {"x": float(len(order))})
    assert order == ["a", "b"] * 3
    assert set(times) == {"a", "b"}
    assert beside == {"x": 4.0}  # the median of 2, 4, 6


def test_the_machine_is_named_and_its_peaks_are_measured():
    named = facts()
    assert named["threads"] == torch.get_num_threads()
    assert named["level"]
    assert set(peaks("bf16")) == {"product", "fma", "mm"}
    rows = peak_rows(readings=1)
    assert [row.variant for row in rows] == ["float32"] * 3 + ["bf16"] * 3
    assert rows[1].share == 1
    assert rows[2].share == pytest.approx(rows[2].value / rows[1].value)


def test_memory_of_a_call():
    found = extra_memory(lambda: torch.ones(16_000_000))
    if found is None:
        pytest.skip("no /proc/self/clear_refs here")
    assert 60e6 < found < 80e6


def test_growth_says_whether_it_is_linear():
    line = Growth("x", "graph", (10, 100, 1000), (1.1, 10, 100))
    assert line.deviation == pytest.approx(0.1)
    assert line.verdict.startswith("linear: time per graph differs by up to 10%")
    bent = Growth("x", "node", (10, 100, 1000), (1, 10, 130))
    assert bent.deviation == pytest.approx(0.3)
    assert bent.verdict.startswith("NOT linear: time per node differs by up to 30%")


def test_growth_is_measured_at_each_size():
    for growth in (with_graphs((2, 5), hidden_dim=8), with_nodes((8, 9), hidden_dim=8, graphs=2)):
        assert len(growth.seconds) == len(growth.sizes) == 2
        assert all(seconds > 0 for seconds in growth.seconds)


def test_encodes_chunk_by_chunk():
    arrays, module = enas(4100), encoder("enas", 8, "float32")
    with torch.no_grad():
        expected = module(arrays.pack()).mean
    torch.testing.assert_close(encode_all(module, arrays), expected)


def test_a_missing_table_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NGAE_TEST_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="NGAE_TEST_DATA names another folder"):
        nasbench101_row()


def test_every_size_can_be_had():
    names = {case.name for case in work.all_cases(every_size=True)}
    assert len(names) == len(work.all_cases(every_size=True))
    for hidden in (128, 256, 501, 512):
        for batch in (1, 32, 256, 4096):
            for what in ("train step", "encode, enas", "encode, nasbench101", "decode"):
                assert f"{what}, hidden {hidden}, batch {batch}" in names
    assert "propagation forward, random200, hidden 512, batch 32" in names
    assert {case.name for case in work.all_cases()} <= names
