"""One case measured: answers compared, times taken in turn, rates against the machine's peak."""

from __future__ import annotations

from dataclasses import dataclass

from bench.cases import PLAIN, Case, Precision, check_answer
from bench.machine import extra_memory, peaks
from bench.timing import interleaved


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Attributes:
        name: What is done.
        variant: "float32", "bf16" (native ops), "torch" (plain PyTorch) or "" (a peak).
        value: The rate.
        unit: Its unit.
        seconds: Median time of a call.
        ratio: The rate over that of plain PyTorch in float32, or None.
        gflop_s: 1e9 operations a second by the least number of them, see `bench.flops`.
        share: `gflop_s` over that of the product kernel, measured in turn with the case.
        memory: Bytes, see `bench.machine.extra_memory`.
    """

    name: str
    variant: str
    value: float
    unit: str
    seconds: float | None = None
    ratio: float | None = None
    gflop_s: float | None = None
    share: float | None = None
    memory: int | None = None


def measure(case: Case, *, seconds: float, rounds: int = 3) -> list[Row]:
    """Measure all variants of one case.

    Args:
        case: The case.
        seconds: Time to spend on the readings, at least `rounds` of each.
        rounds: See `seconds`.

    Returns:
        A row for each variant, in their order.

    Raises:
        AssertionError: An answer is not that of plain PyTorch.
    """
    calls = {variant: case.call(variant) for variant in case.variants}
    precisions = {variant.precision for variant in case.variants}
    for precision in precisions:
        expected = case.expected(precision)
        for variant, call in calls.items():
            if variant.precision == precision:
                check_answer(case, variant, call(), expected)
    del expected

    def beside() -> dict[str, float]:
        return {precision: peaks(precision)["product"] for precision in precisions}

    times, peak = interleaved(
        {variant.name: call for variant, call in calls.items()},
        seconds=seconds,
        rounds=rounds,
        beside=beside,
    )
    gflop = case.flops() / 1e9
    rows = []
    for variant, call in calls.items():
        taken = times[variant.name]
        rows.append(
            Row(
                case.name,
                variant.name,
                case.amount / taken,
                case.unit,
                taken,
                None if variant is PLAIN else times[PLAIN.name] / taken,
                gflop / taken,
                gflop / taken / peak[variant.precision],
                extra_memory(call),
            )
        )
    return rows


def peak_rows(readings: int = 5) -> list[Row]:
    """Measure the peaks on their own; the best of some readings, since nothing is faster."""
    names = {
        "fma": "peak: multiply-adds in registers",
        "product": "peak: product kernel, 112 x 512 x 512",
        "mm": "torch.mm, 112 x 512 x 512",
    }
    rows = []
    precisions: tuple[Precision, ...] = ("float32", "bf16")
    for precision in precisions:
        found = [peaks(precision) for _ in range(readings)]
        best = {key: max(reading[key] for reading in found) for key in names}
        rows += [
            Row(
                name, precision, best[key], "GFLOP/s", gflop_s=best[key],
                share=best[key] / best["product"],
            )
            for key, name in names.items()
        ]  # fmt: skip
    return rows
