"""Writes the files of a tiny run and its searches, as this version of ngae has them.

`python scripts/write_fixture.py tests/fixtures/run-1` once for each version of the files
(`ngae.files.FORMAT_VERSION`); `tests/test_files_of_releases.py` reads every such folder. Beside the
finished run stand the same run after two of three epochs, and a search that was cut off.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np

from ngae.cli import main
from ngae.spaces.enas import EnasSpace
from ngae.train import folder as run_folder

TRAIN = (
    "train", "--data", "table.csv", "--space", "enas3", "--arch-col", "arch", "--performance-col",
    "accuracy", "--hidden-dim", "6", "--latent-dim", "3", "--head-dim", "6", "--predictor-dim", "6",
    "--epochs", "3", "--batch-size", "16", "--warmup-steps", "3", "--prior-points", "30",
    "--protocol-points", "5",
)  # fmt: skip
SEARCH = ("--strategy", "evolution", "--oracle", "table", "--budget", "6", "--seed", "1")


def _table(path: Path) -> None:
    space, rng = EnasSpace(3), np.random.default_rng(0)
    dags = list({space.sample(rng): None for _ in range(400)})[:120]
    rows = [f'"{space.format(d)}",{len(d.edges) / 30 + sum(d.node_types) / 100:.6f}' for d in dags]
    path.write_text("arch,accuracy\n" + "\n".join(rows) + "\n")


def _run(*arguments: str) -> None:
    if main(list(arguments)):
        raise SystemExit(f"{arguments[0]} failed")


def _keep_second_epoch(path: Path, record: dict[str, object]) -> None:
    """Append to the log, and copy the run as it stands after its second epoch."""
    _APPEND(path, record)
    if record["epoch"] == 2:
        shutil.copytree(path.parent, "half", ignore=shutil.ignore_patterns("best*", "search"))


_APPEND = run_folder.append_log


def _without_machine(path: Path) -> None:
    """Leave nothing of this machine in the settings and the environment."""
    for place in path.rglob("config.json"):
        text = place.read_text().replace(str(Path.cwd()) + "/", "")
        place.write_text(text)
    for place in path.rglob("env.json"):
        values = json.loads(place.read_text()) | {"platform": "Linux", "processor": "x86_64"}
        place.write_text(json.dumps(values, indent=2) + "\n")
    for place in [*path.rglob(".lock"), *path.rglob("report.html"), *path.rglob("*.svg")]:
        place.unlink()


def write(target: Path) -> None:
    """Write the fixture to a new folder."""
    from ngae.train import loop

    target.mkdir(parents=True)
    os.chdir(target)
    _table(Path("table.csv"))
    loop.append_log = _keep_second_epoch
    _run(*TRAIN, "--out", "run")
    _run("search", "run", *SEARCH, "--out", "run/search/whole")
    _run("report", "run")
    shutil.copytree("run/search/whole", "run/search/cut-off")
    cut = Path("run/search/cut-off")
    for name in ("result.json", "pareto.csv", "best.json", "best.py", "report.npz"):
        (cut / name).unlink(missing_ok=True)
    for name, lines in (("trials.jsonl", 2), ("ledger.jsonl", 6)):
        kept = (cut / name).read_text().splitlines()[:lines]
        (cut / name).write_text("".join(f"{line}\n" for line in kept))
    _without_machine(Path())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
