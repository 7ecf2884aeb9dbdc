"""Settings as frozen dataclasses, and the same settings as flags, TOML and JSON.

A field made by `setting` is a flag in kebab-case with the field's help and default. This module
needs nothing beyond the standard library, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ngae.errors import UsageError, shown
from ngae.files import FORMAT_KEY, check_form, parse_json, without_version

T = TypeVar("T")
_MOST_DOTS = 1000  # in TOML: its reader takes memory by the square of a name's dots

# What a file that ngae wrote before it had a setting stands for, by section.
_BEFORE: dict[str, dict[str, Any]] = {
    "model": {"performance_members": 1},
    "loss": {"correlation_weight": 0.0},
    "train": {"standardise": False},
}


def setting(
    default: T, help: str, *aliases: str, least: float | None = None, most: float | None = None
) -> T:
    """Declare a field of a settings dataclass.

    Args:
        default: The default value; its reason belongs in a comment where it is odd.
        help: One line for `--help`.
        aliases: Further flags with the same meaning, such as `--nz`.
        least: Lowest value allowed, or None.
        most: Highest value allowed, or None.
    """
    metadata = {"help": help, "aliases": aliases, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=metadata)


def check_ranges(settings: Any) -> None:
    """Raise UsageError where a field is outside of the range that `setting` gave it.

    The field is named as its flag, see `add_flags`.

    Meant to be called from `__post_init__`.
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        least, most = field.metadata.get("least"), field.metadata.get("most")
        if not isinstance(value, int | float):
            continue
        inside = (least is None or value >= least) and (most is None or value <= most)
        if not inside or not _is_a_number(value):
            bounds = _bounds(least, most)
            flag = flag_of(_prefix(type(settings)) + field.name)
            raise UsageError(f"{flag}: expected a number{bounds}, found {shown(value)}")


def _is_a_number(value: float) -> bool:
    """Whether `value` is finite, as a float as well."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def flag_of(name: str) -> str:
    """Return the flag of a field: `batch_size` gives `--batch-size`."""
    return "--" + name.replace("_", "-")


def add_flags(
    parser: argparse.ArgumentParser, cls: type[Any], title: str, names: Sequence[str] = ()
) -> None:
    """Add a flag for each field of a settings dataclass; absent flags leave no attribute.

    Where the class has a `flag_prefix`, flags and attributes begin with it.

    Args:
        parser: Gets a group of flags.
        cls: The dataclass.
        title: Of the group.
        names: The fields that become flags; none: all of them.
    """
    group = parser.add_argument_group(title)
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if names and field.name not in names:
            continue
        kind = hints[field.name]
        name = _prefix(cls) + field.name
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
        shown = "unset" if field.default == "" else field.default
        options["help"] = f"{field.metadata['help']} (default: {shown})".replace("%", "%%")
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif get_origin(kind) is Literal:
            options["choices"] = get_args(kind)
        else:
            options["type"] = kind
            options["metavar"] = {int: "N", float: "X", str: "TEXT"}[kind]
        group.add_argument(flag_of(name), *field.metadata["aliases"], **options)


def given_flags(namespace: argparse.Namespace, cls: type[Any]) -> dict[str, Any]:
    """Return the fields of `cls` that were given on the command line."""
    names = {_prefix(cls) + field.name: field.name for field in dataclasses.fields(cls)}
    return {names[name]: value for name, value in vars(namespace).items() if name in names}


def _prefix(cls: type[Any]) -> str:
    return str(getattr(cls, "flag_prefix", ""))


def make(cls: type[T], values: Mapping[str, Any], place: str) -> T:
    """Make a settings dataclass of plain values.

    Args:
        cls: The dataclass.
        values: Values by field name; absent fields keep their defaults.
        place: Where the values come from, for errors.

    Raises:
        UsageError: An unknown name (with the nearest known one), or a value of the wrong kind.
    """
    hints = get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            remedy = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"{place}: expected a known setting, found {name!r}", remedy=remedy)
    return cls(**{name: _value(f"{place}: {name}", hints[name], v) for name, v in values.items()})


def read_file(path: str | Path) -> dict[str, Any]:
    """Read settings from TOML or JSON (by suffix): one table a section.

    Raises:
        UsageError: Missing, unreadable, not TOML/JSON, or not a table of tables.
        RefusedError: A run's `config.json` of a later form.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        values = parse_json(text) if path.suffix == ".json" else _toml(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"--config {path}: expected a TOML or JSON file: {error}") from error
    check_form(values, f"--config {path}")
    values = as_written(values)
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise UsageError(f"--config {path}: expected sections such as [train], found bare values")
    return values


def as_written(values: Any) -> Any:
    """Return the settings of a file, whole where an earlier ngae wrote it, without the version.

    What people write has no version and stays as it is, as does what is no table of tables.
    """
    if not isinstance(values, dict) or FORMAT_KEY not in values:
        return values
    return {
        name: {**_BEFORE.get(name, {}), **table} if isinstance(table, dict) else table
        for name, table in without_version(values).items()
    }


def _toml(text: str) -> dict[str, Any]:
    if text.count(".") > _MOST_DOTS:
        raise ValueError(f"found more than {_MOST_DOTS} dots")
    return tomllib.loads(text)


def merged(sections: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Join section tables; later ones win, value by value."""
    result: dict[str, dict[str, Any]] = {}
    for tables in sections:
        for name, values in tables.items():
            result.setdefault(name, {}).update(values)
    return result


def as_dict(settings: Any) -> dict[str, Any]:
    """Return the settings as plain values, nested dataclasses as nested dictionaries."""
    return dataclasses.asdict(settings)


def _value(place: str, kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        return _choice(place, get_args(kind), value)
    if kind is float and type(value) is int and _is_a_number(value):
        return float(value)
    if type(value) is not kind:
        found = f"{type(value).__name__} {shown(value)}"
        raise UsageError(f"{place}: expected {kind.__name__}, found {found}")
    return value


def _choice(place: str, choices: Sequence[Any], value: Any) -> Any:
    if value not in choices:
        raise UsageError(
            f"{place}: expected one of {', '.join(map(str, choices))}, found {value!r}"
        )
    return value


def _bounds(least: float | None, most: float | None) -> str:
    low = "" if least is None else f" from {least:g}"
    high = "" if most is None else f" up to {most:g}"
    return low + high
