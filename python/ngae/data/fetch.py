"""Fills the cache: originals from the net or from a folder, checked, converted, written down.

The only code of ngae that uses the net, and only when a person asks for a table.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngae.data.cache import (
    FACTS,
    CachedTable,
    cache_folder,
    cached,
    check_fetchable,
    check_not_later,
    facts_of,
)
from ngae.data.catalog import Entry, SourceFile
from ngae.data.convert import convert
from ngae.data.download import Limits, Progress, download, ignore
from ngae.data.lock import Say, locked, silent
from ngae.data.part import CHUNK, Wanted
from ngae.errors import DataError, NgaeError, RefusedError, UsageError
from ngae.files import with_version, write_json


@dataclass(frozen=True)
class Request:
    """What a person asked `get` for, beyond the name.

    Attributes:
        folder: The cache; None for the default one.
        from_dir: A folder with files that are already downloaded; None to use the net.
        sha256: Checksum of a file for which the catalog states none; "" where none was given.
        accept_unverified: Take a file whose checksum nobody has stated.
        limits: How patient a download is.
    """

    folder: Path | None = None
    from_dir: Path | None = None
    sha256: str = ""
    accept_unverified: bool = False
    limits: Limits = field(default_factory=Limits)


def get(
    entry: Entry,
    request: Request = Request(),
    *,
    progress: Progress = ignore,
    say: Say = silent,
) -> CachedTable:
    """Fetch a table, check it, convert it, and keep it in the cache.

    Two processes that ask for the same table at once fetch it once.

    Args:
        entry: The table.
        request: Where from, where to, and what is accepted.
        progress: Gets the bytes of the file that is being fetched, and all of its bytes or None.
        say: Gets what people should know: waiting, broken connections.

    Raises:
        UsageError: The table is embedded, or `sha256` is not a checksum or not asked for.
        DataError: A file is missing, or not what it must be.
        RefusedError: A file whose checksum nobody has stated, or a table that a later version of
            ngae has put there.
        NgaeError: The net or the disk failed.
    """
    check_fetchable(entry)
    for file in entry.files:
        _expected(file, request)
    folder = request.folder or cache_folder()
    place = folder / entry.name
    check_not_later(entry, folder)
    try:
        with locked(place / ".lock", say):
            facts = facts_of(entry, folder)
            if facts and _sha256(place / entry.table) == facts["sha256"]:
                _check_sources(entry, place, facts, request)
                say(f"{entry.name} is in the cache already")
                return cached(entry, folder)
            sources = [_fetch(entry, file, request, progress, say) for file in entry.files]
            _make_table(entry, place, sources)
    except OSError as error:
        raise NgaeError(
            f"{place}: expected a folder that can be written: {error}",
            remedy="make room, or set NGAE_CACHE to another folder",
        ) from error
    return cached(entry, folder)


def _check_sources(entry: Entry, place: Path, facts: dict[str, Any], request: Request) -> None:
    """Compare a given checksum with those that the table was made of, and note that it fits."""
    if not request.sha256:
        return
    stated = {file.name: _expected(file, request) for file in entry.files}
    for source in facts["sources"]:
        expected = stated.get(source["file"])
        if expected != source["sha256"]:
            raise DataError(
                f"{place / source['file']}: expected sha256 {expected}, found {source['sha256']}",
                remedy=f"remove {place} to fetch the table anew",
            )
    sources = [{**source, "verified": True} for source in facts["sources"]]
    if sources != facts["sources"]:
        write_json(place / FACTS, {**facts, "sources": sources})


def _fetch(
    entry: Entry, file: SourceFile, request: Request, progress: Progress, say: Say
) -> dict[str, Any]:
    """Bring one file into the cache; return what `table.json` says of it."""
    wanted = Wanted(file.url, _expected(file, request), file.size, file.most)
    target = (request.folder or cache_folder()) / entry.name / file.name
    if target.exists() and wanted.sha256 and _sha256(target) == wanted.sha256:
        found = wanted.sha256
    elif target.exists() and file.sha256 is None and request.from_dir is None:
        found = _kept(target, wanted, request.accept_unverified, say)
    elif request.from_dir is not None:
        found = _copy(request.from_dir / file.name, target, wanted, request.accept_unverified)
    elif not file.url:
        raise DataError(f"{entry.name}: expected {file.name}, found none", remedy=entry.by_hand)
    else:
        found = download(
            wanted,
            target,
            accept_unverified=request.accept_unverified,
            limits=request.limits,
            progress=progress,
            say=say,
        )
    return {
        "file": file.name,
        "url": file.url,
        "sha256": found,
        "bytes": target.stat().st_size,
        "verified": wanted.sha256 is not None,
    }


def _kept(target: Path, wanted: Wanted, accept_unverified: bool, say: Say) -> str:
    """Return the checksum of an original that is whole and whose checksum the catalog lacks."""
    found = _sha256(target)
    if wanted.sha256 is not None:
        raise DataError(
            f"{target}: expected sha256 {wanted.sha256}, found {found}",
            remedy=f"remove {target} to fetch it anew",
        )
    if not accept_unverified:
        raise _unverified(target, found)
    say(f"{target} is here already; remove it to fetch it anew")
    return found


def _unverified(place: Path, found: str) -> RefusedError:
    return RefusedError(
        f"{place}: expected a known sha256, found {found} and no statement of what it must be",
        remedy=f"compare it with a source that you trust, then add --sha256 {found} "
        "(or --accept-unverified)",
    )


def _expected(file: SourceFile, request: Request) -> str | None:
    given = request.sha256.strip().lower()
    if not given:
        return file.sha256
    if not re.fullmatch(r"[0-9a-f]{64}", given):
        raise UsageError(f"--sha256: expected 64 hexadecimal digits, found {request.sha256!r}")
    if file.sha256 is not None and file.sha256 != given:
        raise UsageError(
            f"--sha256: expected {file.sha256}, the one that is stated for {file.name}, "
            f"found {given}"
        )
    return given


def _copy(source: Path, target: Path, wanted: Wanted, accept_unverified: bool) -> str:
    """Copy a file that a person has got, checking it on the way."""
    if not source.is_file():
        raise DataError(f"{source}: expected the file, found none", remedy=f"get {wanted.url}")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file, open(source, "rb") as content:
            shutil.copyfileobj(content, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())
        found = _sha256(Path(temporary))
        if wanted.sha256 is not None and found != wanted.sha256:
            raise DataError(f"{source}: expected sha256 {wanted.sha256}, found {found}")
        if wanted.sha256 is None and not accept_unverified:
            raise _unverified(source, found)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return found


def _make_table(entry: Entry, place: Path, sources: list[dict[str, Any]]) -> None:
    """Convert, count the rows, and write `table.json` last: with it the table is there."""
    (place / FACTS).unlink(missing_ok=True)
    table = place / entry.table
    if entry.form:
        made = convert(entry.form, place / entry.files[0].name, table, overwrite=True)
        if made.rows != entry.rows:
            table.unlink()
            raise DataError(
                f"{place / entry.files[0].name}: expected {entry.rows} rows, found {made.rows}"
            )
    facts: Mapping[str, Any] = {
        "name": entry.name,
        "title": entry.title,
        "table": entry.table,
        "form": entry.way,
        "rows": entry.rows,
        "settings": {"space": entry.space, **entry.settings},
        "licence": entry.licence,
        "citation": entry.citation,
        "sources": sources,
        "sha256": _sha256(table),
        "bytes": table.stat().st_size,
    }
    write_json(place / FACTS, with_version(facts))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
