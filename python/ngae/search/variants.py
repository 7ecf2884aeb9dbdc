"""Strategies to compare, each perhaps with settings of its own: `ascent:weight=0;steps=1`."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from ngae.errors import UsageError
from ngae.search.config import SearchConfig, StrategyConfig
from ngae.settings import make

_BOOLS = {"true": True, "false": False}


@dataclass(frozen=True)
class Variant:
    """A strategy as it is compared.

    Attributes:
        label: The text that it was named by.
        strategy: Its name.
        own: Its settings.
    """

    label: str
    strategy: str
    own: StrategyConfig


def variants_of(text: str, own: Mapping[str, StrategyConfig]) -> list[Variant]:
    """Read strategies, joined by commas, as `name` or `name:field=value;field=value`; each once.

    Args:
        text: The strategies.
        own: Settings of each strategy, by its name; fields of a variant replace theirs.

    Raises:
        UsageError: No strategy, an unknown one, or fields that its settings do not take.
    """
    labels = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
    return [_variant(label, own) for label in labels or [""]]


def _variant(label: str, own: Mapping[str, StrategyConfig]) -> Variant:
    name, colon, fields = (part.strip() for part in label.partition(":"))
    known = get_args(get_type_hints(SearchConfig)["strategy"])
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UsageError(
            f"--strategies: expected some of {', '.join(known)}, found {name!r}",
            remedy=f"did you mean {near[0]}?" if near else None,
        )
    base = own[name]
    values = {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}
    given = _values(label, fields, type(base)) if colon else {}
    return Variant(label, name, make(type(base), {**values, **given}, f"--strategies {label}"))


def _values(label: str, text: str, kind: type[StrategyConfig]) -> dict[str, Any]:
    """Read `field=value` pairs; an unknown field is left to `make`."""
    hints, found = get_type_hints(kind), {}
    for pair in text.split(";"):
        name, equals, value = (part.strip() for part in pair.partition("="))
        field = name.replace("-", "_")
        if not (name and equals and value):
            raise UsageError(
                f"--strategies {label}: expected field=value after the colon, found {pair!r}",
                remedy='for example --strategies "evolution,evolution:population=50;tournament=10"',
            )
        if field in found:
            raise UsageError(f"--strategies {label}: expected {name} once, found it twice")
        found[field] = _read(f"--strategies {label}: {name}", hints.get(field, str), value)
    return found


def _read(place: str, kind: Any, text: str) -> Any:
    """Read a value of a plain kind; a choice is a text."""
    if kind is bool:
        if text not in _BOOLS:
            raise UsageError(f"{place}: expected true or false, found {text!r}")
        return _BOOLS[text]
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        raise UsageError(f"{place}: expected {number}, found {text!r}") from None
