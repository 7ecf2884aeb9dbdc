"""Where the page is served and how much one request may ask for; holds no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class ExploreConfig:
    """Settings of the page."""

    port: int = setting(8765, "port on 127.0.0.1; 0: any free one", least=0, most=65535)
    browser: bool = setting(True, "open the page in a browser")
    # As in a report: more dots are no clearer.
    points: int = setting(20_000, "most rows on the map; the best ones are always there", least=1)

    def __post_init__(self) -> None:
        check_ranges(self)
