"""What every command prints and how it ends: messages, tables, errors, exit codes.

Progress and messages go to stderr, results to stdout. Nothing here needs torch.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ngae import _native
from ngae.errors import DataError, NgaeError, is_out_of_memory

Command = Callable[[argparse.Namespace], int]


def say(text: str = "") -> None:
    """Print a message on stderr."""
    print(text, file=sys.stderr, flush=True)


def give(text: str) -> None:
    """Print a result on stdout."""
    print(text, flush=True)


def run(parser: argparse.ArgumentParser, command: Command, argv: Sequence[str] | None) -> int:
    """Parse, run, and turn errors into two lines and an exit code."""
    # Waiting threads that spin take the cores from whoever else works on the machine, and slow
    # this process by a factor of ten there. Read by OpenMP when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = parser.parse_args(argv)
    try:
        _keep_freed_memory()
        with _ending_at_sigterm():
            return command(arguments)
    except NgaeError as error:
        if getattr(arguments, "debug", False):
            traceback.print_exc()
        _explain(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (ImportError, OSError, NotImplementedError) as error:
        if getattr(arguments, "debug", False):
            traceback.print_exc()
        say(f"error: {error}")
        return 1
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if getattr(arguments, "debug", False):
            traceback.print_exc()
        say(f"error: {parser.prog}: expected enough memory, found too little")
        say("remedy: a smaller batch or fewer workers; what was saved before is kept")
        return 1


@contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """End at SIGTERM as at an exception, so that what was started ends, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _keep_freed_memory() -> None:
    """Let a training step find its memory again: at batch 256 it takes an eighth less time."""
    with suppress(ImportError):  # who needs the native core will say so
        _native.load().keep_freed_memory()


def _explain(error: NgaeError) -> None:
    problems = error.problems if isinstance(error, DataError) else ()
    shown = problems[:20]
    for problem in shown:
        say(f"error: {problem}")
    if not problems:
        say(f"error: {error}")
    if len(problems) > len(shown):
        say(f"... and {len(problems) - len(shown)} more")
    if error.remedy:
        say(f"remedy: {error.remedy}")


def add_common_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of every command."""
    parser.add_argument("--json", action="store_true", help="print results as JSON on stdout")
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")


def add_device_flag(parser: argparse.ArgumentParser) -> None:
    """Add --device to a command that reads a run."""
    parser.add_argument(
        "--device", metavar="NAME", help="auto (the CPU), cpu or cuda (default: that of the run)"
    )


def add_space_flag(parser: argparse.ArgumentParser) -> None:
    """Add --space to a command that reads a run."""
    parser.add_argument(
        "--space",
        metavar="NAME",
        default="",
        help="the run's space, where it is code of yours (module:Name, file.py:Name): no code that "
        "a folder names is run unless you name it, too",
    )


def named(space: str) -> str:
    """Write the flag of a space that is code, for a command that a user may copy."""
    return f" --space {shlex.quote(space)}" if space else ""


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows of text in columns; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def metrics_table(metrics: Mapping[str, Any]) -> str:
    """Lay out the evaluation for reading, with units and the better direction."""
    reconstruction = metrics["reconstruction"]
    rows = [["measure", "value", "better"]]
    rows += [
        ["reconstruction, z = mean", _percent(reconstruction["mean"]), "up"],
        ["reconstruction, z sampled", _percent(reconstruction["sampled"]), "up"],
    ]
    for key, title in (("prior", "prior"), ("published_protocol", "published protocol")):
        rows += [
            [f"{title}: {name}", _percent(metrics[key][name]), "up"]
            for name in ("validity", "uniqueness", "novelty")
        ]
    targets = {"performance": metrics["performance"], **metrics["complexity"]}
    for name, values in targets.items():
        if values is not None:
            rows += [
                [f"{name}: RMSE / std of train", f"{values['rmse_normalised']:.4f}", "down"],
                [f"{name}: Pearson r", f"{values['pearson_r']:.4f}", "up"],
                [f"{name}: Kendall tau", f"{values['kendall_tau']:.4f}", "up"],
            ]
    return table(rows + _latent_rows(metrics.get("latent") or {}))


def _latent_rows(latent: Mapping[str, Any]) -> list[list[str]]:
    aggregated, cycle = latent.get("aggregated_posterior") or {}, latent.get("cycle") or {}
    lines = latent.get("lines") or {}
    rows = (
        ("aggregated posterior: KL to N(0, I), nats", aggregated.get("kl"), ".2f", "down"),
        ("prior, greedy: uniqueness", latent.get("greedy_uniqueness"), "%", "up"),
        ("decode, encode, decode: the same", cycle.get("same"), "%", "up"),
        ("its predicted performance: RMS / std", cycle.get("performance_rms"), ".3f", "down"),
        ("lines: excess variation / std", lines.get("excess_variation"), ".3f", "down"),
    )
    return [
        [title, _percent(value) if form == "%" else format(value, form), better]
        for title, value, form, better in rows
        if value is not None
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
