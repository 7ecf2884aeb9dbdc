"""Which table is read, and how; holds neither torch nor numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class DataConfig:
    """A table and its split."""

    data: str = setting("digits6", "embedded table, or a .txt, .csv or .jsonl file", "--data-name")
    space: str = setting("auto", "search space; auto takes the one of most of the first 100 rows")
    arch_col: str = setting("arch", "column of the architecture (CSV, JSON Lines)")
    performance_col: str = setting("performance", "column of the performance, higher is better")
    complexity_col: str = setting(
        "", "columns of complexities, joined by commas; none: computed exactly by the space"
    )
    burn_in: int = setting(0, "rows at the head of the file that are skipped", least=0)
    split: Literal["distinct", "published"] = setting(
        "distinct",
        "distinct keeps equal graphs on one side; published shuffles rows as D-VAE's code does",
    )
    split_seed: int = setting(0, "seed of the split", least=0)
    test_fraction: float = setting(0.1, "share of the rows to test on", least=0.001, most=0.9)

    def __post_init__(self) -> None:
        check_ranges(self)
