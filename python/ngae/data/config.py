"""Which table is read, and how; holds neither torch nor numpy."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ngae.data.catalog import find
from ngae.errors import RefusedError
from ngae.files import without_folder
from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class DataConfig:
    """A table and its split."""

    data: str = setting(
        "digits6",
        "embedded or fetched table, or a .txt, .csv, .jsonl or .packed file",
        "--data-name",
    )
    space: str = setting(
        "auto",
        "search space: a name (see `ngae data formats`), or yours as module:Name; auto takes the "
        "one that the columns, or most of the first 100 rows, are of",
    )
    arch_col: str = setting(
        "auto",
        "column of the architecture, or several joined by commas; auto takes arch, or those of "
        "the space's published tables",
    )
    performance_col: str = setting("performance", "column of the performance; none: no labels")
    lower_is_better: bool = setting(False, "negate the performance, so that higher is better")
    complexity_col: str = setting(
        "",
        "columns of complexities, joined by commas; by default computed exactly by the space; "
        "none: no complexity",
    )
    report_col: str = setting("", "columns reported with answers and never learned from, commas")
    join: str = setting("", "CSV files with further columns, matched by a shared one, commas")
    missing: Literal["refuse", "keep"] = setting(
        "refuse", "rows without a performance: a mistake, or kept as unlabelled architectures"
    )
    repeats: Literal["refuse", "keep"] = setting(
        "refuse", "one architecture with different answers: a mistake, or repeated measurements"
    )
    burn_in: int = setting(0, "rows at the head of the file that are skipped", least=0)
    split: Literal["distinct", "published"] = setting(
        "distinct",
        "distinct keeps equal graphs on one side; published shuffles rows as D-VAE's code does",
    )
    split_seed: int = setting(0, "seed of the split", least=0)
    train_rows: int = setting(0, "rows to learn from; 0: as --test-fraction leaves", least=0)
    test_fraction: float = setting(0.1, "share of the rows to test on", least=0.001, most=0.9)

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def code(self) -> str:
        """The space where it is code, a module or file and a name in it; else ""."""
        return self.space if ":" in self.space else ""

    def located(self) -> DataConfig:
        """Return the same with absolute paths: found from any folder. Names stay names."""
        return self._with_paths(os.path.abspath)

    def without_folders(self) -> DataConfig:
        """Return the same without the folders of its files: equal wherever they lie."""
        return self._with_paths(without_folder)

    def trusted(self, space: str, place: str) -> DataConfig:
        """Return the same with its space as the caller names it: no file makes code run.

        Args:
            space: The space as the caller names it; "" where the caller names none. Of a file the
                folder may be another one than here.
            place: Where these settings come from, for errors.

        Raises:
            RefusedError: The space is code, `module:Name` or `file.py:Name`, and the caller did not
                name it; or the caller names another one.
        """
        if not space and not self.code:
            return self
        shown = repr(self.space)[1:-1]
        if not space:
            raise RefusedError(
                f"{place}: space: expected one that ngae knows, found code: {shown}",
                remedy=f"if you trust that code: --space {shlex.quote(shown)}",
            )
        ours = without_folder if ".py:" in self.space else str
        if ours(space) != ours(self.space):
            raise RefusedError(f"{place}: space: expected {shown}, found --space {space}")
        return replace(self, space=space)

    def _with_paths(self, change: Callable[[str], str]) -> DataConfig:
        place, colon, name = self.space.rpartition(":")
        joins = [path.strip() for path in self.join.split(",")]
        return replace(
            self,
            data=self.data if find(self.data) else change(self.data),
            space=change(place) + colon + name if place.endswith(".py") else self.space,
            join=",".join(change(path) for path in joins if path),
        )
