"""Executors by the names of the command line."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from ngae.errors import UsageError
from ngae.oracles.executors import Submits, processes

NAMES = ("processes", "dask://HOST:PORT", "dask:FILE.json", "'slurm NAME=VALUE ...'")


def executor_named(name: str, workers: int, folder: Path) -> Callable[[], Submits]:
    """Return a factory of the executors called `name`.

    Args:
        name: `processes` of this machine; `dask://HOST:PORT`, `dask:` and another address of a
            scheduler, or `dask:` and its scheduler file; `slurm` and flags of `sbatch`, such as
            `slurm partition=gpu gres=gpu:1 time=120`, split as a shell would (see `slurm_jobs`).
        workers: Evaluations at once.
        folder: Where jobs of Slurm keep their files.

    Raises:
        UsageError: No such executor.
    """
    if name == "processes":
        return processes(workers)
    if name.startswith("dask:") and name != "dask:":
        from ngae.oracles.executor_dask import dask_workers

        place = name.removeprefix("dask:")
        return dask_workers(f"tcp:{place}" if place.startswith("//") else place, workers)
    if name.split(maxsplit=1)[:1] == ["slurm"]:
        from ngae.oracles.executor_slurm import slurm_jobs

        return slurm_jobs(folder, workers, **_settings(name))
    raise UsageError(f"--executor: expected one of {', '.join(NAMES)}, found {name!r}")


def _settings(name: str) -> dict[str, str | int | bool | list[str]]:
    """Read `slurm NAME=VALUE ...`: whole numbers as such, a name alone as set, setup as lines."""
    try:
        words = shlex.split(name)[1:]
    except ValueError as error:
        raise UsageError(f"--executor slurm: expected closed quotes, found: {error}") from error
    found: dict[str, str | int | bool | list[str]] = {}
    setup = [word.removeprefix("setup=") for word in words if word.startswith("setup=")]
    for word in words:
        key, given, value = word.partition("=")
        key = key.lstrip("-").replace("-", "_")
        if not key.isidentifier():
            raise UsageError(f"--executor slurm: expected NAME=VALUE, found {word!r}")
        found[key] = (int(value) if value.isdecimal() else value) if given else True
    return found | ({"setup": setup} if setup else {})
