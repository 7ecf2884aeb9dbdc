"""Tables of architectures drawn at random: unlabelled, to learn a space from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.blocks import JOINT
from ngae.errors import RefusedError, UsageError
from ngae.files import write_text
from ngae.spaces.base import SearchSpace

_ROUND = 4096  # architectures that are drawn before they are compared
_PATIENCE = 20  # rounds without a new one after which the space counts as exhausted


def draw_distinct(
    space: SearchSpace,
    rows: int,
    seed: int,
    on_progress: Callable[[int], None] | None = None,
) -> Dags:
    """Draw distinct architectures, by `SearchSpace.sample`.

    Args:
        space: The space.
        rows: How many; fewer come where the space has no more.
        seed: Seed of the draws; the same seed gives the same architectures.
        on_progress: Called with the number found so far.
    """
    rng = np.random.default_rng(seed)
    found: dict[bytes, Dag] = {}
    idle = 0
    while len(found) < rows and idle < _PATIENCE:
        before = len(found)
        drawn = [space.sample(rng) for _ in range(_ROUND)]
        for dag, digest in zip(drawn, Dags.of(drawn).digests(), strict=True):
            found.setdefault(digest.tobytes(), dag)
        idle = idle + 1 if len(found) == before else 0
        if on_progress is not None:
            on_progress(min(len(found), rows))
    return Dags.of(list(found.values())[:rows], space)


def write_table(dags: Dags, space: SearchSpace, path: Path, *, overwrite: bool = False) -> None:
    """Write architectures alone, as CSV or JSON Lines, in the first columns of the space.

    Args:
        dags: The architectures.
        space: Their space.
        path: A .csv or .jsonl file.
        overwrite: Replace a file that is there.

    Raises:
        UsageError: Another suffix.
        RefusedError: The file is there.
    """
    forms = {".csv": _csv, ".jsonl": _json_lines}
    if path.suffix not in forms:
        raise UsageError(f"data sample: expected a file that ends in .csv or .jsonl, found {path}")
    if path.exists() and not overwrite:
        raise RefusedError(
            f"{path}: expected no file, found one", remedy="pass --overwrite to replace it"
        )
    names = next(iter(space.arch_columns), ("arch",))
    texts = [space.format(dag) for dag in dags]
    write_text(path, forms[path.suffix](names, texts))


def _csv(names: tuple[str, ...], texts: list[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([text] if len(names) == 1 else text.split(JOINT) for text in texts)
    return text.getvalue()


def _json_lines(names: tuple[str, ...], texts: list[str]) -> str:
    rows = ([text] if len(names) == 1 else text.split(JOINT) for text in texts)
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
