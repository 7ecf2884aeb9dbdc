"""Gradient search with a Gaussian process that learns from every answer.

Each round fits the process to all answers, climbs its upper confidence bound in the latent space,
decodes, adds neighbours of the best, describes every candidate anew (its own encoding, and what can
be computed of it) and asks about those of the greatest expected improvement. Targets are ranks:
what is bad need not be told apart, and no scale has to be known (as Salinas et al. 2020 do).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.oracles.base import Answer
from ngae.search.base import Candidate, LatentModel, Trial
from ngae.search.climb import climb
from ngae.search.config import GradientConfig
from ngae.search.description import Describer
from ngae.search.gaussian_process import Array, GaussianProcess
from ngae.search.gradient import GradientSearch, predicts_performance
from ngae.search.judging import Fit, Judged, logs_of, ranks_of
from ngae.search.neighbours import neighbours
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, taken
from ngae.transfer import transfer

_STREAM = 0x73757267
_KEPT = 4  # points of an ascent that are decoded
_PARENTS = 8  # best architectures whose neighbours are candidates
_CLIMBS = 3  # times that neighbours of the most promising candidates are added
_MANY = 1000  # known rows from which on trained predictors are climbed, too
_LABELS = 400  # most labels that the process is fitted to: the best, and the latest


@dataclass(frozen=True)
class _Label:
    dag: Dag
    key: str
    answer: Answer


class SurrogateSearch:
    """Asks for what a Gaussian process expects to improve most.

    Args:
        model: Encoder and decoder. Where it has learned the performances of a thousand rows or
            more, its predictors are climbed, too.
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
        self._answers = len(problem.known.labelled)
        self._first: list[Candidate] | None = None
        self._rounds = 0
        self._trained = self._predictors()

    def _predictors(self) -> GradientSearch | None:
        if self._answers < _MANY or not predicts_performance(self.model, self.problem.known):
            return None
        return GradientSearch(self.model, self.problem, self.seed, self.config)

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then the most promising."""
        missing = self.config.initial - self._answers
        if missing > 0:
            return self._random(min(count, missing), missing)
        self._rounds += 1
        fit = self._fit()
        found = self._chosen(fit, self._climbed(fit, self._pool(fit)), count)
        return self._predicted(found + taken(count - len(found), self._proposals.sampled))

    def _random(self, count: int, missing: int) -> list[Candidate]:
        """Take the next of `missing` draws: costly ones, where cost may be spent."""
        if self._first is None:
            self._first = self._proposals.costliest(missing) if self._free_of_cost() else []
        found, self._first = self._first[:count], self._first[count:]
        return found + taken(count - len(found), self._proposals.sampled)

    def _free_of_cost(self) -> bool:
        """Whether complexity matters by limits alone, on what the space computes."""
        names = self.problem.space.complexity_names
        limits = [limit.name for limit in self.problem.objective.limits]
        weighed = self.config.aim == "front" or self.config.weight > 0
        return bool(names) and not weighed and set(limits) <= set(names)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        self._labels += [_Label(t.dag, t.dag.canonical_hash, t.answer) for t in trials]
        self._answers += len(trials)
        self._asked |= {trial.dag.canonical_hash for trial in trials}
        if self._trained is not None:
            self._trained.tell(trials)

    def _climbed(self, fit: Fit, pool: dict[str, Dag]) -> dict[str, Dag]:
        """Add the neighbours of the most promising candidates, some times over."""
        parents: set[str] = set()
        for _ in range(_CLIMBS if pool else 0):
            gain, keys = self._judged(fit, pool).gain, list(pool)
            order = [keys[row] for row in np.argsort(-gain, kind="stable")]
            best = [key for key in order if key not in parents][:_PARENTS]
            parents |= set(best)
            made = [dag for key in best for dag in neighbours(self.problem.space, pool[key])]
            pool = {**pool, **self._new(made)}
        return pool

    def _chosen(self, fit: Fit, pool: dict[str, Dag], count: int) -> list[Candidate]:
        """Take the most promising ones, each as if those before had answered as expected.

        Where a front is wanted, each is the best of another mixture of the objectives.
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
                front = self.config.aim == "front"
                judged = self._judged(self._fit(), pool) if front else judged.after(best)
        return chosen

    def _predicted(self, candidates: list[Candidate]) -> list[Candidate]:
        """Add what trained predictors say, for people to compare."""
        if self._trained is None or not candidates:
            return candidates
        return self._trained.predicted([candidate.dag for candidate in candidates])

    def _judged(self, fit: Fit, pool: dict[str, Dag]) -> Judged:
        return fit.judge(self._describe(list(pool.values()), list(pool)))

    def _fit(self) -> Fit:
        labels = self._fitted_to()
        held = self._describe([label.dag for label in labels], [label.key for label in labels])
        values = self._values(labels)
        ranks = ranks_of(values)
        useful = [self.problem.objective.counts(label.answer) for label in labels]
        return Fit(
            z=held[0],
            values=values,
            process=self._process("value", held, ranks, self._describe.cost),
            best=float(ranks[useful].max()) if any(useful) else float(ranks.min()),
            limited=self._limited(labels, held),
        )

    def _values(self, labels: list[_Label]) -> Array:
        """What is maximised: the performance, less weighed complexity, or a random mixture.

        A mixture is min over objectives of rank over weight, plus a small part of their sum
        (the augmented Chebyshev function of ParEGO, Knowles 2006): its best points are the front.
        """
        answers = [label.answer for label in labels]
        values = self.problem.objective.values(answers)
        if self.config.aim == "front" and values.shape[1] > 1:
            ranks = np.stack([ranks_of(np.nan_to_num(v, nan=-np.inf)) for v in values.T], axis=1)
            weights = self._proposals.rng.dirichlet(np.ones(values.shape[1]))
            mixed: Array = (ranks / np.maximum(weights, 1e-3)).min(axis=1) + 0.05 * ranks.sum(1)
            return mixed
        found: Array = values[:, 0]
        if self.config.weight > 0 and values.shape[1] > 1:
            scale = [float(np.nanstd(values[:, k])) or 1.0 for k in (0, 1)]
            found = found / scale[0] + self.config.weight * np.nan_to_num(values[:, 1]) / scale[1]
        return found

    def _process(
        self, name: str, held: list[Array], targets: Array, trend: int | None = None
    ) -> GaussianProcess:
        """Fit, beginning at the lengths of the last fit."""
        process = GaussianProcess.fit(held, targets, self._logs.get(name), trend)
        self._logs[name] = process.logs
        return process

    def _limited(
        self, labels: list[_Label], held: list[Array]
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

    def _fitted_to(self) -> list[_Label]:
        """All labels, or the best half and the latest half of as many as are of use."""
        if len(self._labels) <= _LABELS:
            return self._labels
        latest = self._labels[-_LABELS // 2 :]
        rest = sorted(self._labels[: -_LABELS // 2], key=lambda k: -k.answer.performance)
        return rest[: _LABELS - len(latest)] + latest

    def _pool(self, fit: Fit) -> dict[str, Dag]:
        """Candidates by canonical hash: ends of ascents, neighbours of the best, prior draws."""
        points = torch.cat([self._ascended(fit), self._prior(self.config.num_starts)])
        (points,) = transfer([points], self._describe.device)
        if self._trained is not None:
            points = torch.cat([points, self._trained.climbed()])
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
        valid = [dag for dag in dict.fromkeys(dags) if dag.space is not None]
        packed = Dags.of(valid, self.problem.space)
        inside = self.problem.within_limits(packed)
        found: dict[str, Dag] = {}
        for key, dag, keeps in zip(packed.hashes(), valid, inside, strict=True):
            if key not in self._worth:
                self._worth[key] = bool(keeps) and self.problem.key(dag) is not None
            if self._worth[key] and key not in self._asked:
                found[key] = dag
        return found

    def _best(self, count: int) -> list[_Label]:
        useful = [k for k in self._labels if self.problem.objective.counts(k.answer)]
        return sorted(useful or self._labels, key=lambda k: -k.answer.performance)[:count]

    def _ascended(self, fit: Fit) -> Tensor:
        """Points on ascents of the upper confidence bound on `z` alone."""
        process = self._process("z", [fit.z], ranks_of(fit.values))
        width, starts = fit.z.shape[1], self.config.num_starts
        begin = self._proposals.rng.standard_normal((starts, width))
        if self.config.starts == "best":
            order = np.argsort(-fit.values, kind="stable")[: max(4, len(fit.values) // 4)]
            begin = fit.z[np.resize(order, starts)] + 0.3 * begin
        path = climb(process, begin, self.config.steps, self.config.step_size, 1.0, _KEPT)
        return torch.from_numpy(self._describe.unscaled_z(path.reshape(-1, width)))

    def _prior(self, count: int) -> Tensor:
        width = self._describe.width
        draws = self._proposals.rng.standard_normal((count, width), dtype=np.float32)
        return torch.from_numpy(draws)


def _labels_of(problem: Problem) -> list[_Label]:
    known, found = problem.known, []
    for row in _rows_of_use(problem).tolist():
        record, names = known[row], known.complexity_names
        answer = Answer(record.performance, dict(zip(names, record.complexity, strict=True)), 0.0)
        answer = problem.completed(record.dag, answer)
        found.append(_Label(record.dag, known.hashes[row], answer))
    return found


def _rows_of_use(problem: Problem) -> NDArray[np.int64]:
    """Known rows that a process may ever be fitted to: all, or the best and the last of many."""
    rows = problem.known.labelled
    if len(rows) <= 2 * _LABELS or problem.objective.limits:  # the best ones may break limits
        return rows
    best = np.argsort(-problem.known.performance[rows], kind="stable")[:_LABELS]
    return np.union1d(rows[best], rows[-_LABELS:])
