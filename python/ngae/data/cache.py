"""The folder of fetched tables: one folder a table, `table.json` in it says what it holds.

Nothing here writes or uses the net; `ngae.data.fetch` fills the folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngae.data import catalog
from ngae.data.catalog import Entry
from ngae.errors import DataError, UsageError
from ngae.files import FORMAT_KEY, FORMAT_VERSION, check_form, parse_json

FACTS = "table.json"


@dataclass(frozen=True)
class CachedTable:
    """A table that is here.

    Attributes:
        path: The file that `ngae.load` reads.
        settings: Values of `DataConfig` that read it: space, columns, burn-in.
    """

    path: Path
    settings: dict[str, Any]


def cache_folder() -> Path:
    """Return `NGAE_CACHE`, else `$XDG_CACHE_HOME/ngae`, else `~/.cache/ngae`."""
    chosen = os.environ.get("NGAE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ngae"


def state_of(entry: Entry, folder: Path | None = None) -> str:
    """Return "embedded", "in cache" or "not fetched"."""
    if entry.embedded:
        return "embedded"
    return "in cache" if facts_of(entry, folder or cache_folder()) else "not fetched"


def table_of(name: str, folder: Path | None = None) -> CachedTable:
    """Return where a published table lies, and how it is read. Never uses the net.

    Args:
        name: Its name in the catalog.
        folder: The cache; None for the default one.

    Raises:
        UsageError: No table of that name, or one that is no file.
        DataError: It is not in the cache, or not whole; the remedy is the command that gets it.
        RefusedError: A later version of ngae has put it there.
    """
    entry = catalog.find(name)
    if entry is None:
        raise UsageError(
            f"expected one of {', '.join(catalog.names())}, found {name!r}",
            remedy="`ngae data list` shows the tables",
        )
    check_fetchable(entry)
    folder = folder or cache_folder()
    check_not_later(entry, folder)
    if facts_of(entry, folder) is None:
        raise DataError(
            f"{name}: expected the table {folder / name / entry.table}, found none that is whole",
            remedy=f"ngae data get {name}",
        )
    return cached(entry, folder)


def check_fetchable(entry: Entry) -> None:
    """Raise UsageError where the table comes with the package."""
    if entry.embedded:
        raise UsageError(f"{entry.name}: expected a table to fetch, found one that is embedded")


def cached(entry: Entry, folder: Path) -> CachedTable:
    """Return where the table of `entry` lies in the cache `folder`, here or not."""
    settings = {"space": entry.space, **entry.settings}
    return CachedTable(folder / entry.name / entry.table, settings)


def check_not_later(entry: Entry, folder: Path) -> None:
    """Raise RefusedError where a later version of ngae has filled the folder of `entry`."""
    place = folder / entry.name / FACTS
    check_form(_read(place), place)


def _read(place: Path) -> Any:
    """What a JSON file holds; None where it cannot be read."""
    try:
        return parse_json(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def facts_of(entry: Entry, folder: Path) -> dict[str, Any] | None:
    """Return what `table.json` says, or None.

    None as well where it says something of another form, where the table is not there in that
    length, or was made of other originals or by another converter than the catalog says.
    """
    place = folder / entry.name
    facts = _read(place / FACTS)
    try:
        size = (place / entry.table).stat().st_size
    except OSError:
        return None
    if not _are_facts(facts) or facts["bytes"] != size or facts["form"] != entry.way:
        return None
    found = {source["file"]: source["sha256"] for source in facts["sources"]}
    stated = {file.name: file.sha256 for file in entry.files if file.sha256}
    return facts if {**found, **stated} == found else None


def _are_facts(value: Any) -> bool:
    """Whether `value` has what is read of `table.json`, in the kinds that are written."""
    if not isinstance(value, dict) or not isinstance(value.get("sources"), list):
        return False
    if value.get(FORMAT_KEY, 1) != FORMAT_VERSION:
        return False
    texts = [value.get("sha256"), value.get("form")]
    for source in value["sources"]:
        if not isinstance(source, dict):
            return False
        texts += [source.get("file"), source.get("sha256")]
    return type(value.get("bytes")) is int and all(isinstance(text, str) for text in texts)
