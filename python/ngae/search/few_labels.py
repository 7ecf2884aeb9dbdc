"""Ranks architectures from few labels: the Gaussian process of the searches, on its own.

Needs no training run; where there is one, even without labels, its latent point is a feature, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import Table
from ngae.errors import UsageError
from ngae.evaluate.metrics import kendall_tau, pearson_r
from ngae.search.base import LatentModel
from ngae.search.description import Describer, LatentDescriber, value_kernel
from ngae.search.gaussian_process import Array, GaussianProcess, Groups
from ngae.search.judging import ranks_of
from ngae.spaces.base import SearchSpace

_LEARNED_FROM = 500  # most labels that lengths are looked for by; more take cubically longer
_AT_ONCE = 4096  # architectures that are predicted together
_STREAM = 0x66657700


class FewLabelPredictor:
    """Says how architectures rank, after tens to a few thousand labels.

    A Gaussian process on features that can be computed without asking anyone (`graph_features`)
    and, with a model, on the encoder's posterior mean (`value_kernel`);
    targets are ranks. The features see all architectures as they are: nothing but the labels given
    is learned from.

    Args:
        space: The space of the architectures.
        model: A trained model of that space; by default there is none.
    """

    def __init__(self, space: SearchSpace, model: LatentModel | None = None) -> None:
        self.space = space
        self._describe = Describer(space) if model is None else LatentDescriber(model, space)
        self._process: GaussianProcess | None = None

    def fit(self, dags: Sequence[Dag], performance: Array) -> FewLabelPredictor:
        """Learn from labels, in place of those before.

        Args:
            dags: Architectures of the space, at least two.
            performance: (len(dags),) finite; higher is better.

        Returns:
            This object.

        Raises:
            UsageError: Fewer than two labels, another number of them, or one that is not finite.
        """
        values = np.asarray(performance, dtype=np.float64)
        if len(dags) < 2 or values.shape != (len(dags),) or not np.isfinite(values).all():
            raise UsageError(
                "FewLabelPredictor.fit: expected two or more architectures with a finite "
                f"performance each, found {len(dags)} and {values.shape}"
            )
        self._process = fitted(self._groups(dags), ranks_of(values))
        return self

    def predict(self, dags: Sequence[Dag]) -> tuple[Array, Array]:
        """Predict ranks: 0 is the worst of the labels, 1 the best.

        Args:
            dags: Architectures of the space.

        Returns:
            float64 (len(dags),) mean and standard deviation.

        Raises:
            UsageError: Nothing was learned yet.
        """
        if self._process is None:
            raise UsageError(
                "FewLabelPredictor.predict: expected labels, found none", remedy="call fit first"
            )
        parts = [np.zeros((2, 0))]
        for start in range(0, len(dags), _AT_ONCE):
            groups = self._groups(dags[start : start + _AT_ONCE])
            parts.append(np.stack(self._process.predict(groups)))
        mean, deviation = np.concatenate(parts, axis=1)
        return mean, deviation

    def _groups(self, dags: Sequence[Dag]) -> Groups:
        groups = self._describe(list(dags), Dags.of(dags, self.space).hashes())
        if not all(np.isfinite(group).all() for group in groups.values()):
            raise UsageError(
                "FewLabelPredictor: expected architectures that can be described, found one of "
                "too many paths"
            )
        return groups


def fitted(groups: Groups, ranks: Array) -> GaussianProcess:
    """Fit a process; of many labels, lengths are looked for by some spread over the order."""
    kernel = value_kernel(groups)
    if len(ranks) <= _LEARNED_FROM:
        return GaussianProcess.fit(kernel, groups, ranks)
    order = np.argsort(ranks, kind="stable")
    some = order[np.linspace(0, len(order) - 1, _LEARNED_FROM).astype(np.int64)]
    few = {name: group[some] for name, group in groups.items()}
    logs = GaussianProcess.fit(kernel, few, ranks[some]).logs
    return GaussianProcess.fit(kernel, groups, ranks, start=logs, learn=False)


def measured(
    table: Table,
    counts: Sequence[int],
    repeats: int,
    model: LatentModel | None = None,
    seed: int = 0,
    on_fit: Callable[[], object] | None = None,
) -> dict[str, dict[str, float]]:
    """Measure how well few labels rank all other rows.

    Args:
        table: Architectures; rows without a performance are left out.
        counts: Numbers of labels.
        repeats: Draws of the labels for each number.
        model: As for `FewLabelPredictor`.
        seed: Of the draws.
        on_fit: Called after each fit.

    Returns:
        By number of labels: `kendall_tau` (mean over the draws), `std` (of a sample; 0 for one
        draw), `pearson_r` (mean; a predicted rank stands for the performance that the labels have
        there), `repeats`, `tested` (rows that the order is tested on).

    Raises:
        UsageError: A number of labels below 2, or with fewer than two rows left to test on.
    """
    rows = table.labelled
    for count in counts:
        if not 2 <= count <= len(rows) - 2:
            raise UsageError(
                f"--labels: expected numbers from 2 to {max(2, len(rows) - 2)}, found {count}"
            )
    dags = list(table.dags.take(rows))
    performance = table.performance[rows]
    predictor = FewLabelPredictor(table.space, model)
    found = {}
    for count in counts:
        taus, correlations = [], []
        for repeat in range(repeats):
            order = np.random.default_rng([seed, _STREAM, count, repeat]).permutation(len(rows))
            tau, correlation = _judged(predictor, dags, performance, order[:count], order[count:])
            taus.append(tau)
            correlations.append(correlation)
            if on_fit is not None:
                on_fit()
        found[str(count)] = {
            "kendall_tau": float(np.mean(taus)),
            "std": float(np.std(taus, ddof=1)) if repeats > 1 else 0.0,
            "pearson_r": float(np.mean(correlations)),
            "repeats": float(repeats),
            "tested": float(len(rows) - count),
        }
    return found


def _judged(
    predictor: FewLabelPredictor,
    dags: list[Dag],
    performance: Array,
    learned: NDArray[np.int64],
    tested: NDArray[np.int64],
) -> tuple[float, float]:
    """Kendall tau and Pearson r of what is predicted for the rows `tested`."""
    predictor.fit([dags[row] for row in learned], performance[learned])
    mean, _ = predictor.predict([dags[row] for row in tested])
    values = np.quantile(performance[learned], mean.clip(0, 1))
    return kendall_tau(mean, performance[tested]), pearson_r(values, performance[tested])
