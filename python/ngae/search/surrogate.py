"""Gradient search from few labels: a Gaussian process takes the place of the trained predictor.

Each round fits the process to all answers, climbs its upper confidence bound in the latent space,
decodes, adds neighbours of the best, describes every candidate anew (its own encoding, and what can
be computed of it) and asks about those of the greatest expected improvement. Targets are ranks:
what is bad need not be told apart, and no scale has to be known (as Salinas et al. 2020 do).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.oracles.base import Answer
from ngae.search.base import Candidate, LatentModel, Trial
from ngae.search.climb import climb
from ngae.search.config import GradientConfig
from ngae.search.description import Describer
from ngae.search.gaussian_process import Array, Belief, GaussianProcess
from ngae.search.neighbours import neighbours
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, taken
from ngae.transfer import transfer

_STREAM = 0x73757267
_KEPT = 4  # points of an ascent that are decoded
_PARENTS = 8  # best architectures whose neighbours are candidates
_CLIMBS = 3  # times that neighbours of the most promising candidates are added
_LABELS = 400  # most labels that the process is fitted to: the best, and the latest


@dataclass(frozen=True)
class _Label:
    dag: Dag
    key: str
    answer: Answer


@dataclass(frozen=True, eq=False)
class _Judged:
    """Candidates as a process sees them.

    Attributes:
        belief: Of their values.
        best: The best value so far.
        feasible: (candidates,) probability that each keeps the limits.
    """

    belief: Belief
    best: float
    feasible: Array

    @property
    def gain(self) -> Array:
        """Expected improvement over the best value, noise included, times the probability."""
        spread = np.sqrt(self.belief.deviation**2 + self.belief.process.noise**2)
        step = (self.belief.mean - self.best) / spread
        gain: Array = self.feasible * spread * (step * _below(step) + _bell(step))
        return gain

    def after(self, row: int) -> _Judged:
        """As if candidate `row` had answered as expected."""
        return dataclasses.replace(self, belief=self.belief.after(row))


class SurrogateSearch:
    """Asks for what a Gaussian process expects to improve most.

    Args:
        model: Encoder and decoder; no predictor is needed.
        problem: What is looked for; known rows count as labels.
        seed: Seed of all draws.
        config: Settings.
    """

    def __init__(
        self,
        model: LatentModel,
        problem: Problem,
        seed: int = 0,
        config: GradientConfig | None = None,
    ) -> None:
        self.model, self.problem, self.seed = model, problem, seed
        self.config = config or GradientConfig()
        self._describe = Describer(model, problem.space)
        self._proposals = Proposals(problem, seed, _STREAM)
        self._labels = _labels_of(problem)
        self._logs: dict[str, Array] = {}
        self._worth: dict[str, bool] = {}
        self._asked = {label.key for label in self._labels}
        self._rounds = 0

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then the most promising."""
        missing = self.config.initial - len(self._labels)
        if missing > 0:
            return taken(min(count, missing), self._proposals.sampled)
        self._rounds += 1
        found = self._chosen(self._climbed(self._pool()), count)
        return found + taken(count - len(found), self._proposals.sampled)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        self._labels += [_Label(t.dag, t.dag.canonical_hash, t.answer) for t in trials]
        self._asked |= {trial.dag.canonical_hash for trial in trials}

    def _climbed(self, pool: dict[str, Dag]) -> dict[str, Dag]:
        """Add the neighbours of the most promising candidates, some times over."""
        parents: set[str] = set()
        for _ in range(_CLIMBS if pool else 0):
            gain, keys = self._judged(pool).gain, list(pool)
            order = [keys[row] for row in np.argsort(-gain, kind="stable")]
            best = [key for key in order if key not in parents][:_PARENTS]
            parents |= set(best)
            made = [dag for key in best for dag in neighbours(self.problem.space, pool[key])]
            pool = {**pool, **self._new(made)}
        return pool

    def _chosen(self, pool: dict[str, Dag], count: int) -> list[Candidate]:
        """Take the most promising ones, each as if those before had answered as expected.

        Where a front is wanted, each is the best of another mixture of the objectives.
        """
        chosen: list[Candidate] = []
        if not pool:
            return chosen
        dags, judged = list(pool.values()), self._judged(pool)
        left = np.ones(len(dags), dtype=np.bool_)
        while len(chosen) < count and left.any():
            best = int(np.where(left, judged.gain, -np.inf).argmax())
            left[best] = False
            candidate = self._proposals.new(dags[best])
            if candidate is not None:
                chosen.append(candidate)
                front = self.config.aim == "front"
                judged = self._judged(pool) if front else judged.after(best)
        return chosen

    def _judged(self, pool: dict[str, Dag]) -> _Judged:
        groups = self._describe(list(pool.values()), list(pool))
        labels = self._fitted_to()
        held = self._describe([label.dag for label in labels], [label.key for label in labels])
        targets = _ranks(self._values(labels))
        belief = self._process("value", held, targets).believe(groups)
        useful = [self.problem.objective.counts(label.answer) for label in labels]
        best = float(targets[useful].max()) if any(useful) else float(targets.min())
        return _Judged(belief, best, self._feasible(labels, held, groups))

    def _values(self, labels: list[_Label]) -> Array:
        """What is maximised: the performance, less weighed complexity, or a random mixture.

        A mixture is min over objectives of weight times rank, plus a small part of their sum
        (the augmented Chebyshev function of ParEGO, Knowles 2006): its best points are the front.
        """
        answers = [label.answer for label in labels]
        values = self.problem.objective.values(answers)
        if self.config.aim == "front" and values.shape[1] > 1:
            ranks = np.stack([_ranks(np.nan_to_num(v, nan=-np.inf)) for v in values.T], axis=1)
            weights = self._proposals.rng.dirichlet(np.ones(values.shape[1]))
            mixed: Array = (ranks / np.maximum(weights, 1e-3)).min(axis=1) + 0.05 * ranks.sum(1)
            return mixed
        found: Array = values[:, 0]
        if self.config.weight > 0 and values.shape[1] > 1:
            scale = [float(np.nanstd(values[:, k])) or 1.0 for k in (0, 1)]
            found = found / scale[0] + self.config.weight * np.nan_to_num(values[:, 1]) / scale[1]
        return found

    def _process(self, name: str, held: list[Array], targets: Array) -> GaussianProcess:
        """Fit, beginning at the lengths of the last fit."""
        process = GaussianProcess.fit(held, targets, self._logs.get(name))
        self._logs[name] = process.logs
        return process

    def _feasible(self, labels: list[_Label], held: list[Array], groups: list[Array]) -> Array:
        """Probability that limits are kept on what only answers tell."""
        chance = np.ones(len(groups[0]))
        for limit in self.problem.objective.limits:
            told = [label.answer.complexity.get(limit.name, math.nan) for label in labels]
            rows = np.flatnonzero(np.isfinite(told))
            if limit.name in self.problem.space.complexity_names or len(rows) < 2:
                continue
            values = np.log1p(np.maximum(np.array(told)[rows], 0))
            process = self._process(limit.name, [group[rows] for group in held], values)
            mean, deviation = process.predict(groups)
            chance *= _below((math.log1p(max(limit.most, 0)) - mean) / deviation)
        return chance

    def _fitted_to(self) -> list[_Label]:
        """All labels, or the best half and the latest half of as many as are of use."""
        if len(self._labels) <= _LABELS:
            return self._labels
        latest = self._labels[-_LABELS // 2 :]
        rest = sorted(self._labels[: -_LABELS // 2], key=lambda k: -k.answer.performance)
        return rest[: _LABELS - len(latest)] + latest

    def _pool(self) -> dict[str, Dag]:
        """Candidates by canonical hash: ends of ascents, neighbours of the best, prior draws."""
        points = torch.cat([self._ascended(), self._prior(self.config.num_starts)])
        (points,) = transfer([points], self._describe.device)
        found = self.model.decode(points, seed=self.seed + self._rounds)
        for parent in self._best(_PARENTS):
            found += neighbours(self.problem.space, parent.dag)
        return self._new([*found, *self._rows()])

    def _rows(self) -> Sequence[Dag]:
        """Some of the rows, where only a table's rows can be asked: few decodings may be in it."""
        rows = self.problem.askable.rows
        if rows is None:
            return ()
        return rows.take(self._proposals.rng.permutation(len(rows))[: self.config.num_starts])

    def _new(self, dags: Sequence[Dag]) -> dict[str, Dag]:
        """Those worth asking, by canonical hash; a decoding that is not valid is none."""
        valid = Dags.of([dag for dag in dags if dag.space is not None], self.problem.space)
        inside = self.problem.within_limits(valid)
        found: dict[str, Dag] = {}
        for key, dag, keeps in zip(valid.hashes(), valid, inside, strict=True):
            if key not in self._worth:
                self._worth[key] = bool(keeps) and self.problem.key(dag) is not None
            if self._worth[key] and key not in self._asked:
                found[key] = dag
        return found

    def _best(self, count: int) -> list[_Label]:
        useful = [k for k in self._labels if self.problem.objective.counts(k.answer)]
        return sorted(useful or self._labels, key=lambda k: -k.answer.performance)[:count]

    def _ascended(self) -> Tensor:
        """Points on ascents of the upper confidence bound on `z` alone."""
        labels = self._fitted_to()
        z = self._describe([k.dag for k in labels], [k.key for k in labels])[0]
        process = self._process("z", [z], _ranks(self._values(labels)))
        width, starts = z.shape[1], self.config.num_starts
        begin = self._proposals.rng.standard_normal((starts, width))
        if self.config.starts == "best":
            order = np.argsort(-self._values(labels), kind="stable")[: max(4, len(labels) // 4)]
            begin = z[np.resize(order, starts)] + 0.3 * begin
        path = climb(process, begin, self.config.steps, self.config.step_size, 1.0, _KEPT)
        return torch.from_numpy(self._describe.unscaled_z(path.reshape(-1, width)))

    def _prior(self, count: int) -> Tensor:
        width = self._describe.width
        draws = self._proposals.rng.standard_normal((count, width), dtype=np.float32)
        return torch.from_numpy(draws)


def _labels_of(problem: Problem) -> list[_Label]:
    known, found = problem.known, []
    for row in known.labelled.tolist():
        record, names = known[row], known.complexity_names
        answer = Answer(record.performance, dict(zip(names, record.complexity, strict=True)), 0.0)
        answer = problem.completed(record.dag, answer)
        found.append(_Label(record.dag, known.hashes[row], answer))
    return found


def _ranks(values: Array) -> Array:
    """Ranks from the lowest, in (0, 1); equal values share theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Array = ((ends - counts / 2)[place]) / len(values)
    return ranks


def _below(step: Array) -> Array:
    """Distribution function of the standard normal."""
    found: Array = torch.special.ndtr(torch.from_numpy(np.asarray(step))).numpy()
    return found


def _bell(step: Array) -> Array:
    """Density of the standard normal."""
    found: Array = np.exp(-(step**2) / 2) / math.sqrt(2 * math.pi)
    return found
