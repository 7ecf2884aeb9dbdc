"""Gaussian processes of BoTorch on latent points, and where their acquisition is greatest.

The one module that imports BoTorch, which is imported only where a search needs it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from botorch.acquisition import LogExpectedImprovement, qLogExpectedImprovement
from botorch.acquisition.multi_objective.logei import (
    qLogNoisyExpectedHypervolumeImprovement,
)
from botorch.exceptions.errors import ModelFittingError
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP, SingleTaskVariationalGP
from botorch.optim import optimize_acqf
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood, VariationalELBO
from torch import Tensor

from ngae.threads import one_thread

_INDUCING = 100  # most inducing points
_STEPS, _FURTHER, _RATE = 100, 10, 0.05  # of Adam, for a sparse process; after a believed answer
_LIKELIHOOD = 50  # most iterations of a fit to the likelihood
_SAMPLES = 64  # of a posterior
_RESTARTS, _RAW, _ITERATIONS = 2, 64, 30  # of the search for the greatest acquisition


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known, in the units of a process.

    Attributes:
        points: float64 (n, latent_dim), scaled into `upper`.
        targets: float64 (n, objectives), of variance one.
        counts: bool (n,), which answers may be the best.
        upper: float64 (latent_dim,) upper bounds of the box of points; the lower ones are 0.
        reference: Value that everything in a front exceeds, in every objective.
    """

    points: Tensor
    targets: Tensor
    counts: Tensor
    upper: Tensor
    reference: float

    @property
    def best(self) -> float:
        """The best target that counts; the lowest of all where none does."""
        useful = self.targets[self.counts, 0]
        return float(useful.max() if len(useful) else self.targets[:, 0].min())

    @property
    def of_use(self) -> Tensor:
        """Points of the answers that count; all where none does."""
        return self.points[self.counts] if self.counts.any() else self.points

    def with_believed(self, point: Tensor, target: Tensor) -> Evidence:
        """Add an answer, `target` (objectives,), that was not given yet."""
        return Evidence(
            torch.cat([self.points, point[None]]),
            torch.cat([self.targets, target[None]]),
            torch.cat([self.counts, torch.ones(1, dtype=torch.bool)]),
            self.upper,
            self.reference,
        )


class Process(Protocol):
    """A process that chooses point after point for a batch."""

    def promising(self) -> Tensor:
        """Give the point (latent_dim,) of the greatest acquisition."""

    def chosen(self, point: Tensor) -> None:
        """Learn that the answer at `point` (latent_dim,) is on its way."""


class ExactProcess:
    """An exact process; what is on its way is integrated over.

    Expected improvement, or with several objectives expected improvement of the hypervolume.

    Args:
        evidence: At least one label.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.model = SingleTaskGP(evidence.points, evidence.targets, outcome_transform=None)
        # Where the likelihood has no clear maximum the middle of the priors is as good.
        try:
            fit_gpytorch_mll(
                ExactMarginalLogLikelihood(self.model.likelihood, self.model),
                optimizer_kwargs={"options": {"maxiter": _LIKELIHOOD}},
            )
        except ModelFittingError:
            self.model.eval()
        self._pending: Tensor | None = None

    def promising(self) -> Tensor:
        """Give the point (latent_dim,) of the greatest acquisition."""
        return _greatest(self._acquisition(), self.evidence)

    def chosen(self, point: Tensor) -> None:
        """Learn that the answer at `point` (latent_dim,) is on its way."""
        before = [] if self._pending is None else [self._pending]
        self._pending = torch.cat([*before, point[None]])

    def _acquisition(self) -> Any:
        if self.evidence.targets.shape[1] > 1:
            return _of_hypervolume(self.model, self.evidence, self._pending)
        best = self.evidence.best
        if self._pending is None:
            return LogExpectedImprovement(self.model, best)
        return qLogExpectedImprovement(
            self.model, best, sampler=_sampler(), X_pending=self._pending
        )


class SparseProcess:
    """A variational process of inducing points; what is on its way answers as expected.

    Believed answers are labels like any other until the next round (the kriging believer of
    Ginsbourger et al. 2010).

    Args:
        evidence: At least one label.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.model = SingleTaskVariationalGP(
            evidence.points,
            evidence.targets,
            num_outputs=evidence.targets.shape[1],
            inducing_points=min(_INDUCING, len(evidence.points)),
        )
        self._train(_STEPS)

    def promising(self) -> Tensor:
        """Give the point (latent_dim,) of the greatest acquisition."""
        if self.evidence.targets.shape[1] > 1:
            return _greatest(_of_hypervolume(self.model, self.evidence, None), self.evidence)
        return _greatest(LogExpectedImprovement(self.model, self.evidence.best), self.evidence)

    def chosen(self, point: Tensor) -> None:
        """Learn that the answer at `point` (latent_dim,) is on its way."""
        with torch.no_grad():
            believed = self.model.posterior(point[None]).mean[0]
        self.evidence = self.evidence.with_believed(point, believed)
        self._train(_FURTHER)

    def _train(self, steps: int) -> None:
        """Climb the evidence lower bound on all labels."""
        model, targets = self.model.model, self.evidence.targets
        targets = targets if targets.shape[1] > 1 else targets[:, 0]
        bound = VariationalELBO(self.model.likelihood, model, num_data=len(targets))
        adam = torch.optim.Adam(self.model.parameters(), lr=_RATE)
        self.model.train()
        for _ in range(steps):
            adam.zero_grad()
            (-bound(model(self.evidence.points), targets)).backward()
            adam.step()
        self.model.eval()


@contextmanager
def alone(seed: int) -> Iterator[None]:
    """Work on one thread, with random numbers of torch that `seed` sets; what was comes back.

    BoTorch takes its starts from the generator of the CPU, which alone is touched. Its tensors are
    so small that more threads only wait for each other. Its warnings, such as of starts that are
    alike, are left out.
    """
    with one_thread(), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(seed)
        yield


def _greatest(acquisition: Any, evidence: Evidence) -> Tensor:
    upper = evidence.upper
    found, _ = optimize_acqf(
        acquisition,
        bounds=torch.stack([torch.zeros_like(upper), upper]),
        q=1,
        num_restarts=_RESTARTS,
        raw_samples=_RAW,
        options={"maxiter": _ITERATIONS, "sample_around_best": True},
    )
    point: Tensor = found[0].detach()
    return point


def _of_hypervolume(model: Any, evidence: Evidence, pending: Tensor | None) -> Any:
    return qLogNoisyExpectedHypervolumeImprovement(
        model,
        ref_point=[evidence.reference] * evidence.targets.shape[1],
        X_baseline=evidence.of_use,
        sampler=_sampler(),
        prune_baseline=True,
        X_pending=pending,
        cache_root=isinstance(model, SingleTaskGP),
    )


def _sampler() -> Any:
    return SobolQMCNormalSampler(torch.Size([_SAMPLES]))
