"""How much a report shows; holds no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class ReportConfig:
    """Sizes of a report."""

    points: int = setting(20_000, "most rows on the map; the best ones are always there", least=1)

    def __post_init__(self) -> None:
        check_ranges(self)
