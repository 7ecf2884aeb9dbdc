"""The model of a search without a run: a VAE of graphs, which has seen none of the answers."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from ngae import console
from ngae.api import NGAE
from ngae.commands.training import Progress
from ngae.data import Dataset, load_config
from ngae.data.columns import NONE
from ngae.data.config import DataConfig
from ngae.errors import RefusedError
from ngae.train.folder import RunFolder
from ngae.train.interrupt import Interrupted

# Nodes of graphs that two cores of an AMD EPYC (Zen 5) train on, evaluation included: digits6
# took 200 s, 24 epochs of 17,118 graphs of 8 nodes.
_NODES_A_SECOND = 16_000


def without_answers(data: DataConfig) -> DataConfig:
    """Return how the graphs of a table are read, and nothing else of it.

    Complexities are those that the space computes: they are no answers of the table. One in a
    thousand is left to judge the model by.
    """
    return dataclasses.replace(
        data,
        performance_col=NONE,
        complexity_col="",
        report_col="",
        join="",
        lower_is_better=False,
        missing="refuse",
        repeats="keep",
        test_fraction=0.001,
        train_rows=0,
    )


def model_of(data: DataConfig, path: Path, device: str = "") -> Path:
    """Return the run folder of a VAE of the table's graphs; trains it where it is not there.

    Args:
        data: How the table is read.
        path: The run folder; one that was cut off is gone on with.
        device: Where it is trained; "" stands for the default.

    Raises:
        RefusedError: The folder holds a model of other data.
        Interrupted: A signal came; the same command goes on.
    """
    graphs, run = without_answers(data).located(), RunFolder(path)
    if run.config.exists() and run.read_config().data != graphs:
        raise RefusedError(
            f"{path}: expected a model of the graphs of {data.data}, found one of other data",
            remedy=f"remove {path}, or pass another --out",
        )
    if not run.metrics.exists():
        settings = {"device": device} if device else {}
        dataset = load_config(graphs)
        computed = bool(dataset.table.complexity_names)
        model = NGAE(performance_predictor=False, complexity_predictor=computed, **settings)
        _show_plan(dataset, model.config.train.epochs, path)
        try:
            model.fit(dataset, out=path, resume=True, observer=Progress(run))
        except Interrupted as interrupted:
            interrupted.remedy = "the same command goes on"
            raise
    return path


def _show_plan(data: Dataset, epochs: int, path: Path) -> None:
    """Say what is trained, and about how long it takes."""
    nodes = int(data.train.dags.graph_ptr[-1])
    minutes = math.ceil(nodes * epochs / _NODES_A_SECOND / 60)
    console.say(
        f"a VAE of {len(data.train)} graphs, without any answer, is trained once: {epochs} epochs, "
        f"about {minutes} min on two cores; kept in {path}"
    )


def check_unlabelled(run: str) -> None:
    """Say so where the model of a run has learned performances.

    Raises:
        RefusedError: No finished run.
    """
    folder = RunFolder(Path(run))
    data = folder.read_config().data
    if not folder.last.exists():
        raise RefusedError(
            f"{run}: expected a trained model, found no checkpoint",
            remedy=f"python -m ngae.train --config {folder.config} --out {run} --resume",
        )
    if data.performance_col != NONE:
        console.say(
            f"note: {run} has learned {data.performance_col} of {data.data}; where that is the "
            "benchmark's, its searches know answers that they did not ask for"
        )
