"""What a user says of evaluations, as answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ngae.dag import Dag
from ngae.errors import GraphError, UsageError
from ngae.oracles.base import Answer, complexity_of
from ngae.search.history import Told
from ngae.spaces.base import SearchSpace


def spread(name: str, value: Any, count: int | None) -> list[Any]:
    """Return a value for each architecture; one for all where `value` is no list.

    Raises:
        UsageError: Another number of values than architectures, or one value for many.
    """
    value = value.tolist() if hasattr(value, "tolist") else value  # an array
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if count is None:
        if is_list:
            raise UsageError(f"tell: {name}: expected one value, found a list of {len(value)}")
        return [value]
    if not is_list and (value is None or value in ("", 0.0)):
        return [value] * count
    if not is_list or len(value) != count:
        found = f"{len(value)}" if is_list else repr(value)
        raise UsageError(f"tell: {name}: expected a list of {count} values, found {found}")
    return list(value)


def told_of(
    space: SearchSpace,
    architecture: Dag | str,
    performance: float | None,
    complexity: Mapping[str, float] | None,
    detail: Mapping[str, float] | None,
    cost_s: float,
    error: str,
) -> Told:
    """Make an answer of what a user says; complexities that are not said are the space's.

    Raises:
        GraphError: The architecture is not in the space.
        UsageError: Neither a performance nor an error, or both; no architecture.
    """
    dag = space.parse(architecture) if isinstance(architecture, str) else architecture
    if not isinstance(dag, Dag):
        raise UsageError(f"tell: expected an architecture, found {type(dag).__name__}")
    try:
        space.check(dag)
    except GraphError as fault:
        raise GraphError(f"tell: expected an architecture of {space.name}: {fault}") from fault
    if (performance is None) == (not error):
        found = "both" if error else "neither"
        raise UsageError(f"tell: {space.format(dag)}: expected performance or error, found {found}")
    told = {**complexity_of(space, dag), **_numbers("complexity", complexity)}
    reported = _numbers("detail", detail)
    if performance is None:
        return dag, Answer.failed(error, told, float(cost_s), reported)
    (value,) = _numbers("tell", {"performance": performance}).values()
    return dag, Answer(value, told, float(cost_s), reported)


def _numbers(place: str, values: Mapping[str, float] | None) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in (values or {}).items()}
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UsageError(f"tell: {place}: expected numbers by name, found {values!r}") from error
