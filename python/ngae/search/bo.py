"""Bayesian optimisation in the latent space, the way of D-VAE.

Muhan Zhang, Shali Jiang, Zhicheng Cui, Roman Garnett, Yixin Chen: D-VAE: a variational autoencoder
for directed acyclic graphs, NeurIPS 2019, section 5: a Gaussian process from latent point to
performance, expected improvement, the points that are found are decoded and evaluated.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.dag import Dag
from ngae.errors import MissingExtraError
from ngae.search.base import Candidate, LatentModel, Trial
from ngae.search.config import BOConfig
from ngae.search.judging import ranks_of
from ngae.search.labels import Label, Labels
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, taken
from ngae.transfer import transfer

_STREAM = 0x626F0000
_REFERENCES = 256  # random architectures whose encodings are in the box
_RADII = (0.0, 0.1, 0.2, 0.4, 0.8)  # of perturbations, in spreads of a coordinate
_PERTURBED = 32  # points of a radius

Points = NDArray[np.float64]


class BOSearch:
    """Asks for decodings of the points where BoTorch's acquisition is greatest.

    Targets are standard scores; where a front is wanted, ranks of each objective. Points are
    looked for in the box of the encodings of the labels and of 256 random architectures.

    Args:
        model: Encoder and decoder.
        problem: What is looked for; known rows count as labels.
        seed: Seed of all draws; torch's own random numbers stay as they are.
        config: Settings.

    Raises:
        MissingExtraError: BoTorch is not installed.
    """

    def __init__(
        self, model: LatentModel, problem: Problem, seed: int = 0, config: BOConfig | None = None
    ) -> None:
        self._gp = _botorch()
        self.model, self.problem = model, problem
        self.config = config or BOConfig()
        self._labels = Labels(problem)
        self._proposals = Proposals(problem, seed, _STREAM)
        self._encoded: dict[str, Points] = {}
        rng = np.random.default_rng(0)
        self._reference = self._encode([problem.space.sample(rng) for _ in range(_REFERENCES)])

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then the most promising."""
        missing = self.config.initial - self._labels.count
        if missing > 0:
            return taken(min(count, missing), self._proposals.sampled)
        with self._gp.alone(int(self._proposals.rng.integers(2**31))):
            return self._promising(count)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        self._labels.add(trials)

    def _promising(self, count: int) -> list[Candidate]:
        labels = self._labels.fitted_to()
        points = self._points(labels)
        box = _Box.of(np.concatenate([points, self._reference]))
        kind = self._gp.ExactProcess if self.config.surrogate == "exact" else self._gp.SparseProcess
        process = kind(self._evidence(labels, points, box))
        found: list[Candidate] = []
        while len(found) < count:
            candidate = self._decoded(box.point(process.promising().numpy()))
            if candidate is None:
                break
            found.append(candidate)
            if len(found) < count:
                process.chosen(torch.from_numpy(box.inside(self._encode([candidate.dag]))[0]))
        return found

    def _evidence(self, labels: list[Label], points: Points, box: _Box) -> object:
        """Standard scores of the performance, or ranks of all objectives that are told."""
        objective = self.problem.objective
        values = objective.values([label.answer for label in labels])
        rows = np.flatnonzero(np.isfinite(values).all(axis=1))
        if self.config.aim == "front" and values.shape[1] > 1 and len(rows) > 1:
            ranks = np.stack([ranks_of(column) for column in values[rows].T], axis=1)
            targets = (ranks - 0.5) * np.sqrt(12)  # of variance one
        else:
            rows = np.arange(len(labels))
            targets = values[:, :1] - values[:, :1].mean()
            targets /= targets.std() or 1.0
        return self._gp.Evidence(
            points=torch.from_numpy(box.inside(points[rows])),
            targets=torch.from_numpy(targets),
            counts=torch.tensor([objective.counts(labels[row].answer) for row in rows]),
            upper=torch.from_numpy(box.upper),
            reference=-float(np.sqrt(3)),  # of rank 0
        )

    def _decoded(self, z: Points) -> Candidate | None:
        """Decode at and around `z` until that is new; else draw uniformly."""
        spread = self._reference.std(axis=0)
        for radius in _RADII:
            shape = (_PERTURBED if radius else 1, len(z))
            around = z + radius * spread * self._proposals.rng.standard_normal(shape)
            for dag in self.model.decode(self._on_device(around)):
                found = None if dag.space is None else self._proposals.new(dag)
                if found is not None:
                    return found
        return self._proposals.sampled()

    def _points(self, labels: list[Label]) -> Points:
        """Posterior means of labels, each encoded once."""
        new = [label for label in labels if label.key not in self._encoded]
        if new:
            means = self._encode([label.dag for label in new])
            self._encoded |= dict(zip((label.key for label in new), means, strict=True))
        return np.stack([self._encoded[label.key] for label in labels])

    def _encode(self, dags: Sequence[Dag]) -> Points:
        mean = self.model.encode(dags).mean
        self._device = mean.device
        found: Points = mean.double().cpu().numpy()
        return found

    def _on_device(self, points: Points) -> Tensor:
        return transfer([torch.from_numpy(points.astype(np.float32))], self._device)[0]


class _Box:
    """A box of latent points, scaled by one factor so that its longest side has length 1.

    Sides that the encoder hardly uses stay short.

    Args:
        low: (latent_dim,) its lower corner.
        longest: Length of its longest side.
        upper: (latent_dim,) its upper corner, moved by `low` and scaled.
    """

    def __init__(self, low: Points, longest: float, upper: Points) -> None:
        self.low, self.longest, self.upper = low, longest, upper

    @classmethod
    def of(cls, points: Points) -> _Box:
        """Return the smallest box that holds `points` (n, latent_dim)."""
        low, sides = points.min(axis=0), np.ptp(points, axis=0)
        longest = float(sides.max()) or 1.0
        return cls(low, longest, sides / longest)

    def inside(self, points: Points) -> Points:
        """Move latent points into the scaled box."""
        found: Points = (points - self.low) / self.longest
        return found

    def point(self, inside: Points) -> Points:
        """Move a scaled point back into the latent space."""
        found: Points = self.low + self.longest * inside
        return found


def _botorch() -> ModuleType:
    """The module that needs BoTorch; what its packages say of their own imports is left out.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ngae.search import latent_gp
    except ImportError as error:
        missing = "botorch" if str(error.name).startswith("ngae") else str(error.name)
        raise MissingExtraError(missing, "bo", "--strategy bo") from error
    return latent_gp
