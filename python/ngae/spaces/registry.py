"""Search spaces by name, and whose an architecture is that comes without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ngae.errors import ParseError, UsageError, shown
from ngae.spaces.base import SearchSpace
from ngae.spaces.enas import EnasSpace
from ngae.spaces.loading import space_of_module
from ngae.spaces.nested_lists import scan_integer_lists

_FIXED = {
    "nas-bench-101": ("nasbench101", "NasBench101Space"),
    "nas-bench-201": ("nasbench201", "NasBench201Space"),
    "nas-bench-graph": ("nasbenchgraph", "NasBenchGraphSpace"),
    "recurrent": ("recurrent", "RecurrentSpace"),
}
NAMES = ("enas<layers>", "enas<least>-<most>", *_FIXED, "recurrent<nodes>", "module:Name")
# How texts begin that need no more than that to be told from others.
_FORMS = (
    (r"\|[a-z_0-9]+~0\|", "nas-bench-201"),
    (r"[01]+;input,", "nas-bench-101"),
    (r"[0-9](-[0-9]){3};[a-z]", "nas-bench-graph"),
    (r"\{\s*\"", "recurrent"),
)
_LAYERS = 99  # most of an ENAS architecture


def space_named(name: str) -> SearchSpace:
    """Return the space called `name`.

    Args:
        name: `enas6` or `enas` with another number of layers; `enas4-6` for a range of them;
            `nas-bench-101`, `nas-bench-201`, `nas-bench-graph`, `recurrent`; or `module:Name`, a
            class or an object of a module that can be imported, or of a file `path/to/file.py`.

    Raises:
        UsageError: No such space.
    """
    if name in _FIXED:
        module, kind = _FIXED[name]
        space: SearchSpace = getattr(import_module(f"ngae.spaces.{module}"), kind)()
        return space
    match = re.fullmatch(r"recurrent([1-9]\d{0,2})", name)
    if match is not None:
        from ngae.spaces.recurrent import RecurrentSpace

        return RecurrentSpace(int(match[1]))
    match = re.fullmatch(r"enas([1-9]\d?)(?:-([1-9]\d?))?", name)
    if match is not None:
        least, most = int(match[1]), int(match[2] or match[1])
        if least <= most:
            return EnasSpace(most, least_layers=least)
    if ":" in name:
        return space_of_module(name)
    raise UsageError(
        f"space: expected one of {', '.join(NAMES)}, found {name!r}",
        remedy="pass --space enas6, or another one of these",
    )


def known_columns() -> tuple[tuple[str, ...], ...]:
    """Columns that published tables hold architectures in, of all named spaces."""
    return tuple(columns for name in _FIXED for columns in space_named(name).arch_columns)


def guess_space(value: Any, columns: Sequence[str], text: str) -> str:
    """Name the space of an architecture.

    Args:
        value: What the first of its cells holds: a text or a parsed JSON object.
        columns: The columns of its cells.
        text: Its text.

    Raises:
        ParseError: It is of no space that goes by a name; as one of ENAS.
    """
    for name in _FIXED:
        if tuple(columns) in space_named(name).arch_columns:
            return name
    if isinstance(value, dict) and isinstance(value.get("space"), str):
        return _named_in_a_table(value["space"])
    for pattern, name in _FORMS:
        if re.match(pattern, text):
            return name
    return f"enas{_layers(value)}"


def _named_in_a_table(name: str) -> str:
    """A space that `Dag.as_dict` named; a table alone has no module imported."""
    if name in _FIXED or re.fullmatch(r"(enas|recurrent)[-\d]*", name):
        return name
    raise ParseError("an architecture of a space that --space names", name, 1)


def _layers(value: Any) -> int:
    """Layers of an ENAS architecture, from 1 to 99."""
    if isinstance(value, str):
        layers = len(scan_integer_lists(value))
    else:
        try:
            layers = len(value["node_types"]) - 2
        except (KeyError, TypeError) as error:
            raise ParseError("node_types and edges", shown(value), 1) from error
    if not 1 <= layers <= _LAYERS:
        raise ParseError(f"an architecture of 1 to {_LAYERS} layers", f"{layers}", 1)
    return layers
