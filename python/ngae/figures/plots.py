"""Figures for papers and notebooks in one style, by matplotlib; extra `plot`.

Each function takes plain numbers and returns a `matplotlib.figure.Figure`, which
`figure.savefig(path)` writes. Nothing global is changed, and no window is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ngae.errors import MissingExtraError, UsageError
from ngae.report.colours import PAINTS, RAMP
from ngae.report.projection import Plane
from ngae.search.pareto import non_dominated

Values = NDArray[np.float64]

_COLOURS = [PAINTS[name].light for name in ("one", "two", "three")]
_SOFT, _RULE = PAINTS["soft"].light, PAINTS["rule"].light
_MORE = ["#7b4fb0", "#b0880a", "#b3336e"]  # for comparisons of more than three
_SIZE = (5.6, 3.8)  # inches


def learning_curves(log: Sequence[Mapping[str, Any]]) -> Any:
    """Draw the terms of the objective over epochs, on a logarithmic axis.

    Args:
        log: Lines of a run's `log.jsonl` as dictionaries.

    Returns:
        A figure: reconstruction (nodes and edges), KL divergence, squared errors.
    """
    _expect("learning_curves", "lines of a log", len(log))
    figure, axes = _axes("epoch", "mean over the training rows")
    epoch = [line["epoch"] for line in log]
    terms = {
        "reconstruction": [line["nodes"] + line["edges"] for line in log],
        "KL divergence": [line["kl"] for line in log],
        "performance, squared error": [line["performance"] for line in log],
        "complexity, squared error": [line["complexity"] for line in log],
    }
    for number, (name, values) in enumerate(terms.items()):
        if any(values):  # a term without a predictor is zero everywhere
            axes.plot(epoch, values, color=_colour(number), label=name)
    axes.set_yscale("log")
    axes.legend(frameon=False)
    return figure


def latent_map(points: ArrayLike, values: ArrayLike, name: str = "performance") -> Any:
    """Draw latent points on the plane of their first two principal components.

    Args:
        points: (num_points, latent_dim).
        values: (num_points,) that colour them; NaN where it is not known.
        name: Of the values.

    Returns:
        A figure; points without a value are grey.
    """
    z, shade = np.asarray(points, dtype=np.float64), np.asarray(values, dtype=np.float64)
    _expect("latent_map", "points", len(z))
    plane = Plane.fit(z, shade)
    x, y = plane.place(z).T
    titles = [
        f"{rank} component, {100 * share:.1f} % of the variance"
        for rank, share in zip(("first", "second"), plane.shares.tolist(), strict=True)
    ]
    figure, axes = _axes(*titles)
    known = ~np.isnan(shade)
    axes.scatter(x[~known], y[~known], s=6, color=_RULE, linewidths=0)
    order = np.flatnonzero(known)[np.argsort(shade[known], kind="stable")]  # the best on top
    drawn = axes.scatter(
        x[order], y[order], c=shade[order], s=6, cmap=_ramp(), linewidths=0
    )  # fmt: skip
    figure.colorbar(drawn, ax=axes, label=name)
    return figure


def predicted_against_true(true: ArrayLike, predicted: ArrayLike, name: str = "performance") -> Any:
    """Draw predictions over true values, the line of least squares, and predicted = true.

    Args:
        true: (num_rows,).
        predicted: (num_rows,).
        name: Of what is predicted.

    Returns:
        A figure.
    """
    x, y = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    _expect("predicted_against_true", "rows", len(x))
    figure, axes = _axes(f"true {name}", f"predicted {name}")
    axes.scatter(x, y, s=12, alpha=0.75, color=_colour(0), linewidths=0)
    ends = np.array([x.min(), x.max()])
    if ends[0] < ends[1]:
        slope, intercept = np.polyfit(x, y, 1)
        label = f"fit: {slope:.3f} true {intercept:+.3f}"
        axes.plot(ends, slope * ends + intercept, color=_colour(1), label=label)
    axes.plot(ends, ends, color=_SOFT, linestyle="--", label="predicted = true")
    axes.legend(frameon=False)
    return figure


def pareto_front(
    complexity: ArrayLike,
    performance: ArrayLike,
    names: tuple[str, str] = ("complexity", "performance"),
) -> Any:
    """Draw architectures by complexity and performance, and the front that no other one beats.

    Args:
        complexity: (num_architectures,), lower is better.
        performance: (num_architectures,), higher is better.
        names: Of both.

    Returns:
        A figure.
    """
    x = np.asarray(complexity, dtype=np.float64)
    y = np.asarray(performance, dtype=np.float64)
    _expect("pareto_front", "architectures", len(x))
    figure, axes = _axes(*names)
    axes.scatter(x, y, s=10, color=_SOFT, alpha=0.5, linewidths=0, label="all")
    front = np.array(non_dominated(np.stack([y, -x], axis=1)), dtype=np.int64)
    front = front[np.argsort(x[front], kind="stable")]
    axes.step(
        x[front], y[front], where="post", marker="o", markersize=4, color=_colour(0),
        label="Pareto front",
    )  # fmt: skip
    axes.legend(frameon=False)
    return figure


def regret_curves(regrets: Mapping[str, ArrayLike], *, log: bool = True) -> Any:
    """Draw mean regrets over queries with a band of one standard error each way.

    Args:
        regrets: By name of the search, (num_seeds, num_queries).
        log: Whether the vertical axis is logarithmic.

    Returns:
        A figure.
    """
    _expect("regret_curves", "searches", len(regrets))
    figure, axes = _axes("queries", "regret")
    for number, (name, found) in enumerate(regrets.items()):
        values = np.atleast_2d(np.asarray(found, dtype=np.float64))
        queries, mean = np.arange(1, values.shape[1] + 1), values.mean(axis=0)
        axes.plot(queries, mean, color=_colour(number), label=name)
        if len(values) > 1:
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            axes.fill_between(
                queries, mean - error, mean + error, color=_colour(number), alpha=0.18, linewidth=0
            )
    if log:
        axes.set_yscale("log", nonpositive="clip")
    axes.legend(frameon=False)
    return figure


def _axes(x_title: str, y_title: str) -> tuple[Any, Any]:
    """A figure with one pair of axes in the style of all."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "ngae.figures") from error
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_title)
    axes.set_ylabel(y_title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_SOFT)
    axes.tick_params(colors=_SOFT)
    axes.grid(color=_RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _ramp() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ngae", [PAINTS[name].light for name in RAMP])


def _colour(number: int) -> str:
    colours = [*_COLOURS, *_MORE]
    return colours[number % len(colours)]


def _expect(function: str, what: str, count: int) -> None:
    if not count:
        raise UsageError(f"{function}: expected {what}, found none")
