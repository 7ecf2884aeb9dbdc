"""A search's result as a table in HTML, each architecture with a small drawing, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ngae import drawing
from ngae.dag import Dag
from ngae.errors import UsageError
from ngae.search.base import Trial

if TYPE_CHECKING:
    from ngae.search.result import SearchResult

_MOST_ROWS = 20


def result_table(result: SearchResult) -> str:
    """Write the useful trials, the best first, with the Pareto front marked.

    Args:
        result: What a search found.

    Returns:
        HTML with a row for each of the best 20 trials and of the Pareto front; a summary above,
        a legend of the drawings below.
    """
    front = {trial.number for trial in result.pareto}
    ranked = sorted(result.useful, key=lambda t: (-t.answer.performance, t.number))
    rows = [t for place, t in enumerate(ranked) if place < _MOST_ROWS or t.number in front]
    names = list(dict.fromkeys(name for t in rows for name in t.answer.complexity))
    heads = ["", "trial", "performance", "predicted", *names, "Pareto"]
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(_row(trial, names, trial.number in front) for trial in rows)
    return (
        f"<div><p>{escape(_summary(result, len(rows)))}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{_legend(rows)}</div>"
    )


def _summary(result: SearchResult, shown: int) -> str:
    useful = len(result.useful)
    parts = [f"{len(result.trials)} queries, {useful} useful"]
    if useful:
        parts.append(f"best performance {result.best.answer.performance:.6g}")
        parts.append(f"{len(result.pareto)} on the Pareto front ({result.objectives})")
    if shown < useful:
        parts.append(f"{shown} are shown")
    return "; ".join(parts) + "."


def _row(trial: Trial, names: Sequence[str], in_front: bool) -> str:
    dag, answer = trial.dag, trial.answer
    predicted = trial.candidate.performance
    text = dag.space.format(dag) if dag.space is not None else dag.canonical_hash
    numbers = [
        str(trial.number),
        f"{answer.performance:.6g}",
        "" if predicted is None else f"{predicted:.6g}",
        *(_shown(answer.complexity[n]) if n in answer.complexity else "" for n in names),
        "yes" if in_front else "",
    ]
    cells = "".join(f'<td style="text-align:right">{number}</td>' for number in numbers)
    return f'<tr><td title="{escape(text)}">{_drawn(dag)}</td>{cells}</tr>'


def _drawn(dag: Dag) -> str:
    """A thumbnail; nothing where a graph is too large for one."""
    try:
        return dag.to_thumbnail()
    except UsageError:
        return ""


def _shown(value: float) -> str:
    """A complexity: whole numbers whole."""
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{value:,.0f}" if whole else f"{value:.6g}"


def _legend(rows: Sequence[Trial]) -> str:
    if not rows:
        return ""
    used = {label for trial in rows for label in trial.dag.node_labels}
    space = rows[0].dag.space
    known = space.node_type_names if space is not None else tuple(sorted(used))
    return f"<p>{drawing.legend_html(known, used)}</p>"
