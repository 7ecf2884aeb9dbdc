"""What searches by a Gaussian process share: the fit to all labels, and the greatest improvement.

Targets are ranks and, as much, values on a scale that the first labels make; of many labels values
on a scale of the best alone.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.base import Candidate, Trial
from ngae.search.believed import Computed, Fitted, Teller
from ngae.search.costs import MeasuredLimits, told
from ngae.search.description import Describer, value_kernel
from ngae.search.front import FrontFit, FrontJudged, lifted
from ngae.search.gaussian_process import Array, GaussianProcess, Groups, Kernel
from ngae.search.judging import Fit, Judged, in_both, ranks_of, scaled_by
from ngae.search.labels import Label, Labels
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, taken
from ngae.search.scales import RankScale
from ngae.threads import small_numpy

_SAME = 1e-4  # relative: of numbers that are one
_APART = 4  # proposals in a row that differ in their node types
WHOLE = 50_000  # most candidates that are all looked at
_MORE = 1.05  # times as many labels as before, for which lengths are looked for anew

Pool = dict[str, Dag]
Useful = NDArray[np.bool_]


class ImprovementSearch(ABC):
    """Asks for those of some candidates that a Gaussian process expects to improve most.

    Args:
        proposals: Keeps what was proposed.
        describe: Describes architectures.
        initial: Uniform draws that begin a search from nothing.
        aim: The best architecture, or the whole Pareto front.
        weight: Weight of the first complexity in the objective.
    """

    def __init__(
        self,
        proposals: Proposals,
        describe: Describer,
        initial: int,
        aim: Literal["best", "front"],
        weight: float = 0.0,
    ) -> None:
        self.problem: Problem = proposals.problem
        self._proposals, self._describe = proposals, describe
        self._initial, self._aim, self._weight = initial, aim, weight
        self._labels = Labels(self.problem)
        self._logs: dict[str, tuple[Array, int]] = {}  # of the last search, with its labels
        self._worth: dict[str, bool] = {}
        self._lately: deque[tuple[int, ...]] = deque(maxlen=_APART - 1)

    @abstractmethod
    def _pool(self, fit: Fit | FrontFit) -> Pool:
        """Give the candidates of a round by canonical hash."""

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then the most promising."""
        missing = self._initial - self._labels.count
        if missing > 0:
            return self._drawn(min(count, missing), missing)
        with small_numpy():
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
            best = int(np.where(self._apart(dags, left), judged.gain, -np.inf).argmax())
            left[best] = False
            candidate = self._proposals.new(dags[best])
            if candidate is not None:
                chosen.append(candidate)
                self._lately.append(dags[best].node_types)
                if len(chosen) < count:
                    mixed = self._objectives > 2
                    judged = self._judged(self._fit(), pool) if mixed else judged.after(best)
        return chosen

    def _apart(self, dags: list[Dag], left: Useful) -> Useful:
        """Leave out those with the node types of one of the last three, if there are others.

        Changes of links alone change little, so that they look safest and would be all that is
        asked. Beside many labels it is known which types are good, and links are what is left.
        """
        apart = left & np.array([dag.node_types not in self._lately for dag in dags])
        return apart if self._labels.few and apart.any() else left

    @property
    def _objectives(self) -> int:
        """How many objectives a front is wanted of; 1 where the best is wanted."""
        return 1 + len(self.problem.objective.down) if self._aim == "front" else 1

    def _judged(self, fit: Fit | FrontFit, pool: Pool) -> Judged | FrontJudged:
        return fit.judge(self._describe(list(pool.values()), list(pool)))

    def _fit(self) -> Fit | FrontFit:
        labels, objective = self._labels.fitted_to(), self.problem.objective
        held = self._describe([label.dag for label in labels], [label.key for label in labels])
        useful = np.array([objective.counts(label.answer) for label in labels])
        if self._objectives == 2:
            values = objective.values([label.answer for label in labels])
            useful &= np.isfinite(values).all(axis=1)
            if useful.any():
                return self._front_fit(labels, held, values, useful)
        targets = self._targets(labels)
        return Fit(
            groups=held,
            targets=targets,
            process=self._process("value", value_kernel(held), held, targets),
            best=float(targets[useful].max()) if useful.any() else float(targets.min()),
            limits=self._limits(labels, held, useful),
        )

    def _front_fit(
        self, labels: list[Label], held: Groups, values: Array, useful: Useful
    ) -> FrontFit:
        """Say what the labels tell of each of two objectives."""
        front = values[useful]
        reference = front.min(axis=0)
        reference[0] = max(reference[0], self.problem.objective.floor)
        targets = lifted(values[:, 0], reference[0])
        scale = RankScale.of(targets)
        first = self._process("first", value_kernel(held), held, scale.target_at(targets))
        return FrontFit(
            groups=held,
            targets=self._targets(labels),
            tellers=(Fitted(first, scale), self._cost_teller(held, values[:, 1], useful)),
            front=front,
            reference=reference,
            limits=self._limits(labels, held, useful),
        )

    def _cost_teller(self, held: Groups, values: Array, useful: Useful) -> Teller:
        """Say what tells of the complexity that counts beside the performance."""
        (name,) = self.problem.objective.down
        computed = self.problem.space.complexity_names
        if name in computed:
            exact = Computed(computed.index(name), *self._describe.scale_of(name))
            if np.allclose(exact.believe(held).mean[useful], values[useful], rtol=_SAME):
                return exact  # what answers call by that name is what the space computes
        return told(name, self._process, held, values, useful)

    def _targets(self, labels: list[Label]) -> Array:
        """What is maximised: the performance, less weighed complexity, or a random mixture."""
        objective, others = self.problem.objective, self._labels.usual(self._initial)
        values, usual = (objective.values([k.answer for k in some]) for some in (labels, others))
        if self._aim == "front" and values.shape[1] > 1:
            return ranks_of(self._mixed(values))
        if self._weight > 0 and values.shape[1] > 1:
            unit = [float(np.nanstd(usual[:, k])) or 1.0 for k in (0, 1)]
            values, usual = (
                v[:, :1] / unit[0] + self._weight * np.nan_to_num(v[:, 1:2]) / unit[1]
                for v in (values, usual)
            )
        scaled = scaled_by(usual[:, 0], values[:, 0])
        return in_both(ranks_of(values[:, 0]), scaled) if self._labels.few else scaled

    def _mixed(self, values: Array) -> Array:
        """Mix objectives at random: min over them of rank over weight, plus a part of their sum.

        The augmented Chebyshev function of ParEGO (Knowles 2006): its best points are the front.
        """
        ranks = np.stack([ranks_of(np.nan_to_num(v, nan=-np.inf)) for v in values.T], axis=1)
        weights = self._proposals.rng.dirichlet(np.ones(values.shape[1]))
        mixed: Array = (ranks / np.maximum(weights, 1e-3)).min(axis=1) + 0.05 * ranks.sum(axis=1)
        return mixed

    def _process(
        self, name: str, kernel: Kernel, groups: Groups, targets: Array
    ) -> GaussianProcess:
        """Fit; lengths are looked for, from the last ones on, where labels are enough more."""
        logs, count = self._logs.get(name, (None, 0))
        # Each mixture of objectives is another target.
        learn = len(targets) >= _MORE * count or (self._aim == "front" and name in ("value", "z"))
        process = GaussianProcess.fit(kernel, groups, targets, logs, learn)
        if learn:
            self._logs[name] = process.logs, len(targets)
        return process

    def _limits(self, labels: list[Label], held: Groups, useful: Useful) -> MeasuredLimits:
        """Say what tells of limits on what only answers tell."""
        found = []
        for limit in self.problem.objective.limits:
            costs = np.array([k.answer.complexity.get(limit.name, math.nan) for k in labels])
            if limit.name in self.problem.space.complexity_names or np.isfinite(costs).sum() < 2:
                continue
            found.append((told(limit.name, self._process, held, -costs, useful), limit.most))
        return MeasuredLimits(found)

    @cached_property
    def _table(self) -> Pool | None:
        """All rows worth asking, where only rows can be asked; None where that is too many."""
        rows = self.problem.askable.rows
        return None if rows is None or len(rows) > WHOLE else self._new(list(rows))

    def _unasked(self, pool: Pool) -> Pool:
        return {key: dag for key, dag in pool.items() if key not in self._labels}

    def _new(self, dags: Sequence[Dag]) -> Pool:
        """Those worth asking, by canonical hash; a decoding that is not valid is none."""
        valid = [dag for dag in dict.fromkeys(dags) if dag.space is not None]
        packed = Dags.of(valid, self.problem.space)
        inside = self.problem.within_limits(packed)
        found: Pool = {}
        for key, dag, keeps in zip(packed.hashes(), valid, inside, strict=True):
            if key not in self._worth:
                dag.remember_hash(key)
                self._worth[key] = bool(keeps) and self.problem.key(dag) is not None
            if self._worth[key] and key not in self._labels:
                found[key] = dag
        return found
