"""What a search found: all trials, the best one, the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ngae.search.base import Trial
from ngae.search.pareto import pareto_front


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: In the order of asking; at least one.
        weighed: The complexity of the Pareto front, or None where there is none.
    """

    trials: tuple[Trial, ...]
    weighed: str | None

    @property
    def answered(self) -> tuple[Trial, ...]:
        """The trials with a performance."""
        return tuple(trial for trial in self.trials if trial.answer.ok)

    @property
    def best(self) -> Trial:
        """The trial with the highest performance, of equal ones the first; failed where all are."""
        return max(self.trials, key=lambda trial: (trial.answer.ok, trial.answer.performance))

    @property
    def objectives(self) -> str:
        """What the Pareto front is one of, in words."""
        if self.weighed is None:
            return "performance up"
        if not self._all_weighed:
            return f"performance up; the oracle told {self.weighed} of some only, or of none"
        return f"performance up, {self.weighed} down"

    @property
    def pareto(self) -> tuple[Trial, ...]:
        """The trials that no other one beats, by ascending complexity; no failed ones.

        Where an answer lacks the weighed complexity, the front is of the performance alone.
        """
        trials = self.answered
        if not trials:
            return ()
        if self.weighed is None or not self._all_weighed:
            return (self.best,)
        performance = np.array([trial.answer.performance for trial in trials])
        complexity = np.array([trial.answer.complexity[self.weighed] for trial in trials])
        return tuple(trials[i] for i in pareto_front(performance, complexity))

    @property
    def _all_weighed(self) -> bool:
        return all(self.weighed in trial.answer.complexity for trial in self.answered)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they stand in `result.json`."""
        best = self.best if self.answered else None
        return {
            "queries": len(self.trials),
            "failed": len(self.trials) - len(self.answered),
            "best": None if best is None else best.as_dict(),
            "objectives": self.objectives,
            "pareto": [trial.as_dict() for trial in self.pareto],
        }
