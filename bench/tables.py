"""The report's results as text, Markdown and JSON; takes rows, measures nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.growth import Growth
from bench.measure import Row
from ngae import console

HEAD = ("name", "ops", "value", "unit", "x torch", "GFLOP/s", "of peak", "memory")

EXPLANATION = (
    "ops: float32 and bf16 are the native ops, torch is plain PyTorch in float32 (NGAE_OPS=torch).",
    "value: median of readings that alternate between the ops. x torch: times plain PyTorch's.",
    "torch does the same mathematics, all nodes of a level or all rows at once, with torch's own "
    "fused Adam; it merges nothing. It is our reference, not the published code.",
    "GFLOP/s: by the least number of operations of products that the work needs; the same number "
    "for each of the ops. of peak: of the product kernel's, measured in turn, same precision.",
    "memory: by how much the resident memory rises during a call (VmHWM less VmRSS before).",
)


@dataclass(frozen=True)
class Results:
    """What one run of the report found.

    Attributes:
        machine: See `bench.machine.facts`.
        command: The command line.
        rows: In the order of the table.
        growth: Growth of time, in the full report.
        skipped: A reason for each row that could not be measured.
    """

    machine: Mapping[str, Any]
    command: str
    rows: Sequence[Row]
    growth: Sequence[Growth] = ()
    skipped: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: times in seconds, memory in bytes."""
        return {
            "command": self.command,
            "machine": dict(self.machine),
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "growth": [
                {**dataclasses.asdict(growth), "deviation": growth.deviation}
                for growth in self.growth
            ],
            "skipped": list(self.skipped),
        }


def cells(row: Row) -> list[str]:
    """Lay out a row in the columns of HEAD; "" where there is no number."""
    return [
        row.name,
        row.variant,
        number(row.value),
        row.unit,
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.gflop_s is None else number(row.gflop_s),
        "" if row.share is None else f"{row.share:.0%}",
        "" if row.memory is None else f"{row.memory / 1e6:,.0f} MB",
    ]


def number(value: float) -> str:
    """Write with three significant digits, without exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine_line(machine: Mapping[str, Any]) -> str:
    """Say in a line on what the numbers were measured."""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['level']}, torch {machine['torch']}, ngae {machine['ngae']}, "
        f"load average {machine['load_average']}"
    )


def text(results: Results) -> str:
    """Lay out everything for a terminal."""
    parts = [machine_line(results.machine), ""]
    parts.append(console.table([list(HEAD), *(cells(row) for row in results.rows)]))
    for growth in results.growth:
        parts += ["", f"{growth.name}: {growth.verdict}", console.table(growth_rows(growth))]
    parts += ["", *EXPLANATION, *(f"skipped: {reason}" for reason in results.skipped)]
    return "\n".join(parts)


def growth_rows(growth: Growth) -> list[list[str]]:
    """Lay out times by size, head first."""
    head = [f"{growth.size}s", "ms", f"us / {growth.size}"]
    pairs = zip(growth.sizes, growth.seconds, strict=True)
    return [head, *([f"{n:,}", number(t * 1e3), number(t / n * 1e6)] for n, t in pairs)]


def markdown(results: Results) -> str:
    """Write a whole page of Markdown."""
    parts = ["# Speed", ""]
    parts += ["Measured by", "```sh", results.command, "```"]
    parts += [f"on {machine_line(results.machine)}.", ""]
    parts += [f"- {line}" for line in EXPLANATION]
    parts += ["", _markdown_table([list(HEAD), *(cells(row) for row in results.rows)], 1)]
    for growth in results.growth:
        name = growth.name[0].upper() + growth.name[1:]
        parts += ["", f"## {name}", "", f"{growth.verdict}.", ""]
        parts.append(_markdown_table(growth_rows(growth), 0))
    parts += ["", *(f"Skipped: {reason}." for reason in results.skipped)]
    return "\n".join(parts).rstrip() + "\n"


def _markdown_table(rows: Sequence[Sequence[str]], left: int) -> str:
    """A table whose columns after number `left` stand to the right."""
    head, *body = rows
    rule = ["---" if i <= left else "---:" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))
