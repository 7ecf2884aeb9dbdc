"""The numbers of tables and figures, read from the files that the stages left."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.report.published import TABLE_1
from ngae.reproduce.config import Plan
from ngae.reproduce.folder import ReproduceFolder, read_csv, read_json
from ngae.reproduce.stages import METHODS, Method
from ngae.train.folder import read_log

Array = NDArray[np.float64]

MEASURES = {
    "reconstruction": "Accuracy (reconstruction)",
    "validity": "Validity",
    "uniqueness": "Uniqueness",
    "novelty": "Novelty",
}
TOP = 3  # networks of a search in figure 5


@dataclass(frozen=True)
class Cell:
    """One number of Table 1, the paper's beside ours.

    Attributes:
        measure: A key of MEASURES.
        paper_epochs: Epochs of the paper's model.
        epochs: Epochs of ours.
        paper: A share.
        ours: The mean over seeds, a share.
        deviation: Standard deviation over seeds; NaN of a single one.
        seeds: How many.
        seconds: Mean time of training until there.
    """

    measure: str
    paper_epochs: int
    epochs: int
    paper: float
    ours: float
    deviation: float
    seeds: int
    seconds: float

    @property
    def difference(self) -> float:
        """Ours less the paper's."""
        return self.ours - self.paper


@dataclass(frozen=True)
class Found:
    """One of the networks of figure 5.

    Attributes:
        method: Which search found it.
        seed: Of training and search.
        rank: From 1, by performance.
        performance: By the oracle.
        predicted: By the model that proposed it, or None.
        complexity: Exact, by name.
        architecture: In the space's text form.
    """

    method: Method
    seed: int
    rank: int
    performance: float
    predicted: float | None
    complexity: Mapping[str, float]
    architecture: str


@dataclass(frozen=True)
class Results:
    """Everything that the page tells, as numbers.

    Attributes:
        folder: Where the files are.
        plan: The settings.
    """

    folder: ReproduceFolder
    plan: Plan

    @cached_property
    def data(self) -> dict[str, Any]:
        """What is known of the table and of the oracle."""
        return read_json(self.folder / "data.json")

    @cached_property
    def measured(self) -> dict[tuple[int, int], dict[str, Any]]:
        """What was measured, by seed and epoch."""
        return {
            (seed, epoch): read_json(self.folder.measures(seed, epoch))
            for seed in self.plan.seeds
            for epoch in self.plan.checkpoints
        }

    @cached_property
    def logs(self) -> dict[int, list[dict[str, Any]]]:
        """The log of each training of NGAE, by seed."""
        return {seed: read_log(self.folder.run(seed, "ngae").log) for seed in self.plan.seeds}

    @cached_property
    def table_1(self) -> list[Cell]:
        """Table 1, measure by measure."""
        cells = []
        for measure in MEASURES:
            for paper_epochs, epochs in zip(TABLE_1, self.plan.checkpoints, strict=True):
                shares = [_share(self.measured[s, epochs], measure) for s in self.plan.seeds]
                mean, deviation = _mean(shares)
                paper, seconds = TABLE_1[paper_epochs][measure], self.seconds(epochs)
                cells.append(
                    Cell(
                        measure, paper_epochs, epochs, paper, mean, deviation, len(shares), seconds
                    )
                )
        return cells

    def seconds(self, epoch: int) -> float:
        """Return the mean over seeds of the time of training until the end of an epoch."""
        spent = [
            sum(line["seconds"] for line in log if line["epoch"] <= epoch)
            for log in self.logs.values()
        ]
        return float(np.mean(spent))

    def over_seeds(self, epoch: int, *keys: str) -> tuple[float, float]:
        """Return mean and standard deviation over seeds of a number measured after an epoch."""
        values = []
        for seed in self.plan.seeds:
            value: Any = self.measured[seed, epoch]
            for key in keys:
                value = value[key]
            values.append(float(value))
        return _mean(values)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log of the first training, which the figures show."""
        return self.logs[self.plan.seeds[0]]

    def column(self, table: str, *names: str) -> list[Array]:
        """Read columns of a table in the folder, float64."""
        rows = read_csv(self.folder / table)
        return [np.array([float(row[name]) for row in rows]) for name in names]

    @cached_property
    def fit(self) -> tuple[float, float]:
        """Slope and intercept of the line of figure 4 through true and predicted ones."""
        true, predicted = self.column("figure4-predicted.csv", "true", "predicted")
        return fitted_line(true, predicted)

    @cached_property
    def found(self) -> list[Found]:
        """The best networks of each search, by method, seed and rank."""
        found = []
        for method in METHODS:
            for seed in self.plan.seeds:
                folder = self.folder.search(seed, method.key)
                if (folder / "result.json").exists():
                    lines = (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()
                    found += _best(method, seed, [json.loads(line) for line in lines])
        return found

    def of(self, method: Method) -> list[Found]:
        """Return the networks of one method."""
        return [one for one in self.found if one.method is method]

    def mean_of(self, key: str, name: str = "") -> float:
        """Return the mean over the best networks of a method, by its key.

        Args:
            key: Of the method.
            name: A complexity; "" for the performance.
        """
        found = [one for one in self.found if one.method.key == key]
        values = [one.complexity[name] if name else one.performance for one in found]
        return float(np.mean(values)) if values else math.nan


def fitted_line(x: Array, y: Array) -> tuple[float, float]:
    """Return slope and intercept of the line of least squares; a level one where x is constant."""
    slope, intercept = np.polyfit(x, y, 1) if np.ptp(x) > 0 else (0.0, float(y.mean()))
    return float(slope), float(intercept)


def _share(measured: Mapping[str, Any], measure: str) -> float:
    metrics = measured["metrics"]
    if measure == "reconstruction":
        return float(metrics["reconstruction"]["mean"])
    return float(metrics["published_protocol"][measure])


def _mean(values: Sequence[float]) -> tuple[float, float]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return float(np.mean(values)), deviation


def _best(method: Method, seed: int, trials: list[dict[str, Any]]) -> list[Found]:
    answered = [trial for trial in trials if trial["performance"] is not None]
    order = sorted(answered, key=lambda trial: -trial["performance"])[:TOP]
    return [
        Found(
            method, seed, rank, trial["performance"], trial["predicted_performance"],
            trial["complexity"], trial["architecture"],
        )
        for rank, trial in enumerate(order, 1)
    ]  # fmt: skip
