"""Answers of a trained model about points of its latent space, as plain values for JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.api import NGAE
from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import NgaeError, RefusedError
from ngae.explore.asked import Ascent, BadRequestError, Interpolation
from ngae.explore.one_thread import OneThread
from ngae.files import finite
from ngae.report.files import Rows
from ngae.report.graphs import codes_of
from ngae.report.payload import plane_of, table_payload
from ngae.search.config import GradientConfig
from ngae.transfer import transfer

Array = NDArray[np.float64]
_KEPT = 11  # points of an ascent that are decoded
_UNKNOWN: dict[str, Any] = {"predicted": None, "predicted_complexity": {}}


class _Decoded(NamedTuple):
    """What the model says of latent points.

    Attributes:
        points: (num_points, latent_dim).
        dags: What they decode to.
        predicted: What is predicted at each of them.
        encoded: The same at the encodings of those that are valid.
    """

    points: Array
    dags: list[Dag]
    predicted: list[dict[str, Any]]
    encoded: list[dict[str, Any]]


class Explorer:
    """One trained model with the table that it has learned from; one request at a time.

    Args:
        run: The finished run.
        means: (num_rows, latent_dim) encodings of its table, the training rows first.
        points: Most rows on the map.

    Raises:
        RefusedError: As many encodings as rows are expected.
    """

    def __init__(self, run: NGAE, means: Array, points: int) -> None:
        self.run, self.points = run, points
        self.model, self.space = run.model, run.data.space
        self._alone = OneThread()
        self.rows = self._rows(means)
        self.plane = plane_of(self.rows)
        self._row_of = {digest: row for row, digest in reversed(list(enumerate(self._hashes)))}

    @property
    def width(self) -> int:
        """Size of the latent space."""
        return int(self.rows.mean.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """The table's complexities."""
        return self.run.data.table.complexity_names

    @cached_property
    def overview(self) -> dict[str, Any]:
        """What the page needs at the start: the map, names, what can be asked."""
        table = self.run.data.table
        payload = {
            "names": {
                "performance": table.performance_name or "performance",
                "complexity": list(self.names),
                "types": list(self.space.node_type_names),
                "space": self.space.name,
            },
            "shares": self.plane.shares.tolist(),
            "table": table_payload(self.rows, self.plane, self.points),
            "can_search": self.model.performance is not None,
            "can_weigh": self.model.complexity is not None,
        }
        settled: dict[str, Any] = finite(payload)
        return settled

    def at_place(self, place: Array) -> dict[str, Any]:
        """Decode the point of the plane at `place` (2,)."""
        return self._answers(self.plane.lift(place)[None])[0]

    def at_row(self, row: int) -> dict[str, Any]:
        """Decode where a row of the table is, exactly.

        Raises:
            BadRequestError: There is no such row.
        """
        if not 0 <= row < len(self.rows):
            raise BadRequestError(f"row: expected 0 to {len(self.rows) - 1}, found {row}")
        return self._answers(self.rows.mean[row][None])[0]

    def between(self, asked: Interpolation) -> list[dict[str, Any]]:
        """Decode points on the straight line between two latent points, both ends among them."""
        share = np.linspace(0, 1, asked.count)[:, None]
        return self._answers((1 - share) * asked.start + share * asked.end)

    def climb(self, asked: Ascent) -> list[dict[str, Any]]:
        """Climb predicted performance less weighed predicted complexity, both by their spread.

        Returns:
            Answers at the start, on the way and at the end.

        Raises:
            BadRequestError: The model has no predictor for it.
        """
        if self.model.performance is None or (asked.weight > 0 and self.model.complexity is None):
            raise BadRequestError("search: expected a model with predictors, found none", 409)
        performance, complexity = self._spreads
        weights = [0.0] * len(self.names)
        if asked.weight > 0:
            weights[asked.column] = -asked.weight / complexity[asked.column]
        keep = np.unique(np.linspace(0, asked.steps, _KEPT).astype(int)).tolist()

        def climbed() -> _Decoded:
            path = self.model.ascend(
                self._tensor(asked.start[None]),
                performance_weight=1 / performance,
                complexity_weights=weights,
                step_size=GradientConfig().step_size,
                keep=keep,
            )
            return self._decoded(path[:, 0].double().cpu().numpy())

        return self._told(self._alone.do(climbed))

    def _answers(self, points: Array) -> list[dict[str, Any]]:
        """Decode and predict at latent points, (num_points, latent_dim)."""
        return self._told(self._alone.do(lambda: self._decoded(points)))

    def _told(self, decoded: _Decoded) -> list[dict[str, Any]]:
        """Say what the model found, and what the table knows of it."""
        points, dags, there, encoded = decoded
        own = iter(encoded)
        places = self.plane.place(points)
        nearest = self._nearest(points)
        answers = [
            {
                "z": points[index].tolist(),
                "x": float(places[index, 0]),
                "y": float(places[index, 1]),
                **there[index],
                "encoded": _UNKNOWN if dag.space is None else next(own),
                **self._described(dag),
                "neighbour": self._neighbour(dag, points[index], nearest[index]),
            }
            for index, dag in enumerate(dags)
        ]
        settled: list[dict[str, Any]] = finite(answers)
        return settled

    def _decoded(self, points: Array) -> _Decoded:
        with torch.no_grad():
            z = self._tensor(points)
            dags = self.model.decode(z)
            valid = [dag for dag in dags if dag.space is not None]
            own = self.model.encode(valid).mean if valid else z[:0]
            predicted = self._predicted(torch.cat([z, own]))  # of each point by itself
            return _Decoded(points, dags, predicted[: len(z)], predicted[len(z) :])

    def _predicted(self, z: Tensor) -> list[dict[str, Any]]:
        """What the predictors say at each of `z` (num_points, latent_dim)."""
        prediction = self.model.predict(z)
        performance = _list(prediction.performance) or [None] * len(z)
        complexity = _list(prediction.complexity) or [()] * len(z)
        return [
            {"predicted": p, "predicted_complexity": dict(zip(self.names, c, strict=False))}
            for p, c in zip(performance, complexity, strict=True)
        ]

    def _described(self, dag: Dag) -> dict[str, Any]:
        """The architecture, its exact complexities, and its texts for others."""
        valid = dag.space is not None
        values = self.space.complexity([dag])[0].tolist() if valid else []
        return {
            "valid": valid,
            "graph": codes_of(Dags.of([dag]))[0],
            "hash": dag.canonical_hash,
            "architecture": self.space.format(dag) if valid else None,
            "complexity": dict(zip(self.space.complexity_names, values, strict=False)),
            "json": json.loads(dag.to_json()),
            "pytorch": _module(dag) if valid else None,
        }

    def _nearest(self, points: Array) -> list[int]:
        """The row nearest to each point: |m|^2 - 2 m p is least where |m - p| is."""
        products = self.rows.mean @ points.T  # (num_rows, num_points)
        rows: list[int] = (self._squares[:, None] - 2 * products).argmin(axis=0).tolist()
        return rows

    def _neighbour(self, dag: Dag, point: Array, nearest: int) -> dict[str, Any]:
        """The known row that is this architecture, else the nearest one in the latent space."""
        row = self._row_of.get(dag.canonical_hash)
        if row is None and dag.space is not None:
            row = self._row_of.get(self.space.canonical(dag).canonical_hash)
        same = row is not None
        row = nearest if row is None else row
        x, y = self.plane.place(self.rows.mean[row]).tolist()
        return {
            "row": row,
            "same": same,
            "distance": float(np.linalg.norm(self.rows.mean[row] - point)),
            "x": x,
            "y": y,
            "part": "training" if row < self.rows.num_train else "test",
            "performance": float(self.rows.performance[row]),
            "complexity": dict(zip(self.names, self.rows.complexity[row].tolist(), strict=True)),
            "graph": codes_of(self.rows.dags[row : row + 1])[0],
        }

    @cached_property
    def _spreads(self) -> tuple[float, Mapping[int, float]]:
        train = slice(0, self.rows.num_train)
        performance = float(np.nanstd(self.rows.performance[train])) or 1.0
        spreads = np.nanstd(self.rows.complexity[train], axis=0)
        return performance, {c: float(value) or 1.0 for c, value in enumerate(spreads)}

    @cached_property
    def _squares(self) -> Array:
        squares: Array = np.square(self.rows.mean).sum(axis=1)
        return squares

    @cached_property
    def _hashes(self) -> list[str]:
        return self.rows.dags.hashes()

    def _rows(self, means: Array) -> Rows:
        """The whole table with predictions, the training rows first."""
        parts = (self.run.data.train, self.run.data.test)
        dags = Dags.joined([part.dags for part in parts])
        if means.shape != (len(dags), self.model.config.latent_dim):
            raise RefusedError(
                f"latents.npz: expected {len(dags)} rows of {self.model.config.latent_dim} "
                f"numbers, found {means.shape}",
                remedy="train again: the table or the run has changed",
            )
        with torch.no_grad():
            prediction = self.model.predict(self._tensor(means))
        return Rows(
            mean=means,
            performance=np.concatenate([part.performance for part in parts]),
            complexity=np.concatenate([part.complexity for part in parts]),
            num_train=len(parts[0]),
            predicted_performance=_numbers(prediction.performance),
            predicted_complexity=_numbers(prediction.complexity),
            dags=dags,
            ascents=None,
        )

    def _tensor(self, points: Array) -> Tensor:
        (z,) = transfer([torch.from_numpy(points.astype(np.float32))], self.model.device)
        return z


def _module(dag: Dag) -> str | None:
    try:
        return dag.to_source()
    except (NgaeError, NotImplementedError):
        return None


def _list(tensor: Tensor | None) -> list[Any] | None:
    return None if tensor is None else tensor.double().cpu().tolist()


def _numbers(tensor: Tensor | None) -> Array | None:
    return None if tensor is None else tensor.double().cpu().numpy()
