"""Measures the latent space itself: is it the prior's, do points come back, is it smooth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import Dataset, Table
from ngae.models import NGAEModel
from ngae.transfer import transfer

_ROWS = 5000  # encoded for the aggregated posterior: the bias of the divergence is d^2 / 4 rows
_LINES = 200
_PLACES = 21
_ACTIVE = 0.01  # variance of the posterior mean over the rows


def latent_space(model: NGAEModel, data: Dataset, points: Tensor, seed: int) -> dict[str, Any]:
    """Measure the latent space of `model`.

    Args:
        model: The model.
        data: Training rows, for the aggregated posterior and scales, and test rows, for lines.
        points: (num_points, latent_dim), drawn from the prior.
        seed: Seed of all draws.

    Returns:
        `aggregated_posterior`: `kl`, nats from N(0, I) to the Gaussian with mean and covariance of
        posterior samples of training rows, and `active_dims`, coordinates whose posterior mean has
        a variance above 0.01 (Burda et al. 2016). `greedy_uniqueness`: distinct among valid greedy
        decodings of `points`. `cycle`: share of these decodings that come back from their own
        encodings, and the difference of the predicted performance there and at the point (root
        mean square, in standard deviations of the training rows). `lines` between test rows: the
        rise and fall of the predicted performance beyond what the ends differ by, in the same
        unit, and distinct networks at 21 places.
    """
    generator = torch.Generator().manual_seed(seed)
    known = data.train.performance[data.train.labelled]
    std = (float(known.std()) if len(known) else 0.0) or 1.0
    return {
        "aggregated_posterior": _aggregated(model, data.train, generator),
        **_cycle(model, points, std),
        "lines": _lines(model, data.test, generator, std),
    }


def divergence_from_prior(samples: NDArray[np.float64]) -> float:
    """Return KL(N(m, S) || N(0, I)) in nats, m and S of `samples` (num_samples, latent_dim).

    KL = (trace(S) + m.m - d - log det S) / 2; infinite where S is singular.
    """
    mean = samples.mean(axis=0)
    covariance = np.atleast_2d(np.cov(samples, rowvar=False, bias=True))
    sign, logdet = np.linalg.slogdet(covariance)
    if sign <= 0:
        return float("inf")
    return float((np.trace(covariance) + mean @ mean - len(mean) - logdet) / 2)


def excess_variation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each row (num_lines, num_places) moves beyond what its ends differ by."""
    moved: NDArray[np.float64] = np.abs(np.diff(values, axis=1)).sum(axis=1)
    return moved - np.abs(values[:, -1] - values[:, 0])


def _aggregated(model: NGAEModel, train: Table, generator: torch.Generator) -> dict[str, Any]:
    rows = torch.randperm(len(train), generator=generator)[:_ROWS].tolist()
    posterior = model.encode([train.dags[row] for row in rows])
    (noise,) = transfer(
        [torch.randn(posterior.mean.shape, generator=generator)], posterior.mean.device
    )
    samples = posterior.sample(noise).double().cpu().numpy()
    kl = divergence_from_prior(samples) if len(samples) > samples.shape[1] else None
    active = posterior.mean.double().var(dim=0, correction=0) > _ACTIVE
    return {"kl": kl, "active_dims": int(active.sum())}


def _cycle(model: NGAEModel, points: Tensor, std: float) -> dict[str, Any]:
    (z,) = transfer([points], model.device)
    dags = model.decode(z)
    kept = [place for place, dag in enumerate(dags) if dag.space is not None]
    if not kept:
        return {"greedy_uniqueness": None, "cycle": None}
    valid = [dags[place] for place in kept]
    first = _hashes(valid)
    back = model.encode(valid).mean
    again = _hashes(model.decode(back))
    same = [one == other for one, other in zip(first, again, strict=True)]
    return {
        "greedy_uniqueness": len(set(first)) / len(first),
        "cycle": {
            "same": float(np.mean(same)),
            "performance_rms": _difference(model, z[kept], back, std),
        },
    }


def _difference(model: NGAEModel, at: Tensor, back: Tensor, std: float) -> float | None:
    if model.performance is None:
        return None
    difference = (_predicted(model, at) - _predicted(model, back)) / std
    return float(np.sqrt(np.mean(difference**2)))


def _lines(
    model: NGAEModel, test: Table, generator: torch.Generator, std: float
) -> dict[str, Any] | None:
    if len(test) < 2:
        return None
    pairs = torch.stack([torch.randperm(len(test), generator=generator)[:2] for _ in range(_LINES)])
    ends = model.encode([test.dags[row] for row in pairs.flatten().tolist()]).mean
    start, end = ends.view(_LINES, 2, -1).unbind(1)
    share = torch.linspace(0, 1, _PLACES, device=ends.device)[:, None]
    places = start[:, None] + share * (end - start)[:, None]  # (lines, places, latent_dim)
    flat = places.flatten(0, 1)
    digests = np.array(_hashes(model.decode(flat))).reshape(_LINES, _PLACES)
    networks = float(np.mean([len(set(line)) for line in digests.tolist()]))
    excess = None
    if model.performance is not None:
        predicted = _predicted(model, flat).reshape(_LINES, _PLACES)
        excess = float(excess_variation(predicted).mean() / std)
    return {"excess_variation": excess, "networks": networks}


def _predicted(model: NGAEModel, z: Tensor) -> NDArray[np.float64]:
    with torch.no_grad():
        performance = model.predict(z).performance
    assert performance is not None
    result: NDArray[np.float64] = performance.double().cpu().numpy()
    return result


def _hashes(dags: Sequence[Dag]) -> list[str]:
    return list(Dags.of(dags).hashes())
