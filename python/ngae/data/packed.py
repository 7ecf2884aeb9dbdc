"""Packed tables: what a table says, as arrays in one file, so that it is not parsed again.

Packing checks every architecture; a packed file is checked for damage and for indices that lead
nowhere, not for what its space accepts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.dags import Dags
from ngae.data.arrays_file import read_arrays, write_arrays
from ngae.data.columns import NONE
from ngae.data.config import DataConfig
from ngae.data.raw import Problems
from ngae.data.records import Table
from ngae.errors import RefusedError, UsageError
from ngae.files import without_folder
from ngae.settings import flag_of
from ngae.spaces.base import SearchSpace
from ngae.spaces.registry import space_named

SUFFIX = ".packed"
AGAIN = "pack its table again: ngae data pack TABLE FILE.packed"
_GRAPHS = tuple(field.name for field in fields(Dags) if field.name != "space")
_NUMBERS = ("performance", "complexity", "lines", "digests")
_TEXTS = ("space", "identity", "performance")
_LISTS = ("complexity", "reported")
_OF_TEXT = ("join", "burn_in")  # settings that tell how a text is read
_AT_ONCE = 16_384  # graphs that are checked together


def check_target(path: Path, *, overwrite: bool) -> None:
    """Require a file that may be written.

    Raises:
        UsageError: Another suffix.
        RefusedError: The file is there and not to be replaced.
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"data pack: expected a file that ends in {SUFFIX}, found {path}")
    if path.exists() and not overwrite:
        raise RefusedError(
            f"{path}: expected no file, found one", remedy="pass --overwrite to replace it"
        )


def write_packed(table: Table, path: Path, *, computed: bool) -> None:
    """Write a table.

    Args:
        table: The table.
        path: The file; see `check_target`.
        computed: Whether the space computed its complexities.
    """
    arrays = {name: getattr(table.dags, name) for name in _GRAPHS}
    arrays |= {name: getattr(table, name) for name in _NUMBERS}
    arrays |= {f"reported.{name}": values for name, values in table.reported.items()}
    facts = {
        "space": without_folder(table.space.name),
        "identity": table.space.identity,
        "performance": table.performance_name,
        "complexity": list(table.complexity_names),
        "computed": computed,
        "reported": list(table.reported),
    }
    write_arrays(path, arrays, facts)


def read_packed(path: str, config: DataConfig, space: SearchSpace | None = None) -> Table:
    """Read what `write_packed` wrote; its columns are chosen as those of a text are.

    Args:
        path: The file.
        config: Columns and space.
        space: The space, where it is at hand; else `config` names it. One of one's own must be
            named, since it is code.

    Returns:
        The table; its graphs and their hashes stay in the file until they are asked for.

    Raises:
        DataError: No file, or one that is truncated, foreign or altered.
        RefusedError: It is of a later form, or of another definition of its space.
        UsageError: A column that it does not have, or a setting of texts.
    """
    _check_settings(path, config)
    problems = Problems(path)
    problems.remedy = AGAIN
    arrays, facts = read_arrays(Path(path), problems)
    _check_facts(facts, problems)
    settled = space or _space(path, facts["space"], config.space)
    if settled.identity != facts["identity"]:
        raise RefusedError(
            f"{path}: expected graphs of {settled.identity}, found those of {facts['identity']}",
            remedy=AGAIN,
        )
    dags = _dags(arrays, settled, problems)
    columns = _columns(arrays, facts, len(dags), problems)
    performance, performance_name = _performance(path, columns, facts, config)
    complexity, complexity_names = _complexity(path, columns, facts, config, dags, settled)
    table = Table(
        name=Path(path).name,
        space=settled,
        dags=dags,
        performance=performance,
        complexity=complexity,
        performance_name=performance_name,
        complexity_names=complexity_names,
        lines=columns["lines"],
        source=path,
        reported=_reported(path, columns, facts, config),
    )
    table.__dict__["digests"] = columns["digests"]  # need not be computed again
    return table


def _check_settings(path: str, config: DataConfig) -> None:
    plain = DataConfig()
    given = [name for name in _OF_TEXT if getattr(config, name) != getattr(plain, name)]
    if given:
        flags = ", ".join(flag_of(name) for name in given)
        raise UsageError(f"{path}: expected no settings of a text, found {flags}", remedy=AGAIN)


def _check_facts(facts: Any, problems: Problems) -> None:
    fine = (
        isinstance(facts, dict)
        and all(isinstance(facts.get(name), str) for name in _TEXTS)
        and all(isinstance(facts.get(name), list) for name in _LISTS)
        and all(isinstance(each, str) for name in _LISTS for each in facts[name])
        and isinstance(facts.get("computed"), bool)
    )
    if not fine:
        raise problems.fatal(None, None, "the facts of a packed table", "others")


def _space(path: str, packed: str, named: str) -> SearchSpace:
    if named != "auto":
        return space_named(named)
    if ":" in packed:
        raise UsageError(
            f"{path}: expected --space, the graphs are of {packed}, which is code",
            remedy="pass --space module:Name or path/to/file.py:Name",
        )
    return space_named(packed)


def _dags(arrays: Mapping[str, NDArray[Any]], space: SearchSpace, problems: Problems) -> Dags:
    """The graphs, whose indices stay within them."""
    for name in _GRAPHS:
        if name not in arrays or arrays[name].ndim != 1 or arrays[name].dtype.kind not in "iu":
            raise problems.fatal(None, None, f"integers {name} in one dimension", "others")
    dags = Dags(**{name: arrays[name] for name in _GRAPHS}, space=space)
    for ptr, values in (("graph_ptr", "node_type"), ("edge_ptr", "edge_src")):
        _check_pointers(ptr, arrays[ptr], len(arrays[values]), problems)
    if not len(dags.graph_ptr) == len(dags.edge_ptr) > 1:
        raise problems.fatal(None, None, "rows", f"{len(dags.graph_ptr) - 1}")
    if len(dags.edge_src) != len(dags.edge_dst):
        raise problems.fatal(None, None, "as many sources as targets", "others")
    for start in range(0, len(dags), _AT_ONCE):
        _check_graphs(dags[start : start + _AT_ONCE], space, problems)
    return dags


def _check_pointers(name: str, ptr: NDArray[Any], end: int, problems: Problems) -> None:
    fine = (
        ptr.dtype.kind == "i"
        and len(ptr) > 0
        and ptr[0] == 0
        and ptr[-1] == end
        and (ptr[1:] >= ptr[:-1]).all()
    )
    if not fine:
        raise problems.fatal(None, None, f"{name} that rises from 0 to {end}", "another one")


def _check_graphs(dags: Dags, space: SearchSpace, problems: Problems) -> None:
    sizes = np.diff(dags.graph_ptr)
    edges = np.diff(dags.edge_ptr)
    size = np.repeat(sizes, edges)
    source, target = dags.edge_src.astype(np.int64), dags.edge_dst.astype(np.int64)
    types = dags.node_type
    same = np.repeat(np.arange(len(dags)), edges)
    follows = (same[1:] > same[:-1]) | (source[1:] > source[:-1])
    follows |= (source[1:] == source[:-1]) & (target[1:] > target[:-1])
    for what, fine in (
        (f"1 to {space.max_nodes} nodes", (sizes >= 1) & (sizes <= space.max_nodes)),
        (f"types below {space.num_node_types}", (types >= 0) & (types < space.num_node_types)),
        ("edges to later nodes", (source >= 0) & (source < target) & (target < size)),
        ("sorted edges, each once", follows),
    ):
        if not fine.all():
            raise problems.fatal(None, None, f"graphs of {space.name}: {what}", "others")


def _columns(
    arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], rows: int, problems: Problems
) -> dict[str, NDArray[Any]]:
    """Columns beside the graphs, of the shapes that they must have."""
    reported = [f"reported.{name}" for name in facts["reported"]]
    shapes: dict[str, tuple[tuple[int, ...], str]]
    shapes = dict.fromkeys(("performance", *reported), ((rows,), "f"))
    shapes |= {"complexity": ((rows, len(facts["complexity"])), "f")}
    shapes |= {"lines": ((rows,), "i"), "digests": ((rows, 16), "u")}
    for name, (shape, kind) in shapes.items():
        found = arrays.get(name)
        if found is None or found.shape != shape or found.dtype.kind != kind:
            text = "none" if found is None else f"{found.dtype} of shape {found.shape}"
            raise problems.fatal(None, None, f"{name} of shape {shape}", text)
    return {name: arrays[name] for name in shapes}


def _performance(
    path: str, columns: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], config: DataConfig
) -> tuple[NDArray[np.float64], str]:
    """The column and its name; `-name` is one of which lower was better."""
    plain, found = DataConfig().performance_col, facts["performance"]
    if config.performance_col == NONE:
        return np.full(len(columns["performance"]), np.nan), ""
    asked = ("-" if config.lower_is_better else "") + config.performance_col
    if asked not in (plain, found):
        raise _no_column(path, "--performance-col", asked, [found])
    return columns["performance"], found


def _complexity(
    path: str,
    columns: Mapping[str, NDArray[Any]],
    facts: Mapping[str, Any],
    config: DataConfig,
    dags: Dags,
    space: SearchSpace,
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The columns that were asked for, by default those that the space computes."""
    if config.complexity_col:
        places = _places(path, "--complexity-col", config.complexity_col, facts["complexity"])
        names = tuple(facts["complexity"][place] for place in places)
        return columns["complexity"][:, places], names
    if facts["computed"]:
        return columns["complexity"], tuple(facts["complexity"])
    return space.complexity(dags), space.complexity_names


def _reported(
    path: str, columns: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], config: DataConfig
) -> dict[str, NDArray[np.float64]]:
    places = _places(path, "--report-col", config.report_col, facts["reported"])
    names = [facts["reported"][place] for place in places]
    return {name: columns[f"reported.{name}"] for name in names}


def _places(path: str, flag: str, text: str, found: Sequence[str]) -> list[int]:
    names = [name.strip() for name in text.split(",") if name.strip() not in ("", NONE)]
    for name in names:
        if name not in found:
            raise _no_column(path, flag, name, found)
    return [found.index(name) for name in names]


def _no_column(path: str, flag: str, asked: str, found: Sequence[str]) -> UsageError:
    return UsageError(
        f"{path}: {flag}: expected one of {', '.join(found) or '(none)'}, found {asked}",
        remedy=AGAIN,
    )
