"""Gradient ascent of predicted performance minus weighted complexity (Algorithm 1, equation 7).

Many starts climb at once; the points on the way are decoded, known and repeated architectures are
left out, and what remains is ranked by the predictions at its own encoding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import Table
from ngae.errors import UsageError
from ngae.search.base import Candidate, LatentModel, Trial
from ngae.search.config import GradientConfig
from ngae.search.problem import Problem
from ngae.transfer import transfer


class GradientSearch:
    """Asks for the decodings of ascended latent points, best predicted first.

    Args:
        model: The model.
        problem: What is looked for; the known rows are those that the model was trained on.
        seed: Seed of the draws.
        config: Settings.

    Raises:
        UsageError: The model lacks a predictor that is needed, or the known rows the complexity.
    """

    def __init__(
        self,
        model: LatentModel,
        problem: Problem,
        seed: int = 0,
        config: GradientConfig | None = None,
    ) -> None:
        self.model = model
        self.problem = problem
        self.seed = seed
        self.known = known = problem.known
        self.config = config = config or GradientConfig()
        self.names = known.complexity_names
        self._weighed = _column(problem)
        if not len(known):
            raise UsageError(
                "--guide predictors: expected known rows to climb from, found none",
                remedy="pass --history, or take --guide surrogate",
            )
        prediction = model.predict(model.encode(known.dags[:1]).mean)
        if prediction.performance is None:
            raise UsageError("search: expected a model with a performance predictor, found none")
        if config.weight > 0 and prediction.complexity is None:
            raise UsageError(
                f"--weight {config.weight:g}: expected a model with a complexity predictor, "
                "found none",
                remedy="pass --weight 0, or train with --complexity-predictor",
            )
        self._performance_scale = float(known.performance.std()) or 1.0
        self._complexity_scale = (
            float(np.nanstd(known.complexity[:, self._weighed])) or 1.0 if self.names else 1.0
        )
        self._seen: set[str] = set()
        self._elite: list[tuple[float, Dag]] = []
        self._rounds = 0

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures; fewer where the ascents find no more."""
        points = self.climbed()
        fresh: dict[str, Dag] = {}
        for stochastic in (False, True):  # sampled ones only where the most probable are too few
            if len(fresh) < count:
                seed = self.seed + self._rounds
                self._collect(self.model.decode(points, seed=seed, stochastic=stochastic), fresh)
        ranked = self._ranked(list(fresh.values()))[:count]
        keys = {self.problem.key(candidate.dag) for candidate in ranked}
        self._seen |= {key for key in keys if key is not None}
        return ranked

    def climbed(self) -> Tensor:
        """Points on the ascents of one more round, (points, latent_dim)."""
        self._rounds += 1
        return self.ascend(self._starts()).flatten(0, 1)

    def predicted(self, dags: list[Dag]) -> list[Candidate]:
        """What the predictors say at each architecture's own encoding."""
        _, candidates = self._scored(dags)
        return candidates

    def _collect(self, dags: Sequence[Dag], fresh: dict[str, Dag]) -> None:
        """Add to `fresh` what is valid and was not seen."""
        valid = [dag for dag in dags if dag.space is not None]
        for digest, dag in zip(Dags.of(valid).hashes(), valid, strict=True):
            if digest in self._seen or digest in fresh:
                continue
            key = self.problem.key(dag)
            if key is not None and key not in self._seen:
                fresh.setdefault(key, dag)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remember answers: later ascents start from the best of them, too."""
        for trial in trials:
            self._elite.append((self._value(trial), trial.dag))

    def score(self, z: Tensor) -> Tensor:
        """Equation (7) at latent points, each part in units of its spread in the table."""
        prediction = self.model.predict(z)
        assert prediction.performance is not None
        score = prediction.performance / self._performance_scale
        if self.config.weight > 0 and prediction.complexity is not None:
            complexity = prediction.complexity[:, self._weighed] / self._complexity_scale
            score = score - self.config.weight * complexity
        return score

    def ascend(self, starts: Tensor) -> Tensor:
        """Climb `score` from each of `starts` (num_points, latent_dim).

        Returns:
            (about 11, num_points, latent_dim): the ends, and points on the way back to the starts.
        """
        complexity = [0.0] * len(self.names)
        if self.config.weight > 0:
            complexity[self._weighed] = -self.config.weight / self._complexity_scale
        return self.model.ascend(
            starts,
            performance_weight=1 / self._performance_scale,
            complexity_weights=complexity,
            step_size=self.config.step_size,
            keep=range(self.config.steps, -1, -max(1, self.config.steps // 10)),
        )

    def _value(self, trial: Trial) -> float:
        value = trial.answer.performance / self._performance_scale
        if self.config.weight > 0 and self.names:
            name = self.names[self._weighed]
            predicted = trial.candidate.complexity  # for an oracle that does not know this one
            complexity = trial.answer.complexity.get(name, predicted.get(name, 0.0))
            value -= self.config.weight * complexity / self._complexity_scale
        return value

    def _starts(self) -> Tensor:
        rng = np.random.default_rng([self.seed, self._rounds])
        if self.config.starts == "prior":
            mean = self.model.encode(self.known.dags[:1]).mean
            draws = rng.standard_normal((self.config.num_starts, mean.shape[1]), np.float32)
            return transfer([torch.from_numpy(draws)], mean.device)[0]
        posterior = self.model.encode(self._best_known())
        draws = rng.standard_normal(tuple(posterior.mean.shape), np.float32)
        return posterior.sample(*transfer([torch.from_numpy(draws)], posterior.mean.device))

    def _best_known(self) -> list[Dag]:
        values: NDArray[np.float64] = self.known.performance / self._performance_scale
        if self.config.weight > 0 and self.names:
            complexity = self.known.complexity[:, self._weighed] / self._complexity_scale
            values = values - self.config.weight * complexity
        order = np.argsort(-values, kind="stable")[: self.config.num_starts]
        rows = [(float(values[row]), self.known.dags[row]) for row in order]
        best = sorted([*rows, *self._elite], key=lambda pair: -pair[0])
        return [dag for _, dag in best[: self.config.num_starts]]

    def _ranked(self, dags: list[Dag]) -> list[Candidate]:
        """Order by the score at each architecture's own encoding, best first."""
        if not dags:
            return []
        scores, candidates = self._scored(dags)
        return [candidates[row] for row in np.argsort(-scores, kind="stable")]

    def _scored(self, dags: list[Dag]) -> tuple[NDArray[np.float64], list[Candidate]]:
        with torch.no_grad():
            mean = self.model.encode(dags).mean
            scores: NDArray[np.float64] = self.score(mean).cpu().numpy()
            prediction = self.model.predict(mean)
        assert prediction.performance is not None
        performance = prediction.performance.tolist()
        complexity = [] if prediction.complexity is None else prediction.complexity.tolist()
        return scores, [
            Candidate(
                dag,
                performance[row],
                dict(zip(self.names, complexity[row], strict=True)) if complexity else {},
            )
            for row, dag in enumerate(dags)
        ]


def predicts_performance(model: LatentModel, known: Table) -> bool:
    """Whether a model has a predictor of the performance."""
    return model.predict(model.encode(known.dags[:1]).mean).performance is not None


def _column(problem: Problem) -> int:
    """Number of the complexity that is weighed: what the problem wants down, or the first."""
    names = problem.known.complexity_names
    for name in problem.objective.down[:1]:
        if name not in names:
            raise UsageError(f"--weigh: expected one of {', '.join(names)}, found {name!r}")
        return names.index(name)
    return 0
