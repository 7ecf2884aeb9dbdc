"""Evaluates a model on a data set: reconstruction, generation, prediction, as one dictionary.

Reconstruction accuracy is the probability that a stochastic decoding is exactly the encoded
graph, `exp(-reconstruction)`, averaged over the test graphs: the expectation of counting matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.dags import Dags
from ngae.data import Dataset, Table
from ngae.evaluate.config import EvaluateConfig
from ngae.evaluate.latent_space import latent_space
from ngae.evaluate.metrics import generation, regression
from ngae.models import NGAEModel
from ngae.models.inputs import Inputs, in_order
from ngae.transfer import transfer

OnProgress = Callable[[str, float], None]


@dataclass(frozen=True)
class TestScores:
    """What one pass over a table gives.

    Attributes:
        probability_mean: float64 (num_graphs,) chance of an exact decoding of z = mean.
        probability_sampled: The same with one z drawn from the posterior, or None.
        performance: float64 (num_graphs,) predicted from the mean, or None.
        complexity: float64 (num_graphs, num_complexities) likewise, or None.
    """

    probability_mean: NDArray[np.float64]
    probability_sampled: NDArray[np.float64] | None
    performance: NDArray[np.float64] | None
    complexity: NDArray[np.float64] | None


def evaluate(
    model: NGAEModel,
    data: Dataset,
    config: EvaluateConfig | None = None,
    *,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Measure `model` on the test rows of `data` and on points of the prior.

    Args:
        model: The model.
        data: Training rows (for novelty and scale) and test rows.
        config: Sizes of the evaluation.
        seed: Seed of all draws.
        on_progress: Called with a stage's name and the share of it that is done.

    Returns:
        `reconstruction`, `prior`, `published_protocol`, `performance`, `complexity`, `latent`
        (see `latent_space`), as described in the documentation of the run folder; shares in
        [0, 1].
    """
    config = config or EvaluateConfig()
    report = on_progress or (lambda stage, share: None)
    report("test graphs", 0.0)
    scores = score(model, data.test, config.evaluate_batch_size, seed)
    assert scores.probability_sampled is not None
    known = frozenset(data.train.hashes)
    points = _prior(config.prior_points, model, seed)
    once = _generation(model, points, 1, known, config, seed, "prior", report)
    few = points[: config.protocol_points]
    many = _generation(
        model, few, config.protocol_decodings, known, config, seed, "published protocol", report
    )
    report("latent space", 0.0)
    latent = latent_space(model, data, points, seed)
    report("latent space", 1.0)
    return {
        "reconstruction": {
            "mean": float(scores.probability_mean.mean()),
            "sampled": float(scores.probability_sampled.mean()),
        },
        "prior": once,
        "published_protocol": many,
        **_regressions(scores, data),
        "latent": latent,
    }


def score(model: NGAEModel, table: Table, batch_size: int, seed: int | None) -> TestScores:
    """Encode, decode (teacher-forced) and predict every row of `table`; no gradient.

    Args:
        model: The model.
        table: The rows.
        batch_size: Rows at once.
        seed: Seed of the points drawn from posteriors; None: none are drawn.
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    rows = [
        _score_batch(model, inputs, generator)
        for inputs in in_order(table, batch_size, model.device)
    ]
    joined = [
        None if column[0] is None else torch.cat([part for part in column if part is not None])
        for column in zip(*rows, strict=True)
    ]
    mean, sampled, performance, complexity = (
        None if tensor is None else tensor.double().cpu().numpy() for tensor in joined
    )
    assert mean is not None
    return TestScores(mean, sampled, performance, complexity)


def latents(model: NGAEModel, table: Table) -> NDArray[np.float32]:
    """Encode every row of `table`: posterior means, float32 (num_rows, latent_dim)."""
    return model.encode(table.dags).mean.float().cpu().numpy()


def _score_batch(
    model: NGAEModel, inputs: Inputs, generator: torch.Generator | None
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    with torch.no_grad():
        posterior = model.encoder(inputs.batch)
        mean = _probability(model, inputs, posterior.mean)
        sampled = None
        if generator is not None:
            noise = torch.randn(posterior.mean.shape, generator=generator)
            (noise,) = transfer([noise], model.device)
            sampled = _probability(model, inputs, posterior.sample(noise))
        prediction = model.predict(posterior.mean)
    return mean, sampled, prediction.performance, prediction.complexity


def _probability(model: NGAEModel, inputs: Inputs, z: Tensor) -> Tensor:
    """Chance of an exact decoding of each graph at z, float64 (num_graphs,)."""
    nodes, edges = model.decoder(inputs.batch, inputs.decisions, z)
    probability: Tensor = (-(nodes + edges).double()).exp()
    return probability


def _regressions(scores: TestScores, data: Dataset) -> dict[str, Any]:
    result: dict[str, Any] = {"performance": None, "complexity": {}}
    known = data.test.labelled
    if scores.performance is not None and len(known):
        std = float(data.train.performance[data.train.labelled].std()) or 1.0
        actual = data.test.performance[known]
        result["performance"] = regression(scores.performance[known], actual, std)
    if scores.complexity is not None:
        for column, name in enumerate(data.train.complexity_names):
            std = float(data.train.complexity[:, column].std()) or 1.0
            predicted, actual = scores.complexity[:, column], data.test.complexity[:, column]
            result["complexity"][name] = regression(predicted, actual, std)
    return result


def _prior(count: int, model: NGAEModel, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, model.config.latent_dim, generator=generator)


def _generation(
    model: NGAEModel,
    points: Tensor,
    decodings: int,
    known: frozenset[str],
    config: EvaluateConfig,
    seed: int,
    stage: str,
    report: OnProgress,
) -> dict[str, float]:
    repeated = points.repeat_interleave(decodings, dim=0)
    hashes: list[str | None] = []
    for ids in _slices(len(repeated), config.evaluate_batch_size):
        report(stage, len(hashes) / len(repeated))
        z, on_device = transfer([repeated[ids], ids], model.device)
        dags = model.decode(z, seed=seed, sample_ids=on_device, stochastic=True)
        digests = Dags.of(dags).hashes()
        hashes += [d if dag.space else None for d, dag in zip(digests, dags, strict=True)]
    report(stage, 1.0)
    return generation(hashes, known)


def _slices(count: int, size: int) -> Iterator[Tensor]:
    for start in range(0, count, size):
        yield torch.arange(start, min(start + size, count))
