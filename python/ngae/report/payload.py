"""The numbers that a page draws, as plain values for JSON; arrays are base64 of float32.

Which rows are on the map is settled here: all of a table that is small enough, else the Pareto
front, the best, and others at random.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import cut
from ngae.files import finite
from ngae.report.files import FoundBySearch, Rows, RunFiles
from ngae.report.graphs import codes_of, mean_code_length
from ngae.report.projection import Plane
from ngae.search.pareto import non_dominated

_LETTERS = 2_200_000  # of all rows in a page, which has to stay below 3 MB
_TRIAL_LETTERS = 500_000  # of all queries in a page
_EPOCHS = 500  # most points of a curve
_SEARCHES = 8  # most searches that are drawn, the last ones
_BEST = 0.1  # share of the drawn rows that is for the best ones


def packed(values: NDArray[Any]) -> dict[str, str]:
    """Pack numbers as `{"f32": base64}`, little-endian."""
    content = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return {"f32": base64.b64encode(content).decode("ascii")}


def shown_rows(rows: Rows, limit: int) -> NDArray[np.int64]:
    """Choose the rows of the map, ascending: all, or the front, the best, and a random rest."""
    letters = 11 * (5 + 2 * rows.complexity.shape[1]) // 2 + mean_code_length(rows.dags)
    limit = max(1, min(limit, int(_LETTERS / letters)))
    if len(rows) <= limit:
        return np.arange(len(rows))
    order = np.argsort(-np.nan_to_num(rows.performance, nan=-np.inf), kind="stable")
    first = [front_of(rows, column) for column in range(rows.complexity.shape[1])]
    chosen = np.concatenate([*first, order[: max(1, int(_BEST * limit))]])
    rest = np.setdiff1d(np.arange(len(rows)), chosen)
    rest = np.random.default_rng(0).permutation(rest)
    unique: NDArray[np.int64] = np.array(list(dict.fromkeys(chosen.tolist()))[:limit], np.int64)
    return np.sort(np.concatenate([unique, rest[: limit - len(unique)]]))


def front_of(rows: Rows, column: int) -> NDArray[np.int64]:
    """Rows that no other beats in performance and the complexity `column`, by ascending cost."""
    return non_dominated(np.stack([rows.performance, -rows.complexity[:, column]], axis=1))


def plane_of(rows: Rows) -> Plane:
    """The plane of the training rows; to the right and up the performance rises."""
    train = slice(0, rows.num_train)
    return Plane.fit(rows.mean[train], rows.performance[train])


def table_payload(rows: Rows, plane: Plane, limit: int) -> dict[str, Any]:
    """Everything that a page needs of the table.

    Args:
        rows: The table.
        plane: The plane of the map.
        limit: Most rows.
    """
    shown = shown_rows(rows, limit)
    place = plane.place(rows.mean[shown])
    predicted = rows.predicted_complexity
    columns = range(rows.complexity.shape[1])
    at = {int(row): index for index, row in enumerate(shown)}
    return {
        "total": len(rows),
        "train": int((shown < rows.num_train).sum()),
        "row": packed(shown),
        "x": packed(place[:, 0]),
        "y": packed(place[:, 1]),
        "performance": packed(rows.performance[shown]),
        "predicted": _optional(rows.predicted_performance, shown),
        "complexity": [packed(rows.complexity[shown, column]) for column in columns],
        "predicted_complexity": None
        if predicted is None
        else [packed(predicted[shown, column]) for column in columns],
        "graphs": codes_of(rows.dags.take(shown)),
        "fronts": [[at[row] for row in front_of(rows, c).tolist() if row in at] for c in columns],
    }


def names_of(run: RunFiles) -> dict[str, Any]:
    """What axes and labels say."""
    return {
        "performance": str(run.data.get("performance") or "performance"),
        "complexity": [str(name) for name in run.data.get("complexity") or ()],
        "types": list(run.node_types),
        "space": str(run.data.get("space")),
    }


def report_payload(run: RunFiles, limit: int) -> dict[str, Any]:
    """Everything that the report draws.

    Args:
        run: The files.
        limit: Most rows of the table.
    """
    plane = plane_of(run.rows)
    ascents, searches = run.rows.ascents, run.searches[-_SEARCHES:]
    letters = _TRIAL_LETTERS // max(1, len(searches))
    payload = {
        "names": names_of(run),
        "shares": plane.shares.tolist(),
        "table": table_payload(run.rows, plane, limit),
        "searches": [search_payload(search, plane, letters) for search in searches],
        "ascents": []
        if ascents is None
        else np.round(plane.place(ascents).transpose(1, 0, 2), 4).tolist(),
        "log": _curves(run),
    }
    settled: dict[str, Any] = finite(payload)
    return settled


def search_payload(
    search: FoundBySearch, plane: Plane, letters: int = _TRIAL_LETTERS
) -> dict[str, Any]:
    """What is drawn of one search: the best, its front, and of the others the first ones.

    Args:
        search: The search.
        plane: The plane of the map.
        letters: About how many letters of JSON its queries may take.
    """
    result = search.result
    front = {trial.get("number") for trial in result.get("pareto") or ()}
    best = (result.get("best") or {}).get("number")
    places, codes = plane.place(search.mean), codes_of(search.dags)
    trials = [
        {
            **_trial(trial),
            "x": round(float(x), 4),
            "y": round(float(y), 4),
            "graph": code,
            "front": trial["number"] in front,
            "best": trial["number"] == best,
        }
        for trial, (x, y), code in zip(search.trials, places, codes, strict=True)
    ]
    kept: list[dict[str, Any]] = []
    for trial in sorted(trials, key=lambda t: (not t["best"], not t["front"])):
        letters -= len(json.dumps(trial))
        if letters < 0 and kept:
            break
        kept.append(trial)
    return {
        "name": search.name,
        "queries": result.get("queries", len(search.trials)),
        "trials": sorted(kept, key=lambda trial: int(trial["number"])),
    }


def _trial(trial: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "number", "architecture", "performance", "complexity", "predicted_performance",
        "predicted_complexity", "status",
    )  # fmt: skip
    error = str(trial.get("error") or "")
    return {**{name: trial.get(name) for name in names}, "error": cut(error, 200)}


def _curves(run: RunFiles) -> dict[str, list[Any]]:
    """Series over the epochs, by name; `test_...` are measured on test rows."""
    some = np.unique(np.linspace(0, len(run.log) - 1, min(len(run.log), _EPOCHS)).astype(int))
    log = [run.log[number] for number in some.tolist()]
    series: dict[str, list[Any]] = {"epoch": [line.get("epoch") for line in log]}
    for name in ("objective", "nodes", "edges", "kl", "performance", "complexity"):
        series[name] = [line.get(name) for line in log]
    for name in ("reconstruction", "pearson_r"):
        series[f"test_{name}"] = [(line.get("test") or {}).get(name) for line in log]
    return {name: values for name, values in series.items() if any(v is not None for v in values)}


def _optional(values: NDArray[np.float64] | None, rows: NDArray[np.int64]) -> Any:
    return None if values is None else packed(values[rows])
