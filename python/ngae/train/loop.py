"""The training loop: steps, epochs, checkpoints; resumable at every step.

Everything random is drawn from (seed, epoch) or (seed, step), so that a run which was
interrupted anywhere ends in the same bytes as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.data import Dataset, Table
from ngae.errors import RefusedError, TrainingError
from ngae.evaluate.metrics import pearson_r, rmse
from ngae.evaluate.protocol import score
from ngae.files import without_folder
from ngae.models import NGAEModel, objective
from ngae.models.inputs import Inputs
from ngae.models.predictors import TargetScaler
from ngae.train.checkpoint import Checkpoint, load_weights, read_checkpoint, write_checkpoint
from ngae.train.config import RunConfig
from ngae.train.folder import RunFolder, append_log, cut_log
from ngae.train.interrupt import Interrupt
from ngae.train.optimizer import clipped_step, load_state, new_adam, state_tensors
from ngae.train.terms import NAMES, TermSums, steps_between_readings
from ngae.transfer import transfer


@dataclass(frozen=True)
class Step:
    """What is known after one step, for whoever shows progress.

    Attributes:
        epoch: From 1.
        step: Steps done in this epoch.
        steps: Steps of an epoch.
        objective: The last known mean over an epoch's steps so far, or None. On the CPU it is
            that of this step, on a GPU up to 49 steps older.
    """

    epoch: int
    step: int
    steps: int
    objective: float | None


OnStep = Callable[[Step], None]
OnEpoch = Callable[[dict[str, Any]], None]


def new_model(config: RunConfig, data: Dataset) -> NGAEModel:
    """Make a model of seeded weights, with targets scaled by the training rows."""
    device = pick_device(config.train.device)
    return NGAEModel(
        data.space,
        config.model,
        _performance_scale(data.train),
        TargetScaler.fit(data.train.complexity),
        config.train.seed,
    ).to(device)


def _performance_scale(train: Table) -> TargetScaler:
    """Of the labelled rows; of no target where there is none."""
    known = train.performance[train.labelled]
    return TargetScaler.fit(known[:, None] if len(known) else np.zeros((1, 0)))


def pick_device(name: str) -> torch.device:
    """Return the device called `name`; `auto` is the CPU.

    Raises:
        RefusedError: There is no such device here.
    """
    try:
        return torch.empty(0, device="cpu" if name == "auto" else name).device
    except (RuntimeError, AssertionError) as error:
        raise RefusedError(
            f"--device: expected auto, cpu or a device of this machine, found {name!r}",
            remedy="pass --device cpu; `ngae doctor` says what is missing",
        ) from error


class Trainer:
    """Trains one model on one data set in one folder.

    Args:
        config: The settings.
        data: The data set.
        folder: The run folder, claimed by the caller.
    """

    def __init__(self, config: RunConfig, data: Dataset, folder: RunFolder) -> None:
        self.config = config
        self.data = data
        self.folder = folder
        self.model = new_model(config, data)
        self.optimizer = new_adam(self.model.parameters(), config.train.lr, self.model.device)
        self.steps_per_epoch = math.ceil(len(data.train) / config.train.batch_size)
        self.step = 0
        device = self.model.device
        self.terms = TermSums(device, steps_between_readings(device))
        self.known_objective: float | None = None
        self.best = math.inf

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.config.train.epochs

    @property
    def epochs_done(self) -> int:
        """Whole epochs that are behind us."""
        return self.step // self.steps_per_epoch

    def resume(self) -> bool:
        """Go on from the folder's last checkpoint; False where there is none.

        Raises:
            RefusedError: The checkpoint is damaged or of another run.
        """
        if not self.folder.last.exists():
            cut_log(self.folder.log, 0)
            return False
        checkpoint = read_checkpoint(self.folder.last)
        expected, found = self._facts()["fits"], checkpoint.facts.get("fits")
        if expected != found:
            raise RefusedError(
                f"{self.folder.last}: expected a checkpoint of these data and settings "
                f"({expected}), found {found}"
            )
        load_weights(self.model, checkpoint.part("model."), self.folder.last)
        load_state(self.optimizer, self.model, checkpoint.part("optimizer."))
        self.terms.sums = checkpoint.tensors["sums"].clone().to(self.model.device)
        self.step = checkpoint.facts["step"]
        self.best = checkpoint.facts["best"] if checkpoint.facts["best"] is not None else math.inf
        cut_log(self.folder.log, self.epochs_done)
        return True

    def run(self, interrupt: Interrupt, on_step: OnStep, on_epoch: OnEpoch) -> None:
        """Train to the end.

        Raises:
            TrainingError: A term of the objective is not finite; the last checkpoint is kept. On
                the CPU it is found before the step is taken, elsewhere some steps later, but
                before anything is saved.
            Interrupted: A signal came; a checkpoint of this very step is saved.
        """
        self.model.train()
        while self.step < self.total_steps:
            epoch = self.epochs_done
            order = _order(len(self.data.train), self.config.train.seed, epoch)
            started, first = time.perf_counter(), self.step
            while self.epochs_done == epoch:
                self._step(order)
                on_step(self._progress(epoch))
                if interrupt.received is not None and self.epochs_done == epoch:
                    self.save()
                    interrupt.stop()
            self._check()  # waits for the device, so that the time is that of all steps
            self._end_epoch(time.perf_counter() - started, self.step - first, on_epoch)
            if interrupt.received is not None:
                interrupt.stop()

    def save(self) -> None:
        """Write the last checkpoint: weights, the optimiser's state, where we are.

        Raises:
            TrainingError: A term of the objective was not finite; nothing is written.
        """
        self._check()
        self.folder.check_there()
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        for name, value in state_tensors(self.optimizer, self.model).items():
            tensors[f"optimizer.{name}"] = value
        tensors["sums"] = self.terms.sums
        write_checkpoint(self.folder.last, Checkpoint(tensors, self._facts()))

    def _step(self, order: NDArray[np.int64]) -> None:
        size = self.config.train.batch_size
        start = (self.step % self.steps_per_epoch) * size
        inputs = Inputs.of(self.data.train, order[start : start + size], self.model.device)
        self._learn(inputs, self._noise(inputs.batch.num_graphs))
        self.step += 1

    def _learn(self, inputs: Inputs, noise: Tensor) -> None:
        """Take a step; the host waits for nothing, unless the terms are to be read."""
        terms = self.model(
            inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, noise
        )
        total = objective(terms, self.config.loss)
        self.terms.add(self.step, total, terms)
        if self.terms.is_due:
            self._check()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        clipped_step(self.optimizer, self.config.train.clip)

    def _check(self) -> None:
        """Read the terms of the steps that were not read yet."""
        steps = self.terms.unread
        if not steps:
            return
        sums = self.terms.read()
        if not all(map(math.isfinite, sums)):
            self._refuse(steps, sums)
        self.known_objective = sums[0] / (steps[-1] % self.steps_per_epoch + 1)

    def _refuse(self, steps: range, sums: list[float]) -> NoReturn:
        bad = [f"{n} = {v}" for n, v in zip(NAMES, sums, strict=True) if not math.isfinite(v)]
        kept = self.folder.last if self.folder.last.exists() else "none was written yet"
        first, last = (step % self.steps_per_epoch + 1 for step in (steps[0], steps[-1]))
        span = f"step {last}" if first == last else f"steps {first} to {last}"
        raise TrainingError(
            f"epoch {steps[-1] // self.steps_per_epoch + 1}, {span}: "
            f"expected finite terms, found {', '.join(bad[1:] or bad)}; last good checkpoint: "
            f"{kept}",
            remedy="lower --lr or --clip, or check the table's values",
        )

    def _noise(self, num_graphs: int) -> Tensor:
        generator = torch.Generator().manual_seed(_mix(self.config.train.seed, self.step, 1))
        noise = torch.randn(num_graphs, self.config.model.latent_dim, generator=generator)
        return transfer([noise * self.config.loss.noise_scale], self.model.device)[0]

    def _learning_rate(self) -> float:
        train = self.config.train
        warmup = min(1.0, (self.step + 1) / max(train.warmup_steps, 1))
        return train.lr * warmup * 0.5 * (1 + math.cos(math.pi * self.step / self.total_steps))

    def _progress(self, epoch: int) -> Step:
        done = self.step - epoch * self.steps_per_epoch
        return Step(epoch + 1, done, self.steps_per_epoch, self.known_objective)

    def _end_epoch(self, seconds: float, steps: int, on_epoch: OnEpoch) -> None:
        means = [value / self.steps_per_epoch for value in self.terms.read()]
        record = {
            "epoch": self.epochs_done,
            "step": self.step,
            **dict(zip(NAMES, means, strict=True)),
            "lr": self._learning_rate(),
            "test": self._test_scores(),
            "seconds": seconds,
            "graphs_per_s": len(self.data.train) * steps / self.steps_per_epoch / seconds,
        }
        self.terms.clear()
        improved = means[0] < self.best
        self.best = min(self.best, means[0])
        self.folder.check_there()
        # The log first: a resumed run cuts off lines that no checkpoint confirms.
        append_log(self.folder.log, record)
        if improved:
            tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
            write_checkpoint(self.folder.best, Checkpoint(tensors, self._facts()))
        self.save()
        on_epoch(record)

    def _test_scores(self) -> dict[str, float]:
        """Score the test rows, for the log alone: nothing is chosen by them."""
        self.model.eval()
        size = self.config.evaluate.evaluate_batch_size
        scores = score(self.model, self.data.test, size, self.config.train.seed)
        self.model.train()
        result = {"reconstruction": float(scores.probability_mean.mean())}
        known = self.data.test.labelled
        if scores.performance is not None and len(known):
            train = self.data.train.performance[self.data.train.labelled]
            actual = self.data.test.performance[known]
            result["pearson_r"] = pearson_r(scores.performance[known], actual)
            error = rmse(scores.performance[known], actual)
            result["rmse_normalised"] = error / (float(train.std()) or 1.0)
        return result

    def _facts(self) -> dict[str, Any]:
        return {
            "config": self.config.without_folders().as_dict(),
            "fits": {
                "space": without_folder(self.data.space.name),
                "train_rows": len(self.data.train),
                "complexities": list(self.data.train.complexity_names),
                "data": self.data.fingerprint,
            },
            "step": self.step,
            "best": self.best if math.isfinite(self.best) else None,
        }


def load_model(folder: RunFolder, data: Dataset, config: RunConfig) -> NGAEModel:
    """Load the finished model of a run: its last weights.

    Raises:
        RefusedError: No checkpoint, a damaged one, or one that does not fit.
    """
    model = new_model(config, data)
    checkpoint = read_checkpoint(folder.last)
    load_weights(model, checkpoint.part("model."), folder.last)
    return model.eval()


def _order(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    generator = torch.Generator().manual_seed(_mix(seed, epoch, 0))
    order: NDArray[np.int64] = torch.randperm(rows, generator=generator).numpy()
    return order


def _mix(seed: int, count: int, stream: int) -> int:
    """A seed of three numbers, so that neighbouring streams have nothing in common."""
    return int(np.random.SeedSequence([seed, count, stream]).generate_state(1, np.uint64)[0] >> 1)
