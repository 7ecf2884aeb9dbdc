"""One whole run: claim the folder, train, evaluate, write the results."""

from __future__ import annotations

import io
import os
import platform
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

import ngae
from ngae.data import Dataset
from ngae.evaluate.protocol import evaluate, latents
from ngae.files import write_bytes, write_json
from ngae.models import NGAEModel
from ngae.ops import active_backend, devices
from ngae.ops._library import active_level
from ngae.train.config import RunConfig
from ngae.train.folder import RunFolder, read_log
from ngae.train.group import ALONE, Group
from ngae.train.interrupt import watching
from ngae.train.loop import Step, Trainer


class Observer(Protocol):
    """Whoever shows how a run proceeds."""

    def started(self, trainer: Trainer, resumed: bool) -> None:
        """The model is made; training begins or goes on."""

    def stepped(self, step: Step) -> None:
        """One step is done."""

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """One epoch is done; `record` is its line of the log."""

    def evaluating(self, stage: str, share: float) -> None:
        """The evaluation is at this share of this stage."""


class Silence:
    """An observer that shows nothing."""

    def started(self, trainer: Trainer, resumed: bool) -> None:
        """Show nothing."""

    def stepped(self, step: Step) -> None:
        """Show nothing."""

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """Show nothing."""

    def evaluating(self, stage: str, share: float) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class Finished:
    """What a run ends with.

    Attributes:
        model: The trained model, in evaluation mode.
        metrics: What `metrics.json` holds.
        folder: Where everything is.
    """

    model: NGAEModel
    metrics: dict[str, Any]
    folder: RunFolder


def run_training(
    config: RunConfig,
    data: Dataset,
    folder: RunFolder,
    *,
    resume: bool = False,
    overwrite: bool = False,
    observer: Observer | None = None,
    group: Group = ALONE,
) -> Finished:
    """Train on `data` in `folder`, then evaluate.

    With several processes this is for the first of them; the others call `help_training`.

    Args:
        config: The settings.
        data: The data set that `config.data` describes.
        folder: The run folder.
        resume: Go on with the run in the folder, if there is one.
        overwrite: Replace the run in the folder.
        observer: Who shows progress.
        group: The processes that train together.

    Raises:
        RefusedError: The folder is in use, or its checkpoint does not fit.
        TrainingError: A term of the objective is not finite.
        LostError: Another process of the group ended.
        Interrupted: A signal came; the checkpoint is saved.
    """
    observer = observer or Silence()
    claim = folder.claimed(config, resume=resume, overwrite=overwrite)
    with claim, folder.telling_failure():
        trainer = Trainer(config, data, folder, group)
        resumed = resume and trainer.resume()
        trainer.join()
        write_json(folder.path / "env.json", environment(trainer.model.device, group.size))
        write_json(folder.path / "data.json", data.as_dict())
        observer.started(trainer, resumed)
        with watching(group.repeats_s) as interrupt:
            trainer.run(interrupt, observer.stepped, observer.epoch_ended)
        model = trainer.model.eval()
        metrics = _evaluated(config, model, data, folder, observer)
        return Finished(model, metrics, folder)


def help_training(config: RunConfig, data: Dataset, folder: RunFolder, group: Group) -> None:
    """Take this process's part in each step of a training that the first process of `group` runs.

    Writes and shows nothing, and leaves when the last step is done.

    Args:
        config: The settings, those of the first process.
        data: The data set, that of the first process.
        folder: The run folder, for messages.
        group: The processes that train together.

    Raises:
        RefusedError: The first process has other data or settings.
        TrainingError: A term of the objective is not finite.
        LostError: Another process of the group ended.
        Interrupted: A signal came; the checkpoint is saved.
    """
    trainer = Trainer(config, data, folder, group)
    trainer.join()
    with watching(group.repeats_s) as interrupt:
        trainer.run(interrupt, lambda step: None, lambda record: None)


def _evaluated(
    config: RunConfig, model: NGAEModel, data: Dataset, folder: RunFolder, observer: Observer
) -> dict[str, Any]:
    started = time.perf_counter()
    metrics = evaluate(
        model,
        data,
        config.evaluate,
        seed=config.train.seed,
        on_progress=observer.evaluating,
    )
    log = read_log(folder.log)
    seconds = sum(record["seconds"] for record in log)
    metrics["wall_time_s"] = seconds + time.perf_counter() - started
    metrics["epochs"] = config.train.epochs
    metrics["graphs_per_s"] = len(data.train) * len(log) / seconds if seconds else None
    folder.check_there()
    _write_latents(model, data, folder)
    write_json(folder.metrics, metrics)
    return metrics


def _write_latents(model: NGAEModel, data: Dataset, folder: RunFolder) -> None:
    """Write posterior means and targets, so that figures need no checkpoint."""
    arrays: dict[str, Any] = {}
    for name, table in (("train", data.train), ("test", data.test)):
        arrays[f"{name}_mean"] = latents(model, table)
        arrays[f"{name}_performance"] = table.performance
        arrays[f"{name}_complexity"] = table.complexity
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # numbers alone: nothing is pickled
    write_bytes(folder.path / "latents.npz", buffer.getvalue())


def environment(device: torch.device, processes: int = 1) -> dict[str, Any]:
    """Return the versions and the machine that a result was made with.

    Args:
        device: Where the model is.
        processes: How many trained it together.
    """
    return {
        "ngae": ngae.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "device": str(device),
        "ops": active_backend(device),
        "cpu_level": active_level(),
        "torch_cpu_level": torch.backends.cpu.get_cpu_capability(),
        "cuda": devices.summary(),
    }
