"""The plan for many workers is what its constants give, and stands in the documentation."""

import dataclasses
import json
from pathlib import Path

import pytest

from scripts import measure_scale
from scripts.scale_plan import MEASURED, Cluster, all_reduce, epoch, main, search_table, tables

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
ROUND = dataclasses.replace(
    MEASURED, step_large=0.1, noise=1e-7, order=1e-8, judge=1e-3, gradient=5_000_000,
    query=0.001, flush=0.009,
)  # fmt: skip


@pytest.mark.parametrize("number", range(4))
def test_the_page_has_the_tables_of_these_constants(number):
    assert tables(MEASURED, Cluster())[number] in PAGE


def test_numbers_in_the_text_are_those_of_the_constants():
    two = [2 * (w - 1) / w * MEASURED.gradient / 1.25e9 * 1e3 for w in (10, 100)]
    assert f"{two[0]:.1f} and {two[1]:.1f} ms of bandwidth" in PAGE
    assert f"beside a step of {MEASURED.step_large * 1e3:.0f} ms" in PAGE
    assert f"{MEASURED.gradient / 4e6:.2f} million weights" in PAGE
    assert f"from {1 / (MEASURED.query + MEASURED.flush):.0f} workers on" in PAGE


def test_a_sum_over_a_ring():
    cluster = Cluster(bytes_per_s=1e9, latency=1e-4)
    assert all_reduce(5e6, 1, cluster) == 0
    assert all_reduce(5e6, 2, cluster) == pytest.approx(5e-3 + 2e-4)
    assert all_reduce(5e6, 100, cluster) == pytest.approx(9.9e-3 + 198e-4)


def test_an_epoch_is_the_sum_of_its_parts():
    cluster = Cluster(bytes_per_s=1e9, latency=0.0)
    one, hundred = (epoch(ROUND, workers, cluster) for workers in (1, 100))
    assert one.learn == pytest.approx((1e8 - 1e4) / 128 * 0.1)
    assert (one.noise, one.sums) == (0, 0)
    assert hundred.learn == pytest.approx(one.learn / 100)
    assert hundred.noise == pytest.approx(10, rel=1e-3)
    assert hundred.sums == pytest.approx((1e8 - 1e4) / 12800 * 1.98 * (5e6 + 25_552) / 1e9)
    assert hundred.alone == one.alone == pytest.approx(1 + 10, rel=1e-3)
    assert hundred.total == pytest.approx(
        hundred.learn + hundred.noise + hundred.sums + hundred.alone
    )
    assert hundred.largest == "all-reduce"


def test_a_driver_of_100_queries_a_second_keeps_100_workers_busy():
    last = search_table(ROUND).splitlines()[-1]
    assert last == "| 1,000 | 10% | 100% | 100% |"


def test_the_tables_are_printed(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == "\n\n".join(tables(MEASURED, Cluster())) + "\n"


@pytest.mark.end_to_end
def test_constants_are_measured(capsys):
    assert measure_scale.main(["--rows", "2000"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == dataclasses.asdict(MEASURED).keys()
    assert all(value > 0 for value in found.values())
    assert found["gradient"] == MEASURED.gradient
    assert found["packed"] == pytest.approx(MEASURED.packed, rel=0.2)
