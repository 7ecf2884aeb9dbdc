"""`SharedWeights`: the oracle that judges every architecture with weights trained for all at once.

After ENAS (Pham et al. 2018): in each training step architectures are drawn uniformly, and their
gradients go into one bank of weights. An answer takes milliseconds and trains nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from ngae.dag import Dag
from ngae.data.digits6 import SPACE, WEIGHTS, check_weights
from ngae.errors import TrainingError, UsageError
from ngae.networks.macro_network import MacroBank
from ngae.oracles.base import Answer, Budget, complexity_of
from ngae.oracles.digits import load_digits_images
from ngae.oracles.fitting import check_sizes
from ngae.oracles.images import ImageData, as_input
from ngae.oracles.weights_file import load_weights, packed_weights, unpacked_weights
from ngae.settings import check_ranges, setting
from ngae.spaces.base import SearchSpace
from ngae.spaces.enas import EnasSpace


@dataclasses.dataclass(frozen=True)
class SharedWeightsConfig:
    """How shared weights are trained."""

    # More steps raise the accuracies of all networks towards each other and say less of each.
    steps: int = setting(800, "optimiser steps", least=1)
    # The mean gradient of four networks agrees better between seeds than that of one.
    networks: int = setting(4, "networks drawn in each step", least=1)
    batch_size: int = setting(128, "images for each network of a step", least=2)
    learning_rate: float = setting(0.02, "peak learning rate of AdamW, cosine decay", least=0)
    weight_decay: float = setting(1e-4, "weight decay of AdamW", least=0)
    clip_norm: float = setting(5.0, "longest gradient of a step", least=1e-6)
    seed: int = setting(0, "seed of weights, images and networks", least=0)

    def __post_init__(self) -> None:
        check_ranges(self)


def train_shared_weights(
    space: EnasSpace,
    config: SharedWeightsConfig | None = None,
    on_step: Callable[[int, float], None] | None = None,
    images: ImageData | None = None,
) -> MacroBank:
    """Train one bank of weights for all architectures of `space`.

    loss of a step = mean over the drawn networks of their cross entropy.

    Args:
        space: The space; its `network` gives the width.
        config: Settings; the defaults take some 30 seconds of one core for six layers.
        on_step: Called with each step and its loss.
        images: What to train on, the training part; the 8x8 digits by default.

    Returns:
        The trained bank, frozen.

    Raises:
        UsageError: The space has no shared weights, or its networks do not take the images.
        TrainingError: The loss is not finite.
        MissingExtraError: scikit-learn is not installed, and no images are given.
    """
    config = config or SharedWeightsConfig()
    images = images or load_digits_images()
    check_has_bank(space, "train_shared_weights")
    check_sizes(space, images, "train_shared_weights")
    rng = np.random.default_rng(config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        bank = MacroBank.complete(space.num_layers, space.network)
    optimizer = torch.optim.AdamW(
        bank.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for step in range(config.steps):
        optimizer.zero_grad()
        loss = _step_loss(bank, space, config, images, rng)
        if not torch.isfinite(loss):
            raise TrainingError(f"train_shared_weights: step {step}: the loss is {loss.item()}")
        loss.backward()
        clip_grad_norm_(bank.parameters(), config.clip_norm)
        optimizer.step()
        schedule.step()
        if on_step is not None:
            on_step(step, loss.item())
    return bank.requires_grad_(False).eval()


def _step_loss(
    bank: MacroBank,
    space: EnasSpace,
    config: SharedWeightsConfig,
    images: ImageData,
    rng: np.random.Generator,
) -> Tensor:
    """Mean cross entropy of networks drawn uniformly, each on its own batch of images; scalar."""
    labels = images.train_labels
    losses = []
    for _ in range(config.networks):
        rows = torch.from_numpy(rng.integers(len(labels), size=config.batch_size))
        scores = bank(as_input(images.train_images[rows]), *space.layers(space.sample(rng)))
        losses.append(functional.cross_entropy(scores, labels[rows]))
    return torch.stack(losses).mean()


class SharedWeights:
    """Answers with the validation accuracy of an architecture under shared weights.

    Batch norm uses the statistics of the whole validation part, so that an answer depends on the
    architecture alone. The time of an answer is measured; everything else is deterministic.

    Args:
        space: The space.
        weights: The bank, trained for as many layers and the same network sizes.
        budget: Queries allowed, or None for any number.
        images: What to judge by, the validation part, all of it at once; by default the digits.

    Raises:
        UsageError: Space, weights and images do not fit, or the space has no shared weights.
        MissingExtraError: scikit-learn is not installed, and no images are given.
    """

    name = "shared-weights"

    def __init__(
        self,
        space: EnasSpace,
        weights: MacroBank,
        budget: int | None = None,
        images: ImageData | None = None,
    ) -> None:
        check_has_bank(space, "SharedWeights")
        self.images = images or load_digits_images()
        check_sizes(space, self.images, "SharedWeights")
        expected, found = (space.num_layers, space.network), (weights.num_layers, weights.config)
        if expected != found:
            raise UsageError(f"SharedWeights: weights: expected {expected}, found {found}")
        self.space = space
        self._bank = weights
        self._budget = Budget(budget)
        self._inputs = as_input(self.images.validation_images)
        self._labels = self.images.validation_labels

    @classmethod
    def for_digits6(cls, budget: int | None = None) -> SharedWeights:
        """Make the oracle that answered the embedded table, from its embedded weights.

        Raises:
            DataError: The embedded weights are not those of the embedded table.
            MissingExtraError: scikit-learn is not installed.
        """
        check_weights()
        return cls(SPACE, load_weights(WEIGHTS), budget)

    @property
    def identity(self) -> str:
        """Space, images and digits of the weights."""
        digest = hashlib.sha256(packed_weights(self._bank)).hexdigest()[:16]
        return f"shared-weights, {self.space.name}, {self.images.identity}, weights {digest}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Weights travel to another process as bytes; torch would send handles of shared memory.
        weights = packed_weights(self._bank)
        return _restored, (self.space, weights, self._budget.limit, self.images)

    @property
    def queries(self) -> int:
        """Queries answered so far."""
        return self._budget.used

    def query(self, dag: Dag) -> Answer:
        """Evaluate `dag` on the validation images.

        Raises:
            GraphError: It is not in the space; no query is spent.
            BudgetExhaustedError: No query is left.
        """
        self.space.check(dag)
        self._budget.spend()
        start = time.perf_counter()
        correct = int(self.count_correct([dag])[0])
        return Answer(
            performance=correct / len(self._labels),
            complexity=complexity_of(self.space, dag),
            cost_s=time.perf_counter() - start,
            detail={"correct": float(correct), "images": float(len(self._labels))},
        )

    @torch.no_grad()
    def count_correct(
        self, dags: Sequence[Dag], on_dag: Callable[[], None] | None = None
    ) -> NDArray[np.int64]:
        """Count the validation images that each architecture classifies correctly.

        Architectures are visited in sorted order, and a layer whose own and earlier layers are
        those of the architecture before is not computed again: the counts are those of `query`.
        No query is spent.

        Args:
            dags: Architectures of the space.
            on_dag: Called after each.

        Returns:
            int64 (len(dags),), from 0 to the number of validation images.
        """
        rows = [self.space.layers(dag) for dag in dags]
        correct = np.zeros(len(dags), dtype=np.int64)
        nodes: list[Tensor] = [self._bank.stem(self._inputs)]
        known: list[tuple[int, tuple[int, ...]]] = []
        for index in sorted(range(len(dags)), key=lambda i: list(zip(*rows[i], strict=True))):
            layers = list(zip(*rows[index], strict=True))
            same = 0
            while same < len(known) and known[same] == layers[same]:
                same += 1
            del nodes[same + 1 :]
            for layer in range(same, len(layers)):
                nodes.append(self._bank.run_layer(layer, nodes, *layers[layer]))
            known = layers
            guess = self._bank.classify(nodes[-1]).argmax(dim=1)
            correct[index] = int((guess == self._labels).sum())
            if on_dag is not None:
                on_dag()
        return correct


def check_has_bank(space: SearchSpace, caller: str) -> None:
    """Require a space whose architectures can share one bank of weights.

    Raises:
        UsageError: Naming the space.
    """
    if not isinstance(space, EnasSpace):
        raise UsageError(
            f"{caller}: expected a space with shared weights (ENAS macro), found {space.name}",
            remedy="use --oracle train",
        )


def _restored(
    space: EnasSpace, weights: bytes, limit: int | None, images: ImageData
) -> SharedWeights:
    return SharedWeights(space, unpacked_weights(weights), limit, images)
