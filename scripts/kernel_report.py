"""Reads what ptxas says of compiled kernels; holds it against the budgets of `cuda/registers.txt`.

Refuses spills, stack frames and warnings, kernels without a budget, and budgets that nobody needs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

REGISTER_FILE = 65_536  # registers of a multiprocessor
SLACK = 16  # registers that a budget may lie above what is used

_ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(sm_\w+)'")
_FUNCTION = re.compile(r"Function properties for (\S+)")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_COMPLAINT = re.compile(r"\b(warning|error|fatal)\b", re.IGNORECASE)
_NAMESPACES = re.compile(r"\b(ngae|cuda)::|\(anonymous namespace\)::")


@dataclass(frozen=True)
class Kernel:
    """What one kernel takes on one architecture.

    Attributes:
        name: Without namespaces and parameters, with template arguments.
        arch: For example "sm_90".
        registers: Of a thread.
        shared: Bytes of shared memory of a block.
        constant: Bytes of constant memory; None where ptxas does not say.
    """

    name: str
    arch: str
    registers: int
    shared: int
    constant: int | None


@dataclass(frozen=True)
class Budget:
    """One row of the table.

    Attributes:
        pattern: Of kernels' names, with `*` and `?`; the first row that fits counts.
        threads: Of a block.
        registers: The most that a thread may take on any architecture.
    """

    pattern: str
    threads: int
    registers: int


def demangle(names: Sequence[str]) -> list[str]:
    """Write the names of symbols as in the source, by binutils' c++filt."""
    done = subprocess.run(
        ["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def short_name(demangled: str) -> str:
    """Take return type, namespaces and parameters away."""
    name, depth = demangled, 0
    for place in reversed(range(len(name) if name.endswith(")") else 0)):
        depth += (name[place] == ")") - (name[place] == "(")
        if depth == 0:
            name = name[:place]
            break
    return _NAMESPACES.sub("", name).removeprefix("void ")


def parse(text: str) -> tuple[list[Kernel], list[str]]:
    """Read the output of nvcc with `-Xptxas -v`.

    Returns:
        The kernels, in their order, with the names of symbols; what is wrong, a line each.
    """
    kernels: list[Kernel] = []
    problems: list[str] = []
    entry, function = ("", ""), ""
    for line in text.splitlines():
        if found := _ENTRY.search(line):
            entry = (found[1], found[2])
        elif found := _FUNCTION.search(line):
            function = found[1]
        elif found := _STACK.search(line):
            if any(map(int, found.groups())):
                problems.append(f"{function} for {entry[1]}: {line.strip()}")
        elif found := _USED.search(line):
            kernels.append(
                Kernel(*entry, int(found[1]), _bytes(line, "smem") or 0, _bytes(line, "cmem"))
            )
        elif _COMPLAINT.search(line):
            problems.append(line.strip())
    return kernels, problems


def _bytes(line: str, memory: str) -> int | None:
    found = re.findall(rf"(\d+) bytes {memory}", line)
    return sum(map(int, found)) if found else None


def read_budgets(text: str) -> list[Budget]:
    """Read the table: `pattern threads registers` a line; `#` begins a comment.

    Raises:
        ValueError: A line is something else.
    """
    budgets = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip().rsplit(maxsplit=2)
        if not words:
            continue
        if len(words) != 3 or not (words[1] + words[2]).isdecimal():
            raise ValueError(f"line {number}: expected pattern, threads, registers, found {line!r}")
        budgets.append(Budget(words[0], int(words[1]), int(words[2])))
    return budgets


def budget_of(kernel: Kernel, budgets: Iterable[Budget]) -> Budget | None:
    """Find the first row that fits, or None."""
    return next((b for b in budgets if fnmatchcase(kernel.name, b.pattern)), None)


def blocks_by_registers(registers: int, threads: int) -> int:
    """Say how many blocks a multiprocessor holds, if only registers count; they go by eight."""
    return REGISTER_FILE // (-(-registers // 8) * 8 * threads)


def compare(kernels: Sequence[Kernel], budgets: Sequence[Budget]) -> list[str]:
    """List what does not agree with the table, a line each."""
    problems = []
    used: dict[Budget, int] = {}
    for kernel in kernels:
        budget = budget_of(kernel, budgets)
        if budget is None:
            problems.append(f"{kernel.name}: no row in the table of registers")
            continue
        used[budget] = max(used.get(budget, 0), kernel.registers)
        if kernel.registers > budget.registers:
            problems.append(
                f"{kernel.name} for {kernel.arch}: expected at most {budget.registers} registers, "
                f"found {kernel.registers}"
            )
        if blocks_by_registers(kernel.registers, budget.threads) == 0:
            problems.append(
                f"{kernel.name} for {kernel.arch}: {budget.threads} threads of "
                f"{kernel.registers} registers do not fit"
            )
    for budget in budgets:
        if budget not in used:
            problems.append(f"{budget.pattern}: no kernel fits this row of the table")
        elif budget.registers - used[budget] > SLACK:
            problems.append(
                f"{budget.pattern}: expected a budget of at most {used[budget] + SLACK}, for "
                f"{used[budget]} are used, found {budget.registers}"
            )
    return list(dict.fromkeys(problems))


def table(kernels: Sequence[Kernel], budgets: Sequence[Budget]) -> str:
    """Lay out what the kernels take."""
    rows = [("kernel", "arch", "registers", "budget", "blocks", "shared", "constant")]
    for kernel in kernels:
        budget = budget_of(kernel, budgets)
        blocks = budget and blocks_by_registers(kernel.registers, budget.threads)
        numbers = (kernel.registers, budget and budget.registers, blocks, kernel.shared,
                   kernel.constant)  # fmt: skip
        cells = ("-" if number is None else str(number) for number in numbers)
        rows.append((kernel.name, kernel.arch, *cells))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def main(argv: Sequence[str]) -> int:
    """Judge outputs of nvcc: `kernel_report.py TABLE OUTPUT...`; 1 where something is wrong."""
    budgets = read_budgets(Path(argv[0]).read_text())
    kernels, problems = parse("\n".join(Path(name).read_text() for name in argv[1:]))
    names = demangle([kernel.name for kernel in kernels]) if kernels else []
    kernels = [
        Kernel(short_name(name), k.arch, k.registers, k.shared, k.constant)
        for name, k in zip(names, kernels, strict=True)
    ]
    problems += compare(kernels, budgets)
    print(table(kernels, budgets))
    for problem in problems:
        print(f"wrong: {problem}")
    print(f"{len(kernels)} kernels, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
