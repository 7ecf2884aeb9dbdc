"""Trains one network from scratch, deterministically for a seed; knows no oracle."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.dag import Dag
from ngae.errors import TrainingError, UsageError
from ngae.oracles.fitting import built, check_scores
from ngae.oracles.images import ImageData, as_input
from ngae.settings import check_ranges, setting
from ngae.spaces.base import SearchSpace

_JUDGED_AT_ONCE = 1000  # images; the digits' 897 at once


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How one network is trained."""

    # Short on purpose: on the digits seeds differ as much as architectures do after ten epochs.
    epochs: int = setting(5, "passes over the training images", least=1)
    batch_size: int = setting(32, "images of a step", least=2)
    learning_rate: float = setting(0.01, "peak learning rate, cosine decay", least=0)
    weight_decay: float = setting(1e-4, "weight decay", least=0)
    seed: int = setting(0, "first seed of weights and of the order of images", least=0)
    seeds: int = setting(1, "trainings of each architecture, which are averaged", least=1)
    optimizer: Literal["adamw", "sgd"] = setting("adamw", "AdamW, or SGD with momentum 0.9")
    patience: int = setting(
        0, "epochs without a better validation accuracy that end a training; 0: none", least=0
    )
    precision: Literal["fp32", "bf16"] = setting("fp32", "bf16: autocast to bfloat16")
    device: str = setting("cpu", "device of networks and batches, such as cpu or cuda")

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """How one epoch of a training went.

    Attributes:
        seed: Seed of the training.
        epoch: From 1.
        loss: Mean cross entropy of its steps.
        accuracy: On the validation images, after it.
    """

    seed: int
    epoch: int
    loss: float
    accuracy: float


def train_network(
    space: SearchSpace,
    dag: Dag,
    config: TrainingConfig,
    images: ImageData,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> nn.Module:
    """Train the network of `dag` from scratch, once, with `config.seed`.

    Args:
        space: Builds the network.
        dag: The architecture.
        config: Settings.
        images: The training part is used; the validation part where patience or `on_epoch` ask.
        on_epoch: Called after each epoch.

    Returns:
        The network in eval mode, after the last epoch; with patience, after the best one.

    Raises:
        TrainingError: The loss is not finite.
        UsageError: The network gives no scores of the classes, or no such device.
    """
    device = device_named(config.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        network = built(space, dag, "train_network").to(device)
        trainer = _Trainer(network, config, images, device)
        best: tuple[float, dict[str, Any]] | None = None
        waited = 0
        for epoch in range(config.epochs):
            loss = trainer.run_epoch(epoch)
            if not config.patience and on_epoch is None:
                continue
            correct = count_correct(network, images, "validation", config)
            accuracy = correct / len(images.validation_labels)
            if on_epoch is not None:
                on_epoch(Epoch(config.seed, epoch + 1, loss, accuracy))
            if config.patience and (best is None or accuracy > best[0]):
                best, waited = (accuracy, copy.deepcopy(network.state_dict())), 0
            else:
                waited += 1
            if config.patience and waited == config.patience:
                break
    if best is not None:
        network.load_state_dict(best[1])
    return network.eval()


class _Trainer:
    """Optimiser, schedule and order of images of one training."""

    def __init__(
        self, network: nn.Module, config: TrainingConfig, images: ImageData, device: torch.device
    ) -> None:
        self.network, self.config, self.device = network, config, device
        self.images, self.labels = images.train_images, images.train_labels
        self.num_classes = images.num_classes
        self.order = torch.Generator().manual_seed(config.seed)
        self.size = min(config.batch_size, len(self.images))
        self.steps = len(self.images) // self.size
        self.optimizer = _optimizer(network, config)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, config.epochs * self.steps
        )

    def run_epoch(self, epoch: int) -> float:
        """Pass once over the training images; the mean loss.

        Raises:
            TrainingError: The loss is not finite.
        """
        self.network.train()
        total = 0.0
        for images, labels in self._batches():
            self.optimizer.zero_grad()
            with autocast(self.config, self.device):
                scores = self.network(images)
                check_scores(scores, len(images), self.num_classes, "train_network")
                loss = functional.cross_entropy(scores, labels)
            if not torch.isfinite(loss):
                raise TrainingError(f"train_network: epoch {epoch}: the loss is {loss.item()}")
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            total += loss.item()
        return total / self.steps

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        # The last images of an order that fill no batch are left out: batch norm needs many.
        order = torch.randperm(len(self.images), generator=self.order)[: self.steps * self.size]
        for rows in order.split(self.size):
            yield as_input(self.images[rows].to(self.device)), self.labels[rows].to(self.device)


@torch.no_grad()
def count_correct(
    network: nn.Module,
    images: ImageData,
    part: Literal["validation", "test"],
    config: TrainingConfig,
) -> int:
    """Count the images of a part that `network` classifies correctly, in eval mode.

    Args:
        network: On the device of `config`; its mode stays as it was.
        images: The images.
        part: Which of them; the test part must be there.
        config: Device and precision.
    """
    device = device_named(config.device)
    inputs, labels = images.validation_images, images.validation_labels
    if part == "test":
        assert images.test_images is not None and images.test_labels is not None
        inputs, labels = images.test_images, images.test_labels
    was_training = network.training
    network.eval()
    correct = 0
    for batch, true in zip(
        inputs.split(_JUDGED_AT_ONCE), labels.split(_JUDGED_AT_ONCE), strict=True
    ):
        with autocast(config, device):
            guess = network(as_input(batch.to(device))).argmax(dim=1)
        correct += int((guess == true.to(device)).sum())
    network.train(was_training)
    return correct


def device_named(name: str) -> torch.device:
    """Return the device of that name.

    Raises:
        UsageError: This machine has none.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"device: expected one of this machine, found {name!r}: {str(error).splitlines()[0]}"
        ) from error
    return device


def autocast(config: TrainingConfig, device: torch.device) -> AbstractContextManager[Any]:
    """Give the context of a forward pass in the precision of `config`."""
    if config.precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    weights = list(network.parameters())
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            weights, config.learning_rate, momentum=0.9, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(weights, config.learning_rate, weight_decay=config.weight_decay)
