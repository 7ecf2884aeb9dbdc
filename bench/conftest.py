"""Cases of the benchmark files: each names its list by `cases`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from bench.cases import Answer, Case, Precision, Variant, check_answer
from bench.machine import extra_memory, peaks
from ngae import _native


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-size",
        action="store_true",
        help="benchmarks: every size of hidden state and batch (select some by -k)",
    )


def pytest_configure(config: pytest.Config) -> None:
    _native.load().keep_freed_memory()  # as every command of ngae does


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = metafunc.module.cases(metafunc.config.getoption("--every-size"))
        pairs = [(case, variant) for case in cases for variant in case.variants]
        names = [f"{case.name}, {variant.name}".replace(", ", "-") for case, variant in pairs]
        metafunc.parametrize(("case", "variant"), pairs, ids=names)


@pytest.fixture
def time_case(benchmark: Any, case: Case, variant: Variant) -> Callable[[], None]:
    """Check the answer, time it, and note rates and memory beside the time."""

    def run() -> None:
        call = case.call(variant)
        answer = call()
        check_answer(case, variant, answer, _expected(case, variant.precision))
        del answer
        benchmark.group = case.name
        benchmark.pedantic(call, rounds=3, warmup_rounds=1)
        gflop_s = _gflop(case) / benchmark.stats["median"]
        peak = peaks(variant.precision)
        benchmark.extra_info.update(
            {case.unit: case.amount / benchmark.stats["median"]},
            gflop_s=gflop_s,
            share_of_peak=gflop_s / peak["product"],
            memory=extra_memory(call),
            peaks=peak,
        )

    return run


@lru_cache(maxsize=1)
def _expected(case: Case, precision: Precision) -> Answer:
    return case.expected(precision)


@lru_cache(maxsize=1)
def _gflop(case: Case) -> float:
    return case.flops() / 1e9
