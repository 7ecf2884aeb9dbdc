"""The training loop: steps, epochs, checkpoints; resumable at every step.

A run which was interrupted anywhere ends in the same bytes as one that was not. It may be one of
several processes (`ngae.train.group`), of which the first alone writes, judges and shows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.data import Dataset
from ngae.errors import RefusedError, TrainingError
from ngae.files import without_folder
from ngae.models import objective
from ngae.models.inputs import Inputs
from ngae.models.standardise import standardise
from ngae.ops import active_backend
from ngae.threads import small_torch
from ngae.train.checkpoint import Checkpoint, load_weights, read_checkpoint, write_checkpoint
from ngae.train.config import RunConfig
from ngae.train.draws import noise, order
from ngae.train.folder import RunFolder, append_log, cut_log
from ngae.train.group import ALONE, Group
from ngae.train.interrupt import Interrupt, Interrupted
from ngae.train.judging import scores_of_test
from ngae.train.model import new_model, pick_device
from ngae.train.optimizer import Adam, load_state, state_tensors
from ngae.train.part import Part, Share
from ngae.train.terms import NAMES, TermSums, steps_between_readings, values_of
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


_STANDARD_ROWS = 5000  # training rows whose encodings are brought to mean 0 and variance 1

OnStep = Callable[[Step], None]
OnEpoch = Callable[[dict[str, Any]], None]


class Trainer:
    """Trains one model on one data set in one folder.

    Args:
        config: The settings.
        data: The data set.
        folder: The run folder, claimed by the caller; only the first process writes to it.
        group: The processes that take the steps together, each with its part of every batch.
    """

    def __init__(
        self, config: RunConfig, data: Dataset, folder: RunFolder, group: Group = ALONE
    ) -> None:
        self.config = config
        self.data = data
        self.folder = folder
        self.group = group
        device = pick_device(group.device_name(config.train.device))
        group.use(device)
        self.model = new_model(config, data, device)
        self.batch_size = config.train.graphs_a_step(len(data.train))
        self.peak_lr = config.train.peak_lr(len(data.train))
        self.optimizer = Adam(self.model.parameters(), self.peak_lr, device)
        self.steps_per_epoch = math.ceil(len(data.train) / self.batch_size)
        self.step = 0
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
        self._take(read_checkpoint(self.folder.last), self.folder.last)
        cut_log(self.folder.log, self.epochs_done)
        return True

    def join(self) -> None:
        """Begin where the first process of the group does; all processes call it at once.

        Raises:
            RefusedError: This process has other data or settings.
        """
        state = self.group.shared(self._state)
        if state is None:
            return
        expected, found = self._facts()["config"], state.facts["config"]
        if expected != found:
            raise RefusedError(
                f"process {self.group.rank}: expected the settings of the first process, {found}, "
                f"found {expected}"
            )
        self._take(state, "the first process")

    def _take(self, state: Checkpoint, place: object) -> None:
        """Go on from a state of the same data and settings."""
        expected, found = self._facts()["fits"], state.facts.get("fits")
        if expected != found:
            raise RefusedError(
                f"{place}: expected a checkpoint of these data and settings "
                f"({expected}), found {found}"
            )
        load_weights(self.model, state.part("model."), place)
        load_state(self.optimizer, self.model, state.part("optimizer."))
        self.terms.restore(state.tensors["sums"])
        self.step = state.facts["step"]
        self.best = state.facts["best"] if state.facts["best"] is not None else math.inf

    def run(self, interrupt: Interrupt, on_step: OnStep, on_epoch: OnEpoch) -> None:
        """Train to the end.

        Raises:
            TrainingError: A term of the objective is not finite; the last checkpoint is kept. On
                the CPU it is found before the step is taken, elsewhere some steps later, but
                before anything is saved.
            Interrupted: A signal came; a checkpoint of this very step is saved.
        """
        self.model.train()
        with self.threads():
            self._run(interrupt, on_step, on_epoch)

    def threads(self) -> AbstractContextManager[None]:
        """Give the threads to the native ops alone, where they do the large products."""
        native = active_backend(self.model.device) == "cpp"
        return small_torch() if native else nullcontext()

    def _run(self, interrupt: Interrupt, on_step: OnStep, on_epoch: OnEpoch) -> None:
        while self.step < self.total_steps:
            epoch = self.epochs_done
            rows = order(len(self.data.train), self.config.train.seed, epoch)
            started, first = time.perf_counter(), self.step
            while self.epochs_done == epoch:
                self._step(rows)
                on_step(self._progress(epoch))
                number = self.group.agreed(interrupt.received)
                if number is not None and self.epochs_done == epoch:
                    self.save()
                    self._stop(number)
            self._check()  # waits for the device, so that the time is that of all steps
            self._end_epoch(time.perf_counter() - started, self.step - first, on_epoch)
            number = self.group.agreed(interrupt.received)
            if number is not None:
                self._stop(number)

    def save(self) -> None:
        """Write the last checkpoint: weights, the optimiser's state, where we are.

        Raises:
            TrainingError: A term of the objective was not finite; nothing is written.
        """
        self._check()
        if self.group.is_first:
            self.folder.check_there()
            write_checkpoint(self.folder.last, self._state())

    def _state(self) -> Checkpoint:
        """What it takes to go on: weights, the optimiser's state, where we are."""
        tensors = self._weights()
        for name, value in state_tensors(self.optimizer, self.model).items():
            tensors[f"optimizer.{name}"] = value
        tensors["sums"] = self.terms.sums
        return Checkpoint(tensors, self._facts())

    def _weights(self) -> dict[str, Tensor]:
        return {f"model.{name}": t for name, t in self.model.state_dict().items()}

    def _stop(self, number: int) -> NoReturn:
        """End at a signal, once the first process has saved."""
        self.group.agreed(number)
        raise Interrupted(number)

    def _step(self, rows: NDArray[np.int64]) -> None:
        start = (self.step % self.steps_per_epoch) * self.batch_size
        batch = rows[start : start + self.batch_size]
        part = Part.of(self.data.train, batch, self.group.part(len(batch)))
        inputs = Inputs.of(self.data.train, batch[part.places], self.model.device)
        self._learn(inputs, self._noise(len(batch), part.places), part.share)
        self.step += 1

    def _learn(self, inputs: Inputs, noise: Tensor, share: Share | None = None) -> None:
        """Take a step; the host waits for nothing, unless the terms are to be read."""
        targets = inputs.performance, inputs.complexity
        total = self.group.total if share is None else share.total(self.group.total)
        terms = self.model(inputs.batch, inputs.decisions, *targets, noise, total)
        terms = terms if share is None else share.of(terms)
        loss = objective(terms, self.config.loss)
        parameters = [p for p in self.optimizer.parameters if p.requires_grad]
        for parameter in parameters:
            parameter.grad = None
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient  # as it is; `backward` would copy it
        self.terms.add(self.step, self.group.summed(parameters, values_of(loss, terms)))
        if self.terms.is_due:
            self._check()
        self.optimizer.lr = self._learning_rate()
        self.optimizer.step(self.config.train.clip)

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

    def _noise(self, num_graphs: int, places: slice = slice(None)) -> Tensor:
        """Noise of the graphs at some places of a batch of `num_graphs`."""
        drawn = noise(num_graphs, self.config.model.latent_dim, self.config.train.seed, self.step)
        own = drawn[places] * self.config.loss.noise_scale
        return transfer([own], self.model.device)[0]

    def _learning_rate(self) -> float:
        warmup = min(1.0, (self.step + 1) / max(self.config.train.warmup_steps, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * self.step / self.total_steps))
        return self.peak_lr * warmup * cosine

    def _progress(self, epoch: int) -> Step:
        done = self.step - epoch * self.steps_per_epoch
        return Step(epoch + 1, done, self.steps_per_epoch, self.known_objective)

    def _end_epoch(self, seconds: float, steps: int, on_epoch: OnEpoch) -> None:
        means = [value / self.steps_per_epoch for value in self.terms.read()]
        improved = means[0] < self.best
        self.best = min(self.best, means[0])
        self.terms.clear()
        if not self.group.is_first:
            return
        if self.config.train.standardise and self.step == self.total_steps:
            self._standardise()
        record = {
            "epoch": self.epochs_done,
            "step": self.step,
            **dict(zip(NAMES, means, strict=True)),
            "lr": self._learning_rate(),
            "test": scores_of_test(self.model, self.data, self.config),
            "seconds": seconds,
            "graphs_per_s": len(self.data.train) * steps / self.steps_per_epoch / seconds,
        }
        self.folder.check_there()
        # The log first: a resumed run cuts off lines that no checkpoint confirms.
        append_log(self.folder.log, record)
        if improved:
            write_checkpoint(self.folder.best, Checkpoint(self._weights(), self._facts()))
        self.save()
        on_epoch(record)

    def _standardise(self) -> None:
        """Bring the encodings of training rows to where draws of the prior fall."""
        rows = order(len(self.data.train), self.config.train.seed, 0)[:_STANDARD_ROWS]
        standardise(self.model, self.model.encode([self.data.train.dags[row] for row in rows]))

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
