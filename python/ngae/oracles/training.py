"""`Training`: the oracle that trains each architecture from scratch on images."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from typing import Literal

from ngae.dag import Dag
from ngae.oracles.base import Answer, Budget, complexity_of
from ngae.oracles.digits import load_digits_images
from ngae.oracles.fitting import check_classifies, check_sizes
from ngae.oracles.images import ImageData
from ngae.oracles.network_training import (
    Epoch,
    TrainingConfig,
    count_correct,
    device_named,
    train_network,
)
from ngae.spaces.base import SearchSpace

__all__ = ["Epoch", "Training", "TrainingConfig", "train_network"]


class Training:
    """Answers with the validation accuracy of a network trained for it alone.

    Validation accuracy is the performance; test accuracy, where the images have a test part, is
    reported in `detail`. With several seeds both are means, and `performance_std` is the standard
    deviation over the seeds.

    Args:
        space: A space whose networks classify the images.
        config: Settings; the same seeds are used for every architecture.
        budget: Queries allowed, or None for any number.
        images: What to train on and judge by; the 8x8 digits by default.
        on_epoch: Called after each epoch; the validation part is then judged each time.

    Raises:
        UsageError: The space's networks do not classify these images, or no such device.
        MissingExtraError: scikit-learn is not installed, and no images are given.
    """

    name = "train"

    def __init__(
        self,
        space: SearchSpace,
        config: TrainingConfig | None = None,
        budget: int | None = None,
        images: ImageData | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> None:
        self.space = space
        self.config = config or TrainingConfig()
        self.images = images or load_digits_images()
        check_sizes(space, self.images, "Training")
        check_classifies(space, self.images, "Training")
        device_named(self.config.device)
        self._budget = Budget(budget)
        self._on_epoch = on_epoch

    @property
    def identity(self) -> str:
        """Space, images and settings; the device is not among them."""
        settings = dataclasses.asdict(self.config)
        del settings["device"]
        return f"train, {self.space.identity}, {self.images.identity}, {json.dumps(settings)}"

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
        seeds = [self.config.seed + k for k in range(self.config.seeds)]
        correct = {part: [0] * len(seeds) for part in self._parts}
        for k, seed in enumerate(seeds):
            config = dataclasses.replace(self.config, seed=seed)
            network = train_network(self.space, dag, config, self.images, self._on_epoch)
            for part in self._parts:
                correct[part][k] = count_correct(network, self.images, part, config)
        return Answer(
            performance=statistics.mean(correct["validation"]) / len(self.images.validation_labels),
            complexity=complexity_of(self.space, dag),
            cost_s=time.perf_counter() - start,
            detail=self._detail(correct),
        )

    @property
    def _parts(self) -> tuple[Literal["validation", "test"], ...]:
        return ("validation",) if self.images.test_labels is None else ("validation", "test")

    def _detail(self, correct: dict[Literal["validation", "test"], list[int]]) -> dict[str, float]:
        count = len(self.images.validation_labels)
        counts = correct["validation"]
        detail = {"correct": float(statistics.mean(counts)), "images": float(count)}
        if len(counts) > 1:
            detail["performance_std"] = statistics.stdev(n / count for n in counts)
            detail["seeds"] = float(len(counts))
        if self.images.test_labels is not None:
            judged = len(self.images.test_labels)
            detail["test_accuracy"] = statistics.mean(correct["test"]) / judged
        return detail
