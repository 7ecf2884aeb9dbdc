"""Ascent of fitted regressors in the latent space (equation 7), in rounds from few labels.

Each round fits a regressor from latent points to performance to all labels, climbs its prediction
less weighed complexity from the encodings of the best labelled architectures, decodes points on
the way, and asks about the new ones that are predicted best at their own encoding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.base import Candidate, LatentModel, Trial
from ngae.search.config import AscentConfig
from ngae.search.gaussian_process import Array
from ngae.search.judging import ranks_of
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, known_values, taken
from ngae.search.regressors import Regressor, check_installed, fit
from ngae.search.updates import ascend
from ngae.transfer import transfer

_STREAM = 0x61736365
_KEPT = 5  # points of an ascent that are decoded
_WIDER = 4  # times that ascents are tried, each time by steps twice as long
_LABELS = 400  # most known rows that are labels: the best half, others at random
_SAMPLED = 256  # random architectures whose exact complexities are learned


@dataclass(frozen=True)
class _Label:
    """One architecture with what is known of it.

    Attributes:
        dag: The architecture.
        key: Its canonical hash.
        score: Its performance; minus infinity where it breaks a limit.
        complexity: What it was told to cost, by name.
    """

    dag: Dag
    key: str
    score: float
    complexity: dict[str, float]


@dataclass(frozen=True, eq=False)
class Equation7:
    """Predicted performance less weighed predicted complexities, each in units of its spread.

    Attributes:
        performance: Predicts the performance.
        complexities: Predict complexities, by name.
        weight: Of their sum.
    """

    performance: Regressor
    complexities: dict[str, Regressor]
    weight: float

    def __call__(self, points: Tensor) -> Tensor:
        """Return (num_points,) for latent points (num_points, latent_dim)."""
        found = self.performance(points)
        for complexity in self.complexities.values():
            found = found - self.weight * complexity(points)
        return found


class AscentSearch:
    """Asks for the decodings of ascended latent points, the best predicted first.

    The encoder and the decoder stay as they are. An answer that breaks a limit counts as the worst.

    Args:
        model: Encoder and decoder; predictors are not needed.
        problem: What is looked for; known rows count as labels.
        seed: Seed of all draws.
        config: Settings.

    Raises:
        MissingExtraError: A regressor whose package is not installed.
    """

    def __init__(
        self,
        model: LatentModel,
        problem: Problem,
        seed: int = 0,
        config: AscentConfig | None = None,
    ) -> None:
        self.model, self.problem, self.seed = model, problem, seed
        self.config = config or AscentConfig()
        check_installed(self.config.regressor)
        self._proposals = Proposals(problem, seed, _STREAM)
        self._labels = self._known()
        self._means: dict[str, Tensor] = {}
        self._worth: dict[str, bool] = {}  # whether a decoding is worth asking, by hash
        self._answers = len(problem.known.labelled)
        self._rounds = 0

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then ends of ascents."""
        missing = self.config.initial - self._answers
        if missing > 0:
            return taken(min(count, missing), self._proposals.sampled)
        self._rounds += 1
        found = self._climbed(count) if self._labels else []
        found += taken(count - len(found), self._proposals.sampled)
        self._worth |= dict.fromkeys((c.dag.canonical_hash for c in found), False)
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        score = self.problem.objective.score
        for trial in trials:
            key, told = trial.dag.canonical_hash, dict(trial.answer.complexity)
            self._labels.append(_Label(trial.dag, key, score(trial.answer), told))
        self._answers += len(trials)

    def _known(self) -> list[_Label]:
        rows, values = known_values(self.problem)
        order = np.argsort(-values[:, 0], kind="stable")
        if len(order) > _LABELS:
            others = self._proposals.rng.permutation(order[_LABELS // 2 :])
            order = np.concatenate([order[: _LABELS // 2], others[: _LABELS // 2]])
        known, down = self.problem.known, self.problem.objective.down
        return [
            _Label(
                known.dags[int(rows[i])],
                known.hashes[int(rows[i])],
                float(values[i, 0]),
                dict(zip(down, (-values[i, 1:]).tolist(), strict=True)),
            )
            for i in order
        ]

    def _climbed(self, count: int) -> list[Candidate]:
        """New decodings of points on ascents, the best predicted first."""
        score, values = self._fit()
        starts, step = self._starts(values), self.config.step_size
        fresh: dict[str, Dag] = {}
        for _ in range(_WIDER):
            points = ascend(
                score, starts, self.config.steps, step, self.config.update, _KEPT
            ).flatten(0, 1)
            (points,) = transfer([points], self._device)
            fresh |= self._new(self.model.decode(points, seed=self.seed + self._rounds))
            if len(fresh) >= count:
                break
            step *= 2
        return self._ranked(score, fresh, count)

    def _ranked(self, score: Equation7, fresh: dict[str, Dag], count: int) -> list[Candidate]:
        """Propose those of the best score at their own encoding."""
        if not fresh:
            return []
        dags = list(fresh.values())
        order = torch.argsort(score(self._encoded(dags, list(fresh))), descending=True, stable=True)
        return self._proposals.first_new((dags[row] for row in order.tolist()), count)

    def _fit(self) -> tuple[Equation7, Array]:
        """Fit to all labels; the objective, and its value at each label."""
        config = self.config
        points = self._encoded([k.dag for k in self._labels], [k.key for k in self._labels])
        values = scaled(ranks_of(np.array([label.score for label in self._labels])))
        performance = self._regressor(points, values)
        if config.weight == 0:
            return Equation7(performance, {}, 0.0), values
        complexities = dict(self._computed)
        for name in self._names:
            if name not in complexities:
                told = np.array([k.complexity.get(name, math.nan) for k in self._labels])
                rows = np.flatnonzero(np.isfinite(told))
                if len(rows):
                    complexities[name] = self._regressor(points[rows], scaled(told[rows]))
        found = Equation7(performance, complexities, config.weight)
        for complexity in complexities.values():
            values = values - config.weight * complexity(points).double().numpy()
        return found, values

    def _regressor(self, points: Tensor, targets: Array) -> Regressor:
        wanted = torch.from_numpy(targets).to(points)
        loss = self.config.loss
        seed = int(self._proposals.rng.integers(2**31))
        return fit(self.config.regressor, points, wanted, seed=seed, loss=loss)

    @property
    def _names(self) -> tuple[str, ...]:
        """Complexities that are weighed: what the problem wants down, or the space's first."""
        return self.problem.objective.down or self.problem.space.complexity_names[:1]

    @cached_property
    def _computed(self) -> dict[str, Regressor]:
        """Regressors of the weighed complexities that the space computes, of random draws."""
        space = self.problem.space
        names = [name for name in self._names if name in space.complexity_names]
        if not names:
            return {}
        dags = [space.sample(self._proposals.rng) for _ in range(_SAMPLED)]
        exact, points = space.complexity(dags), self._encoded(dags, Dags.of(dags).hashes())
        columns = [space.complexity_names.index(name) for name in names]
        return {
            name: self._regressor(points, scaled(exact[:, column]))
            for name, column in zip(names, columns, strict=True)
        }

    def _starts(self, values: Array) -> Tensor:
        """Encodings of the best labelled ones; where these are few, draws of their posteriors."""
        count = self.config.num_starts
        best = np.argsort(-values, kind="stable")[:count]
        posterior = self.model.encode([self._labels[row].dag for row in best])
        rows = torch.arange(count) % len(best)
        noise = self._proposals.rng.standard_normal((count, posterior.mean.shape[1]))
        noise[: len(best)] = 0
        mean, deviation = posterior.mean.detach().cpu(), (0.5 * posterior.logvar).exp()
        return mean[rows] + deviation.detach().cpu()[rows] * torch.from_numpy(noise).to(mean)

    def _encoded(self, dags: Sequence[Dag], keys: Sequence[str]) -> Tensor:
        """Posterior means (len(dags), latent_dim), on the host; each is computed once."""
        new = {k: d for k, d in zip(keys, dags, strict=True) if k not in self._means}
        if new:
            with torch.no_grad():
                means = self.model.encode(list(new.values())).mean
            self._device = means.device
            self._means |= dict(zip(new, means.float().cpu(), strict=True))
        return torch.stack([self._means[key] for key in keys])

    def _new(self, dags: Sequence[Dag]) -> dict[str, Dag]:
        """Those worth asking, by canonical hash; a decoding that is not valid is none."""
        valid = [dag for dag in dags if dag.space is not None]
        found: dict[str, Dag] = {}
        for key, dag in zip(Dags.of(valid).hashes(), valid, strict=True):
            if key not in self._worth:
                self._worth[key] = self._proposals.is_new(dag)
            if self._worth[key]:
                found[key] = dag
        return found


def scaled(values: Array) -> Array:
    """Values of mean 0 and standard deviation 1."""
    found: Array = (values - values.mean()) / (values.std() or 1.0)
    return found
