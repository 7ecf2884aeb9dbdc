"""What a user's program may say of an architecture, read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from ngae.errors import cut
from ngae.files import parse_json, repeated
from ngae.oracles.base import EvaluationError

_KEYS = ("performance", "complexity", "detail")


class Output(NamedTuple):
    """What a program said.

    Attributes:
        performance: Finite; higher is better.
        complexity: Finite numbers by name; lower is better.
        detail: Finite numbers by name, which are reported.
    """

    performance: float
    complexity: Mapping[str, float]
    detail: Mapping[str, float]


def parse_output(line: str) -> Output:
    """Read `0.93`, or `{"performance": 0.93, "complexity": {"ms": 1.5}, "detail": {"test": 0.9}}`.

    Args:
        line: The last line of stdout that is not empty.

    Raises:
        EvaluationError: It is neither; an object has other keys, or one of them twice; or a number
            is none or not finite.
    """
    if not line:
        raise EvaluationError("expected an answer in the last line of stdout, found nothing")
    try:
        value = parse_json(line, parse_constant=_not_finite, object_pairs_hook=_each_once)
    except ValueError as error:
        raise _expected("a number or an object in JSON", line) from error
    if not isinstance(value, dict):
        return Output(_number("performance", value), {}, {})
    unknown = [key for key in value if key not in _KEYS]
    if unknown:
        raise _expected(f"keys from {', '.join(_KEYS)}", unknown[0])
    if "performance" not in value:
        raise _expected("the key performance", line)
    parts = {part: _numbers(part, value.get(part, {})) for part in _KEYS[1:]}
    return Output(_number("performance", value["performance"]), **parts)


def _numbers(part: str, value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _expected(f"numbers by name in {part}", value)
    return {name: _number(f"{part}: {name}", number) for name, number in value.items()}


def _number(place: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _expected(f"a number as {place}", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _expected(f"a finite number as {place}", value)
    return number


def _not_finite(text: str) -> NoReturn:
    raise _expected("finite numbers", text)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _expected("each key once", repeated([name for name, _ in pairs]))
    return found


def _expected(expected: str, found: object) -> EvaluationError:
    text = found if isinstance(found, str) else repr(found)
    return EvaluationError(f"answer: expected {expected}, found {cut(text, 80)}")
