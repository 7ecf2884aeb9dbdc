"""What a search found: all trials, the best one, the Pareto front."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from ngae.search.base import Trial
from ngae.search.pareto import non_dominated
from ngae.search.problem import Objective
from ngae.search.result_table import result_table


@dataclass(frozen=True)
class Seconds:
    """Where the time of a search went, in this process.

    Attributes:
        model: For proposals and learning from answers.
        oracle: For answers.
    """

    model: float = 0.0
    oracle: float = 0.0


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: In the order of asking; at least one.
        objective: What is better.
        seconds: Where the time went.
    """

    trials: tuple[Trial, ...]
    objective: Objective
    seconds: Seconds = Seconds()

    @property
    def answered(self) -> tuple[Trial, ...]:
        """The trials with a performance."""
        return tuple(trial for trial in self.trials if trial.answer.ok)

    @property
    def useful(self) -> tuple[Trial, ...]:
        """The trials with a performance that keep the limits."""
        return tuple(trial for trial in self.trials if self.objective.counts(trial.answer))

    @property
    def best(self) -> Trial:
        """The trial with the highest performance, of equal ones the first.

        Where none keeps the limits, the best that does not; where all failed, a failed one.
        """
        return max(
            self.trials,
            key=lambda t: (self.objective.counts(t.answer), t.answer.ok, t.answer.performance),
        )

    @property
    def objectives(self) -> str:
        """What the Pareto front is one of, in words."""
        down = self._down
        missing = [name for name in self.objective.down if name not in down]
        text = ", ".join(["performance up", *(f"{name} down" for name in down)])
        return text + "".join(f"; the oracle did not tell {name} of all" for name in missing)

    @property
    def pareto(self) -> tuple[Trial, ...]:
        """The useful trials that no other one beats, by ascending (last) complexity.

        A complexity that an answer lacks is left out.
        """
        trials = self.useful
        objective = Objective(self._down, self.objective.limits)
        values = objective.values([trial.answer for trial in trials])
        if values.shape[1] == 1:
            return (self.best,) if trials else ()
        return tuple(trials[i] for i in non_dominated(values))

    @property
    def _down(self) -> tuple[str, ...]:
        """The complexities that every useful answer tells."""
        answers = [trial.answer for trial in self.useful]
        values = self.objective.values(answers)[:, 1:]
        return tuple(
            name
            for column, name in enumerate(self.objective.down)
            if not np.isnan(values[:, column]).any()
        )

    def _repr_html_(self) -> str:
        return result_table(self)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they stand in `result.json`."""
        best = self.best if self.useful else None
        return {
            "queries": len(self.trials),
            "failed": len(self.trials) - len(self.answered),
            "beyond_limits": len(self.answered) - len(self.useful),
            "best": None if best is None else best.as_dict(),
            "seconds": dataclasses.asdict(self.seconds),
            "objectives": self.objectives,
            "pareto": [trial.as_dict() for trial in self.pareto],
        }
