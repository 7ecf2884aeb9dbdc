"""What is measured of a trained model: checkpoints, the map, predictions, ascents."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ngae.api import NGAE
from ngae.data import Dataset
from ngae.evaluate.metrics import rmse
from ngae.evaluate.protocol import evaluate, latents
from ngae.models import NGAEModel
from ngae.report.projection import Plane
from ngae.reproduce.config import Plan
from ngae.search.config import GradientConfig
from ngae.train.checkpoint import load_weights, read_checkpoint
from ngae.train.config import RunConfig
from ngae.train.folder import RunFolder
from ngae.train.loop import Step, Trainer
from ngae.train.model import new_model
from ngae.train.session import Observer
from ngae.transfer import transfer

Rows = tuple[Sequence[str], Sequence[Sequence[object]]]
Work = Callable[[NGAE, Plan], Rows]

_POINT, _CHOICE, _STARTS = 1, 2, 3  # streams of random numbers
_REACH = 3.0  # of the map, in standard deviations of the encodings along each axis


class Keeper:
    """An observer that keeps the weights after some epochs, and hands everything on.

    Args:
        run: The run folder.
        kept: Files by epoch.
        inner: Who shows the training.
    """

    def __init__(self, run: RunFolder, kept: Mapping[int, Path], inner: Observer) -> None:
        self.run, self.kept, self.inner = run, kept, inner

    def started(self, trainer: Trainer, resumed: bool) -> None:
        """Keep what a run that was cut off right after an epoch did not."""
        if resumed and trainer.step == trainer.epochs_done * trainer.steps_per_epoch:
            self._keep(trainer.epochs_done)
        self.inner.started(trainer, resumed)

    def stepped(self, step: Step) -> None:
        """Hand on."""
        self.inner.stepped(step)

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """Keep the checkpoint that was just written, where it is wanted."""
        self._keep(record["epoch"])
        self.inner.epoch_ended(record)

    def evaluating(self, stage: str, share: float) -> None:
        """Hand on."""
        self.inner.evaluating(stage, share)

    def _keep(self, epoch: int) -> None:
        file = self.kept.get(epoch)
        if file is not None and self.run.last.exists():
            beside = file.with_suffix(".part")
            shutil.copyfile(self.run.last, beside)
            beside.replace(file)


def at_checkpoint(
    path: Path, data: Dataset, config: RunConfig, epoch: int, known: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Measure the weights in a checkpoint.

    Args:
        path: The checkpoint.
        data: The data.
        config: Settings of the training.
        epoch: Epochs that were trained.
        known: `metrics.json` of the training, where these are its last weights.

    Returns:
        `epoch`; `metrics`, as in `metrics.json` but for times; `train_rmse_normalised`, of the
        training rows at their posterior means in units of their standard deviation.
    """
    model = new_model(config, data)
    load_weights(model, read_checkpoint(path).part("model."), path)
    model.eval()
    metrics = known or evaluate(model, data, config.evaluate, seed=config.train.seed)
    untimed = {k: v for k, v in metrics.items() if k not in ("wall_time_s", "graphs_per_s")}
    return {
        "epoch": epoch,
        "metrics": {**untimed, "epochs": epoch},
        "train_rmse_normalised": _train_error(model, data),
    }


def latent_map(run: NGAE, plan: Plan) -> Rows:
    """Predict on the plane through one draw of the prior along two principal components.

    The components are those of the encodings of the training rows; the plane reaches three of
    their standard deviations each way.
    """
    means = latents(run.model, run.data.train)
    plane = Plane.fit(means, run.data.train.performance)
    deviations = (plane.place(means)).std(axis=0)
    steps = np.linspace(-_REACH, _REACH, plan.own.map_points)
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    moved = (places * deviations) @ plane.axes
    point = _normal(plan, _POINT, (1, means.shape[1]))
    found = _predicted(run.model, (point + moved).astype(np.float32))
    shares = plane.shares.tolist()
    return ("first", "second", "predicted", "first_share", "second_share"), [
        (*place, value, *shares)
        for place, value in zip(places.tolist(), found.tolist(), strict=True)
    ]


def predicted(run: NGAE, plan: Plan) -> Rows:
    """Predict some test rows, drawn at random, at their posterior means."""
    table = run.data.test
    rng = np.random.default_rng([plan.seeds[0], _CHOICE])
    rows = rng.permutation(table.labelled)[: plan.own.networks]
    dags = table.dags.take(rows)
    with torch.no_grad():
        mean = run.model.encode(dags).mean
    found = _predicted(run.model, mean.float().cpu().numpy())
    return ("architecture", "true", "predicted"), [
        (table.space.format(dag), float(table.performance[row]), value)
        for dag, row, value in zip(dags, rows.tolist(), found.tolist(), strict=True)
    ]


def ascents(run: NGAE, plan: Plan) -> Rows:
    """Climb the predicted performance from draws of the prior, by many steps and by one.

    The one step follows the gradient at the start, and is as long as the many steps before it.
    """
    config, model = GradientConfig(), run.model
    starts = _normal(plan, _STARTS, (plan.own.ascents, model.config.latent_dim))
    (points,) = transfer([torch.from_numpy(starts.astype(np.float32))], model.device)

    def climbed(step_size: float, keep: Sequence[int]) -> list[NDArray[np.float64]]:
        path = model.ascend(
            points, performance_weight=1.0, complexity_weights=[], step_size=step_size, keep=keep
        )
        return [_predicted(model, z.float().cpu().numpy()) for z in path]

    many = climbed(config.step_size, range(config.steps + 1))
    one = [climbed(max(n, 1) * config.step_size, [min(n, 1)])[0] for n in range(config.steps + 1)]
    return ("step", "many_mean", "many_std", "one_mean", "one_std"), [
        (n, float(a.mean()), float(a.std()), float(b.mean()), float(b.std()))
        for n, (a, b) in enumerate(zip(many, one, strict=True))
    ]


def _train_error(model: NGAEModel, data: Dataset) -> float:
    rows = data.train.labelled
    actual = data.train.performance[rows]
    found = _predicted(model, latents(model, data.train))[rows]
    return rmse(found, actual) / (float(actual.std()) or 1.0)


def _predicted(model: NGAEModel, z: NDArray[np.float32]) -> NDArray[np.float64]:
    with torch.no_grad():
        (points,) = transfer([torch.from_numpy(z)], model.device)
        performance = model.predict(points).performance
    assert performance is not None
    numbers: NDArray[np.float64] = performance.double().cpu().numpy()
    return numbers


def _normal(plan: Plan, stream: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.random.default_rng([plan.seeds[0], stream]).standard_normal(shape)
