"""What `train` shows: banner, data, model, progress, the metrics, the next command."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ngae import console
from ngae.commands.banner import show_banner
from ngae.data import Dataset, load_config
from ngae.errors import UsageError
from ngae.files import finite
from ngae.train.config import RunConfig
from ngae.train.folder import RunFolder
from ngae.train.group import Group
from ngae.train.loop import Step, Trainer
from ngae.train.model import new_model, pick_device
from ngae.train.session import Observer, help_training, run_training
from ngae.train.tensorboard import Observers, event_log


class Progress:
    """Shows a run on stderr: a bar on a terminal, one line an epoch elsewhere.

    Args:
        folder: The run folder, to be named in messages.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.bar: tqdm[Any] | None = None
        self.stage = ""
        self.started_at = time.perf_counter()
        self.epochs = 0
        self.first_epoch = 0

    def started(self, trainer: Trainer, resumed: bool) -> None:
        """Say what was made, and open the bar."""
        count = sum(parameter.numel() for parameter in trainer.model.parameters())
        config = trainer.config.model
        console.say(
            f"model: hidden {config.hidden_dim}, latent {config.latent_dim}, "
            f"{count / 1e6:.2f} M parameters, {config.precision}"
        )
        console.say(
            f"training: {trainer.config.train.epochs} epochs of {trainer.steps_per_epoch} steps, "
            f"{trainer.batch_size} graphs a step, learning rate {trainer.peak_lr:.2g}"
        )
        console.say(f"folder: {self.folder.path}")
        self.epochs = trainer.config.train.epochs
        self.first_epoch = trainer.epochs_done
        if resumed:
            console.say(f"resumed at step {trainer.step} of {trainer.total_steps}")
        self.started_at = time.perf_counter()
        if sys.stderr.isatty():
            self.bar = tqdm(
                total=trainer.total_steps, initial=trainer.step, unit="step", dynamic_ncols=True
            )

    def stepped(self, step: Step) -> None:
        """Move the bar."""
        if self.bar is not None:
            self.bar.update(1)
            mean = "" if step.objective is None else f", objective {step.objective:.3f}"
            self.bar.set_postfix_str(f"epoch {step.epoch}{mean}", False)

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """Say how the epoch went and how long the rest will take."""
        done = record["epoch"] - self.first_epoch
        left = (time.perf_counter() - self.started_at) / done * (self.epochs - record["epoch"])
        test = record["test"]
        correlation = f", r {test['pearson_r']:.4f}" if "pearson_r" in test else ""
        text = (
            f"epoch {record['epoch']}/{self.epochs}: objective {record['objective']:.4f}, "
            f"nodes {record['nodes']:.4f}, edges {record['edges']:.4f}, kl {record['kl']:.2f}, "
            f"performance {record['performance']:.4f}, complexity {record['complexity']:.4f} | "
            f"test reconstruction {100 * test['reconstruction']:.2f} %{correlation} | "
            f"{record['graphs_per_s']:.0f} graphs/s, {_duration(left)} left"
        )
        if self.bar is None:
            console.say(text)
        else:
            self.bar.write(text, file=sys.stderr)

    def evaluating(self, stage: str, share: float) -> None:
        """Say which stage of the evaluation runs."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if stage != self.stage:
            self.stage = stage
            console.say(f"evaluating: {stage}")


def train_and_show(
    config: RunConfig,
    *,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    nvt: int | None,
    tensorboard: bool,
    group: Group,
) -> int:
    """Train as `config` says and show it; the exit code."""
    device = pick_device(group.device_name(config.train.device))
    show_banner(device)
    if group.size > 1:
        console.say(f"processes: {group.size}, each with its part of every batch")
    data = load_config(config.data)
    show_data(data)
    _check_nvt(nvt, data)
    folder = _folder(config, out)
    if dry_run:
        return _show_plan(config, data, folder)
    with _watching(folder, tensorboard) as observer:
        finished = run_training(
            config, data, folder, resume=resume, overwrite=overwrite, observer=observer,
            group=group,
        )  # fmt: skip
    if as_json:
        console.give(json.dumps(finite(finished.metrics)))
    else:
        console.give(console.metrics_table(finished.metrics))
    seconds = finished.metrics["wall_time_s"]
    console.say(f"trained and evaluated in {_duration(seconds)}: {folder.path}/metrics.json")
    following = "evaluate" if finished.model.performance is None else "search"
    console.say(f"next: python -m ngae.{following} {folder.path}{console.named(config.data.code)}")
    return 0


def help_unseen(config: RunConfig, out: Path | None, group: Group, *, dry_run: bool) -> int:
    """Take part in what `train_and_show` does in the first process; the exit code."""
    data = load_config(config.data)
    if not dry_run:
        help_training(config, data, _folder(config, out), group)
    return 0


def _folder(config: RunConfig, out: Path | None) -> RunFolder:
    return RunFolder(out) if out else RunFolder.named(config)


@contextmanager
def _watching(folder: RunFolder, tensorboard: bool) -> Iterator[Observer]:
    """Give who shows the run, and with `tensorboard` writes its events."""
    if not tensorboard:
        yield Progress(folder)
        return
    with event_log(folder) as log:
        yield Observers([Progress(folder), log])


def show_data(data: Dataset) -> None:
    """Say what the data are, and what is odd about them."""
    console.say(
        f"data: {data.name}, space {data.space.name}, {len(data.train)} training and "
        f"{len(data.test)} test rows"
    )
    for note in data.notes:
        console.say(f"note: {note}")


def _show_plan(config: RunConfig, data: Dataset, folder: RunFolder) -> int:
    model = new_model(config, data)
    count = sum(parameter.numel() for parameter in model.parameters())
    console.say(f"folder: {folder.path} (nothing is written)")
    console.say(f"model: {count / 1e6:.2f} M parameters")
    console.give(json.dumps(config.as_dict(), indent=2))
    return 0


def _check_nvt(nvt: int | None, data: Dataset) -> None:
    operations = data.space.num_node_types - 2
    if nvt is not None and nvt != operations:
        raise UsageError(
            f"--nvt: expected {operations}, the operations of {data.space.name}, found {nvt}"
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
