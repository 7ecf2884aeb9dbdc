"""`Judge`: the oracle where no other one speaks the table's language: a regressor fitted to it.

It knows types and edges by place, nothing of any latent space, and answers in the table's units.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import Dataset, Table
from ngae.errors import MissingExtraError
from ngae.evaluate.metrics import regression
from ngae.oracles.base import Answer, complexity_of
from ngae.search.features import places
from ngae.spaces.base import SearchSpace

# On ENAS-6 these reach RMSE / std .175 on test rows; fewer rounds or smaller trees do worse.
_SETTINGS = {"max_iter": 1000, "learning_rate": 0.1, "max_leaf_nodes": 15}

Array = NDArray[np.float64]


class Judge:
    """Answers with what boosted trees predict that were fitted to a table's rows.

    Args:
        table: Rows of known performance; others are left out.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """

    name = "regressor"

    def __init__(self, table: Table) -> None:
        self.space: SearchSpace = table.space
        self.queries = 0
        self._source = f"{table.name}, {table.performance_name}, {table.fingerprint}"
        rows = table.labelled
        inputs = places(table.dags.take(rows), table.space)
        self._columns = np.flatnonzero(np.ptp(inputs, axis=0) > 0)
        self._trees = _trees().fit(inputs[:, self._columns], table.performance[rows])

    @property
    def identity(self) -> str:
        """The table that it was fitted to, and how."""
        return f"boosted trees {_SETTINGS} of {self._source}"

    def predict(self, dags: Dags) -> Array:
        """Predict performances, float64 (len(dags),)."""
        found: Array = self._trees.predict(places(dags, self.space)[:, self._columns])
        return found

    def query(self, dag: Dag) -> Answer:
        """Predict for `dag`; its complexities are exact.

        Raises:
            GraphError: It is not in the space.
        """
        self.space.check(dag)
        self.queries += 1
        started = time.perf_counter()
        performance = float(self.predict(Dags.of([dag], self.space))[0])
        complexity = complexity_of(self.space, dag)
        return Answer(performance, complexity, time.perf_counter() - started)


def quality(data: Dataset) -> dict[str, float]:
    """Tell how well such a judge does on test rows when it is fitted to the training rows alone.

    Returns:
        `rmse`, `rmse_normalised`, `pearson_r`, `kendall_tau`.
    """
    train, test = data.train, data.test.labelled
    predicted = Judge(train).predict(data.test.dags.take(test))
    std = float(train.performance[train.labelled].std()) or 1.0
    return regression(predicted, data.test.performance[test], std)


def _trees() -> Any:
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "ml", "ngae reproduce") from error
    return HistGradientBoostingRegressor(early_stopping=False, random_state=0, **_SETTINGS)
