"""REINFORCE: a controller is trained to propose what was answered well (Williams 1992).

The controller has one softmax for each decision, as in the benchmarks: Xuanyi Dong, Yi Yang:
NAS-Bench-201, ICLR 2020, section 4; Chris Ying et al.: NAS-Bench-101, ICML 2019. In place of the
recurrent network of Hieu Pham et al.: Efficient neural architecture search via parameter sharing,
ICML 2018, section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.search.base import Candidate, Trial
from ngae.search.config import ReinforceConfig
from ngae.search.controller import Controller, Decision
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, best_known, taken

_STREAM = 0x7265696E
_FIRST_DECAY, _SECOND_DECAY, _TINY = 0.9, 0.999, 1e-8


class ReinforceSearch:
    """Asks for draws of a controller that learns from the answers.

    Draws that are not in the space, known or repeated are rejected; after 200 of them a uniform
    draw is asked, from which nothing is learned. An answer that is of no use counts as the worst
    of use so far. Of the known rows only the baseline and the spread are learned: the controller
    did not draw them.

    Args:
        problem: What is looked for.
        seed: Seed of the draws.
        config: Settings.

    Attributes:
        controller: The distribution that is drawn from.
    """

    def __init__(
        self, problem: Problem, seed: int = 0, config: ReinforceConfig | None = None
    ) -> None:
        self.problem = problem
        self.config = config or ReinforceConfig()
        self.controller = Controller(problem.space)
        self._proposals = Proposals(problem, seed, _STREAM)
        self._decisions: dict[Dag, list[Decision]] = {}
        self._rewards = [value for _, value in best_known(problem, len(problem.known) or 1)]
        self._baseline = float(np.mean(self._rewards)) if self._rewards else None
        self._adam = _Adam(len(self.controller.logits), self.config.learning_rate)

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures; fewer where the space has few left."""
        drawn: dict[Dag, list[Decision]] = {}
        found = taken(count, lambda: self._proposals.made(lambda: self._draw(drawn)))
        self._decisions |= {c.dag: drawn[c.dag] for c in found if c.dag in drawn}
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        """Climb the expected reward by one step of Adam for each answer."""
        scores = [self.problem.objective.score(trial.answer) for trial in trials]
        self._rewards += [score for score in scores if np.isfinite(score)]
        if not self._rewards:
            return
        worst, spread = min(self._rewards), float(np.std(self._rewards)) or 1.0
        for trial, score in zip(trials, scores, strict=True):
            reward = score if np.isfinite(score) else worst
            advantage = (reward - self._moved_baseline(reward)) / spread
            decisions = self._decisions.pop(trial.dag, None)
            if decisions is not None:
                weight = self.config.entropy_weight
                gradient = self.controller.gradient(decisions, advantage, weight)
                self._adam.climb(self.controller.logits, gradient)

    def _draw(self, drawn: dict[Dag, list[Decision]]) -> Dag | None:
        dag, decisions = self.controller.draw(self._proposals.rng)
        if dag is not None:
            drawn[dag] = decisions
        return dag

    def _moved_baseline(self, reward: float) -> float:
        """Return the baseline before `reward`, and let it follow."""
        before = reward if self._baseline is None else self._baseline
        momentum = self.config.baseline_momentum
        self._baseline = momentum * before + (1 - momentum) * reward
        return before


class _Adam:
    """Adam (Kingma and Ba 2015), uphill."""

    def __init__(self, size: int, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.first, self.second, self.steps = np.zeros(size), np.zeros(size), 0

    def climb(self, values: NDArray[np.float64], gradient: NDArray[np.float64]) -> None:
        """Change `values` in place."""
        self.steps += 1
        self.first += (1 - _FIRST_DECAY) * (gradient - self.first)
        self.second += (1 - _SECOND_DECAY) * (gradient**2 - self.second)
        first = self.first / (1 - _FIRST_DECAY**self.steps)
        second = self.second / (1 - _SECOND_DECAY**self.steps)
        values += self.learning_rate * first / (np.sqrt(second) + _TINY)
