"""What a page may ask: bodies of requests, checked value by value before any work is done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ngae.errors import NgaeError, shown
from ngae.files import parse_json

MOST_POINTS = 41  # decoded for one request
MOST_STEPS = 200  # of an ascent
_FARTHEST = 1e3  # of a coordinate: nothing lives there, and float32 is not overrun


class BadRequestError(NgaeError):
    """A request that is not what it should be.

    Args:
        message: Place, expected, found.
        status: The status of HTTP.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Points between two latent points.

    Attributes:
        start: (latent_dim,).
        end: (latent_dim,).
        count: How many, both ends among them.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    count: int


@dataclass(frozen=True, eq=False)
class Ascent:
    """A short search from a latent point.

    Attributes:
        start: (latent_dim,).
        weight: Of the complexity, each target in units of its spread.
        steps: Number of steps.
        column: Which complexity.
    """

    start: NDArray[np.float64]
    weight: float
    steps: int
    column: int


def parse(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        BadRequestError: It is none, or holds NaN or an infinity.
    """
    try:
        value = parse_json(body, parse_constant=_refuse)
    except ValueError as error:
        raise BadRequestError("body: expected a JSON object, found something else") from error
    if not isinstance(value, dict):
        raise BadRequestError(f"body: expected a JSON object, found {type(value).__name__}")
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def place_of(value: dict[str, Any]) -> NDArray[np.float64]:
    """Read a place on the map, (2,), of `x` and `y`."""
    only(value, "x", "y")
    return np.array([number(value, "x"), number(value, "y")])


def latent_of(value: dict[str, Any], name: str, width: int) -> NDArray[np.float64]:
    """Read a latent point, (width,)."""
    given = value.get(name)
    if not isinstance(given, list) or len(given) != width:
        found = f"{len(given)} values" if isinstance(given, list) else shown(given)
        raise BadRequestError(f"{name}: expected a list of {width} numbers, found {found}")
    return np.array([_finite(item, f"{name}[{i}]") for i, item in enumerate(given)])


def interpolation_of(value: dict[str, Any], width: int) -> Interpolation:
    """Read what lies between: `start`, `end`, `count`."""
    only(value, "start", "end", "count")
    ends = [latent_of(value, name, width) for name in ("start", "end")]
    return Interpolation(ends[0], ends[1], integer(value, "count", 2, MOST_POINTS))


def ascent_of(value: dict[str, Any], width: int, columns: int) -> Ascent:
    """Read a search: `start`, `weight`, `steps`, `column`."""
    only(value, "start", "weight", "steps", "column")
    weight = number(value, "weight")
    if weight < 0:
        raise BadRequestError(f"weight: expected a number from 0, found {weight:g}")
    return Ascent(
        latent_of(value, "start", width),
        weight,
        integer(value, "steps", 1, MOST_STEPS),
        integer(value, "column", 0, max(0, columns - 1)),
    )


def only(value: dict[str, Any], *names: str) -> None:
    """Raise where something else is given than `names`."""
    for name in value:
        if name not in names:
            raise BadRequestError(f"body: expected {', '.join(names)}, found {shown(name)}")


def number(value: dict[str, Any], name: str) -> float:
    """Read a number."""
    return _finite(value.get(name), name)


def integer(value: dict[str, Any], name: str, least: int, most: int) -> int:
    """Read an integer from `least` to `most`."""
    given = value.get(name)
    if type(given) is not int or not least <= given <= most:
        raise BadRequestError(
            f"{name}: expected an integer from {least} to {most}, found {shown(given)}"
        )
    return given


def _finite(given: Any, name: str) -> float:
    if type(given) not in (int, float) or not abs(given) <= _FARTHEST or math.isnan(given):
        raise BadRequestError(
            f"{name}: expected a number from {-_FARTHEST:g} to {_FARTHEST:g}, found {shown(given)}"
        )
    return float(given)
