"""`Training`: the oracle that trains each architecture from scratch on the 8x8 digits."""

from __future__ import annotations

import dataclasses
import time

import torch
from torch import nn
from torch.nn import functional

from ngae.dag import Dag
from ngae.errors import TrainingError
from ngae.oracles.base import Answer, Budget, complexity_of
from ngae.oracles.digits import Digits, check_takes_digits, load_digits_images
from ngae.settings import check_ranges, setting
from ngae.spaces.enas import EnasSpace


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How one network is trained."""

    # Short on purpose: after ten epochs seeds differ as much as architectures do.
    epochs: int = setting(5, "passes over the 900 training images", least=1)
    batch_size: int = setting(32, "images of a step", least=2)
    learning_rate: float = setting(0.01, "peak learning rate of AdamW, cosine decay", least=0)
    weight_decay: float = setting(1e-4, "weight decay of AdamW", least=0)
    seed: int = setting(0, "seed of weights and of the order of images", least=0)

    def __post_init__(self) -> None:
        check_ranges(self)


class Training:
    """Answers with the validation accuracy of a network trained for it alone.

    Args:
        space: A space whose networks take 8x8 digits.
        config: Settings; the same seed is used for every architecture.
        budget: Queries allowed, or None for any number.

    Raises:
        UsageError: The space's networks do not take 8x8 digits.
        MissingExtraError: scikit-learn is not installed.
    """

    name = "train"

    def __init__(
        self, space: EnasSpace, config: TrainingConfig | None = None, budget: int | None = None
    ) -> None:
        check_takes_digits(space.network, "Training")
        self.space = space
        self.config = config or TrainingConfig()
        self._budget = Budget(budget)
        self._digits = load_digits_images()

    @property
    def queries(self) -> int:
        """Queries answered so far."""
        return self._budget.used

    def query(self, dag: Dag) -> Answer:
        """Train the network of `dag` and judge it on the validation images.

        Raises:
            GraphError: It is not in the space; no query is spent.
            BudgetExhaustedError: No query is left.
            TrainingError: The loss is not finite.
        """
        self.space.check(dag)
        self._budget.spend()
        start = time.perf_counter()
        network = train_network(self.space, dag, self.config, self._digits)
        labels = self._digits.validation_labels
        with torch.no_grad():
            guess = network(self._digits.validation_images).argmax(dim=1)
        correct = int((guess == labels).sum())
        return Answer(
            performance=correct / len(labels),
            complexity=complexity_of(self.space, dag),
            cost_s=time.perf_counter() - start,
            detail={"correct": float(correct), "images": float(len(labels))},
        )


def train_network(space: EnasSpace, dag: Dag, config: TrainingConfig, digits: Digits) -> nn.Module:
    """Train the network of `dag` from scratch.

    Args:
        space: Builds the network.
        dag: The architecture.
        config: Settings.
        digits: Images and labels; the training part is used.

    Returns:
        The trained network, in eval mode.

    Raises:
        TrainingError: The loss is not finite.
    """
    images, labels = digits.train_images, digits.train_labels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = space.build(dag)
    order = torch.Generator().manual_seed(config.seed)
    size = min(config.batch_size, len(images))
    steps = len(images) // size
    optimizer = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs * steps)
    for epoch in range(config.epochs):
        # The last images of an order that fill no batch are left out: batch norm needs many.
        for rows in torch.randperm(len(images), generator=order)[: steps * size].split(size):
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(images[rows]), labels[rows])
            if not torch.isfinite(loss):
                raise TrainingError(f"train_network: epoch {epoch}: the loss is {loss.item()}")
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()
