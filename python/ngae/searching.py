"""The search as a user of Python handles it: run with an oracle, or ask and tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ngae.api import NGAE
from ngae.dag import Dag
from ngae.data import DataConfig, Dataset, Table
from ngae.errors import UsageError
from ngae.oracles.base import Oracle, identity_of
from ngae.search import SearchConfig, SearchFolder, SearchResult, run_search
from ngae.search.base import Strategy
from ngae.search.config import search_configs
from ngae.search.history import Start
from ngae.search.problem import Problem
from ngae.search.registry import strategy_named
from ngae.search.run import problem_of, starting_rows
from ngae.search.session import Session
from ngae.search.telling import spread, told_of
from ngae.settings import as_dict
from ngae.spaces.base import SearchSpace


class Search:
    """A search: with an oracle by `run`, or by `ask` and `tell` where the user evaluates.

    Args:
        model: A trained model, or the run folder of one (where its space is code, what
            `NGAE.load(folder, space=...)` gives). Strategies that need no model take a
            space, or a data set as well; its rows of known performance are known labels.
        history: What was evaluated already: a table of the same space, or its file, which may be
            the trials or the ledger of another search. Where the data hold an architecture of it,
            too, the history counts.
        folder: Where answers, trials and results are kept; nothing is written by default. A search
            of the same settings that ended there, by a kill or otherwise, goes on.
        settings: Fields of `SearchConfig`, such as `seed=1`, and of the strategy's own settings,
            such as `weight=0.3` of `gradient`; see docs/search.md.

    Raises:
        UsageError: An unknown setting, or a value of the wrong kind.
        DataError: A history that is not what it should be; names file, line, column.
    """

    def __init__(
        self,
        model: NGAE | Dataset | SearchSpace | str | Path,
        *,
        history: Table | str | Path | None = None,
        folder: str | Path | None = None,
        **settings: Any,
    ) -> None:
        given = NGAE.load(model) if isinstance(model, str | Path) else model
        self.model = given if isinstance(given, NGAE) else None
        self.data = given.data if isinstance(given, NGAE) else given
        self.config, self.own = search_configs(settings, "Search")
        self.history, self.folder = history, folder
        self._session: Session | None = None

    @property
    def pending(self) -> tuple[Dag, ...]:
        """What was asked and not told yet, by this process or one before it."""
        return self._asking.pending

    @property
    def queries(self) -> int:
        """Architectures asked so far, those in `pending` as well."""
        return self._asking.queries

    def ask(self, count: int = 1) -> list[Dag]:
        """Propose architectures to evaluate; none is ever proposed twice, whether told or not.

        Args:
            count: How many.

        Returns:
            Fewer where answers have to come first, or the space has few left.

        Raises:
            UsageError: The strategy needs a model, and there is none.
        """
        return self._asking.ask(count)

    def tell(
        self,
        architecture: Dag | str | Sequence[Dag | str],
        performance: float | Sequence[float | None] | None = None,
        complexity: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
        *,
        error: str | Sequence[str] = "",
        detail: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
        cost_s: float | Sequence[float] = 0.0,
    ) -> None:
        """Learn what evaluations said. What was not asked becomes a known label, and no query.

        Args:
            architecture: One, as a `Dag` or in the space's text form, or several; then the others
                are as many.
            performance: Higher is better; none where the evaluation failed.
            complexity: Numbers by name; those that the space computes may be left out.
            error: Why the evaluation failed.
            detail: What is reported and never guides, such as test accuracy.
            cost_s: Seconds that it took.

        Raises:
            UsageError: An architecture that was told already, a number that is not finite, neither
                a performance nor an error; nothing is learned then.
            GraphError: An architecture that is not in the space.
        """
        several = isinstance(architecture, Sequence) and not isinstance(architecture, str)
        count = len(architecture) if several else None
        columns = [
            spread(name, value, count)
            for name, value in (
                ("architecture", architecture), ("performance", performance),
                ("complexity", complexity), ("detail", detail), ("cost_s", cost_s),
                ("error", error),
            )
        ]  # fmt: skip
        told = [told_of(self._space, *row) for row in zip(*columns, strict=True)]
        self._asking.tell(told)

    def result(self) -> SearchResult:
        """Return the trials so far, the best one and the Pareto front.

        Raises:
            UsageError: Nothing that was asked was told yet.
        """
        return self._asking.result

    def save(self, path: str | Path | None = None) -> Path:
        """Write what was found to the folder; a search in memory goes on in `path` from here.

        Raises:
            UsageError: No folder, or another one than the search is in.
            RefusedError: The folder holds another search.
        """
        return self._asking.save(path)

    def close(self) -> None:
        """Let go of the folder; another `Search` of the same settings goes on."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def run(self, budget: int, oracle: Oracle) -> SearchResult:
        """Spend `budget` queries of `oracle`.

        Args:
            budget: Architectures to ask about.
            oracle: Who answers.

        Returns:
            The trials, the best one and the Pareto front.

        Raises:
            UsageError: The search was asked already.
        """
        if self._session is not None:
            raise UsageError(
                "Search.run: expected a search that was not asked or told yet, found one that was",
                remedy="make another Search, with what was told as its history",
            )
        config = dataclasses.replace(self.config, budget=budget)
        start = self._start(oracle)
        problem = problem_of(start.known, oracle, config, start.failed)
        strategy = self._strategy(problem, config)
        settings = self._settings(start, config, identity_of(oracle))
        folder = None if self.folder is None else SearchFolder(self.folder, settings)
        return run_search(strategy, oracle, problem, config, folder)

    @property
    def _space(self) -> SearchSpace:
        return self.data.space if isinstance(self.data, Dataset) else self.data

    @property
    def _asking(self) -> Session:
        if self._session is None:
            start = self._start(None)
            problem = problem_of(start.known, None, self.config, start.failed)
            settings = self._settings(start, self.config, "told")
            self._session = Session(problem, self._strategy, settings, self.folder)
        return self._session

    def _start(self, oracle: Oracle | None) -> Start:
        data = self.data
        rows = starting_rows(data, oracle) if isinstance(data, Dataset) else Table.empty(data)
        if self.history is None:
            return Start(rows)
        if isinstance(self.history, Table):
            return Start(rows).with_table(self.history)
        config = data.config if isinstance(data, Dataset) else DataConfig()
        return Start(rows).with_history(str(self.history), config)

    def _strategy(self, problem: Problem, config: SearchConfig | None = None) -> Strategy:
        model = None if self.model is None else self.model.model
        return strategy_named(config or self.config, problem, self.own, model)

    def _settings(self, start: Start, config: SearchConfig, oracle: str) -> dict[str, Any]:
        return {
            "search": as_dict(config),
            config.strategy: as_dict(self.own),
            "oracle": {"identity": oracle},
            "known": start.as_dict(),
        }
