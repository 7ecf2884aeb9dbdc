"""What searches by a Gaussian process share: the fit to all labels, and the greatest improvement.

Targets are ranks: what is bad need not be told apart, and no scale has to be known (as Salinas et
al. 2020 do).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.base import Candidate, Trial
from ngae.search.front import FrontFit, FrontJudged, RankScale, targets_of
from ngae.search.gaussian_process import Array, GaussianProcess
from ngae.search.judging import Fit, Judged, logs_of, ranks_of
from ngae.search.labels import Label, Labels
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, taken

_MORE = 1.05  # times as many labels as before, for which lengths are looked for anew

Describe = Callable[[Sequence[Dag], Sequence[str]], list[Array]]
Pool = dict[str, Dag]


class ImprovementSearch(ABC):
    """Asks for those of some candidates that a Gaussian process expects to improve most.

    Args:
        proposals: Keeps what was proposed.
        describe: Gives groups of features (count, width) of architectures and their canonical
            hashes.
        initial: Uniform draws that begin a search from nothing.
        aim: The best architecture, or the whole Pareto front.
        weight: Weight of the first complexity in the objective.
    """

    def __init__(
        self,
        proposals: Proposals,
        describe: Describe,
        initial: int,
        aim: Literal["best", "front"],
        weight: float = 0.0,
    ) -> None:
        self.problem: Problem = proposals.problem
        self._proposals, self._describe = proposals, describe
        self._initial, self._aim, self._weight = initial, aim, weight
        self._labels = Labels(self.problem)
        self._trend: int | None = None  # the group with a linear trend
        self._logs: dict[str, tuple[Array, int]] = {}  # of the last search, with its labels
        self._worth: dict[str, bool] = {}

    @abstractmethod
    def _pool(self, fit: Fit | FrontFit) -> Pool:
        """Give the candidates of a round by canonical hash."""

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then the most promising."""
        missing = self._initial - self._labels.count
        if missing > 0:
            return self._drawn(min(count, missing), missing)
        fit = self._fit()
        found = self._chosen(fit, self._pool(fit), count)
        return found + taken(count - len(found), self._proposals.sampled)

    def _drawn(self, count: int, missing: int) -> list[Candidate]:
        """Take `count` of the `missing` draws that begin a search."""
        return taken(count, self._proposals.sampled)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        self._labels.add(trials)

    def _chosen(self, fit: Fit | FrontFit, pool: Pool, count: int) -> list[Candidate]:
        """Take the most promising ones, each as if those before had answered as expected.

        Where a front of three or more objectives is wanted, each is the best of another mixture.
        """
        chosen: list[Candidate] = []
        if not pool:
            return chosen
        dags, judged = list(pool.values()), self._judged(fit, pool)
        left = np.ones(len(dags), dtype=np.bool_)
        while len(chosen) < count and left.any():
            best = int(np.where(left, judged.gain, -np.inf).argmax())
            left[best] = False
            candidate = self._proposals.new(dags[best])
            if candidate is not None:
                chosen.append(candidate)
                mixed = self._objectives > 2
                judged = self._judged(self._fit(), pool) if mixed else judged.after(best)
        return chosen

    @property
    def _objectives(self) -> int:
        """How many objectives a front is wanted of; 1 where the best is wanted."""
        return 1 + len(self.problem.objective.down) if self._aim == "front" else 1

    def _judged(self, fit: Fit | FrontFit, pool: Pool) -> Judged | FrontJudged:
        return fit.judge(self._describe(list(pool.values()), list(pool)))

    def _fit(self) -> Fit | FrontFit:
        labels = self._labels.fitted_to()
        held = self._describe([label.dag for label in labels], [label.key for label in labels])
        values = self._values(labels)
        useful = [self.problem.objective.counts(label.answer) for label in labels]
        if self._objectives == 2 and any(useful):
            return self._front_fit(labels, held, values, np.array(useful))
        ranks = ranks_of(values)
        return Fit(
            groups=held,
            values=values,
            process=self._process("value", held, ranks, self._trend),
            best=float(ranks[useful].max()) if any(useful) else float(ranks.min()),
            limited=self._limited(labels, held),
        )

    def _front_fit(
        self, labels: list[Label], held: list[Array], mixed: Array, useful: NDArray[np.bool_]
    ) -> FrontFit:
        """Fit a process to the ranks of each of two objectives."""
        objective = self.problem.objective
        values = objective.values([label.answer for label in labels])
        front = values[useful & np.isfinite(values).all(axis=1)]
        reference = front.min(axis=0) if len(front) else np.nanmin(values, axis=0)
        reference[0] = max(reference[0], objective.floor)
        first, second = (RankScale.of(column) for column in targets_of(values, reference).T)
        return FrontFit(
            groups=held,
            values=mixed,
            processes=(
                self._process("first", held, first.ranks, self._trend),
                self._process("second", held, second.ranks, self._trend),
            ),
            scales=(first, second),
            front=front,
            reference=reference,
            limited=self._limited(labels, held),
        )

    def _values(self, labels: list[Label]) -> Array:
        """What is maximised: the performance, less weighed complexity, or a random mixture.

        A mixture is min over objectives of rank over weight, plus a small part of their sum
        (the augmented Chebyshev function of ParEGO, Knowles 2006): its best points are the front.
        """
        answers = [label.answer for label in labels]
        values = self.problem.objective.values(answers)
        if self._aim == "front" and values.shape[1] > 1:
            ranks = np.stack([ranks_of(np.nan_to_num(v, nan=-np.inf)) for v in values.T], axis=1)
            weights = self._proposals.rng.dirichlet(np.ones(values.shape[1]))
            mixed: Array = (ranks / np.maximum(weights, 1e-3)).min(axis=1) + 0.05 * ranks.sum(1)
            return mixed
        found: Array = values[:, 0]
        if self._weight > 0 and values.shape[1] > 1:
            scale = [float(np.nanstd(values[:, k])) or 1.0 for k in (0, 1)]
            found = found / scale[0] + self._weight * np.nan_to_num(values[:, 1]) / scale[1]
        return found

    def _process(
        self, name: str, held: list[Array], targets: Array, trend: int | None = None
    ) -> GaussianProcess:
        """Fit; lengths are looked for, from the last ones on, where labels are enough more."""
        logs, count = self._logs.get(name, (None, 0))
        # Each mixture of objectives is another target.
        learn = len(targets) >= _MORE * count or (self._aim == "front" and name in ("value", "z"))
        process = GaussianProcess.fit(held, targets, logs, trend, learn)
        if learn:
            self._logs[name] = process.logs, len(targets)
        return process

    def _limited(
        self, labels: list[Label], held: list[Array]
    ) -> tuple[tuple[GaussianProcess, float], ...]:
        """Fit processes to what only answers tell and a limit is on."""
        found = []
        for limit in self.problem.objective.limits:
            told = np.array([k.answer.complexity.get(limit.name, math.nan) for k in labels])
            rows = np.flatnonzero(np.isfinite(told))
            if limit.name in self.problem.space.complexity_names or len(rows) < 2:
                continue
            groups = [group[rows] for group in held]
            process = self._process(limit.name, groups, logs_of(told[rows]))
            found.append((process, limit.most))
        return tuple(found)

    def _new(self, dags: Sequence[Dag]) -> Pool:
        """Those worth asking, by canonical hash; a decoding that is not valid is none."""
        valid = [dag for dag in dict.fromkeys(dags) if dag.space is not None]
        packed = Dags.of(valid, self.problem.space)
        inside = self.problem.within_limits(packed)
        found: Pool = {}
        for key, dag, keeps in zip(packed.hashes(), valid, inside, strict=True):
            if key not in self._worth:
                self._worth[key] = bool(keeps) and self.problem.key(dag) is not None
            if self._worth[key] and key not in self._labels:
                found[key] = dag
        return found
