"""`python -m bench.gpu`: the ops on one device beside plain PyTorch on the same device, as JSON.

`bench/gpu.sh` builds and tests before it. With `--device cpu` it shows that the measuring works.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product as combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngae import console
from ngae.errors import NgaeError
from ngae.files import write_json

if TYPE_CHECKING:
    import torch

    from bench.cases import Case, Variant

HIDDEN_DIMS, BATCH_SIZES = (256, 501, 512), (32, 512, 4096)
WARM_UP, ROUNDS = 3, 15


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: What is done, at which size.
        variant: "float32", "bf16" (native ops), "torch" or "torch, bf16" (plain PyTorch).
        seconds: Median time of a call.
        value: The rate.
        unit: Its unit.
        ratio: The rate over that of plain PyTorch in the same precision; None for PyTorch itself.
        memory: Bytes that are allocated at most beyond those before the call; None if unknown.
    """

    name: str
    variant: str
    seconds: float
    value: float
    unit: str
    ratio: float | None
    memory: int | None


def cases(
    device: str, hidden_dims: Sequence[int] = HIDDEN_DIMS, batch_sizes: Sequence[int] = BATCH_SIZES
) -> list[Case]:
    """List what is timed: propagation at every size, the rest at every batch and one width."""
    from bench import work

    sizes = list(combinations(hidden_dims, batch_sizes))
    made = [
        work.propagation(way, "enas", hidden_dim, graphs, device)
        for hidden_dim, graphs in sizes
        for way in work.WAYS
    ]
    made += [work.train_step(hidden_dim, graphs, device) for hidden_dim, graphs in sizes]
    for graphs in batch_sizes:
        made += [work.encode("enas", hidden_dims[0], graphs, device)]
        made += [work.decode(hidden_dims[0], graphs, device)]
    return [*made, work.ascent(device)]


def measure(
    case: Case, device: torch.device, *, warm_up: int = WARM_UP, rounds: int = ROUNDS
) -> list[Row]:
    """Compare the answers of one case, then time its variants in turn.

    Raises:
        AssertionError: An answer is not that of plain PyTorch on the same device.
    """
    from bench.cases import Variant, check_answer

    # The ascent has no bf16.
    precisions = ("float32", "bf16") if any(v.precision == "bf16" for v in case.variants) else (
        "float32",
    )  # fmt: skip
    variants = [Variant(ops, precision) for precision in precisions for ops in ("", "torch")]
    calls = {variant: case.call(variant) for variant in variants}
    for precision in precisions:
        ours, plain = Variant("", precision), Variant("torch", precision)
        check_answer(case, ours, calls[ours](), calls[plain]())
    seconds = _medians(calls, device, warm_up, rounds)
    return [_row(case, variant, calls[variant], seconds, device) for variant in variants]


def _row(
    case: Case,
    variant: Variant,
    call: Callable[[], object],
    seconds: dict[Variant, float],
    device: torch.device,
) -> Row:
    plain = dataclasses.replace(variant, ops="torch")
    return Row(
        case.name,
        variant.name,
        seconds[variant],
        case.amount / seconds[variant],
        case.unit,
        None if variant == plain else seconds[plain] / seconds[variant],
        _memory(call, device),
    )


def _medians(
    calls: dict[Variant, Callable[[], object]], device: torch.device, warm_up: int, rounds: int
) -> dict[Variant, float]:
    times: dict[Variant, list[float]] = {variant: [] for variant in calls}
    for done in range(warm_up + rounds):
        for variant, call in calls.items():
            taken = _seconds(call, device)
            if done >= warm_up:
                times[variant].append(taken)
    return {variant: statistics.median(column) for variant, column in times.items()}


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    """Time one call: between two events of the stream on CUDA, by the clock elsewhere."""
    import torch

    if device.type != "cuda":
        started = time.perf_counter()
        call()
        return time.perf_counter() - started
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize(device)
    start.record()
    call()
    end.record()
    torch.cuda.synchronize(device)
    return float(start.elapsed_time(end)) / 1e3


def _memory(call: Callable[[], object], device: torch.device) -> int | None:
    import torch

    from bench.machine import extra_memory

    if device.type != "cuda":
        return extra_memory(call)
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    call()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def facts(device: torch.device) -> dict[str, Any]:
    """Name the machine, the device, the versions and the commit that a result belongs to."""
    import torch

    from bench import machine
    from ngae.ops import devices

    return {
        **machine.facts(),
        "device": str(device),
        "gpus": devices.cuda_devices(),
        "cuda_module": devices.cuda_module(),
        "torch_cuda": torch.version.cuda,
        "commit": _commit(),
    }


def _commit() -> str:
    """The commit of the sources, "" where git does not know it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def table(rows: Sequence[Row]) -> str:
    """Lay out the rows."""
    from bench.tables import number

    cells = [
        [
            row.name,
            row.variant,
            number(row.seconds * 1e3),
            number(row.value),
            row.unit,
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if row.memory is None else f"{row.memory / 1e6:,.0f} MB",
        ]
        for row in rows
    ]
    return console.table([["name", "ops", "ms", "value", "unit", "x torch", "memory"], *cells])


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu",
        description="Time the native ops on a device beside plain PyTorch on the same device.",
        epilog="example:\n  python -m bench.gpu --device cuda --json gpu.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or cpu (default: cuda)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--quick", action="store_true", help="the smallest size of each, 3 rounds")
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    import torch

    from ngae.train.model import pick_device

    device = pick_device(arguments.device)
    sizes = (HIDDEN_DIMS[:1], BATCH_SIZES[:1]) if arguments.quick else (HIDDEN_DIMS, BATCH_SIZES)
    rounds = 3 if arguments.quick else ROUNDS
    listed, rows, failed = cases(str(device), *sizes), [], []
    for number, case in enumerate(listed, 1):
        console.say(f"[{number}/{len(listed)}] {case.name}")
        try:
            # Events are of the current device. A case may also take more memory than there is.
            with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
                rows += measure(case, device, rounds=rounds)
        except (AssertionError, RuntimeError, NgaeError) as error:
            failed.append(f"{case.name}: {error}")
    console.give(table(rows))
    if arguments.json:
        found = [dataclasses.asdict(row) for row in rows]
        write_json(arguments.json, {"machine": facts(device), "rows": found, "failed": failed})
    if failed:
        raise NgaeError(f"{len(failed)} of {len(listed)} cases failed: {'; '.join(failed)}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), _command, argv)


if __name__ == "__main__":
    sys.exit(main())
