"""`Limit`: what `--constraint` says of one complexity. Holds no torch and no numpy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ngae.errors import UsageError

_LIMIT = re.compile(r"\s*([A-Za-z_][\w.]*)\s*<=\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True)
class Limit:
    """`name <= most`."""

    name: str
    most: float

    @classmethod
    def parse_all(cls, text: str) -> tuple[Limit, ...]:
        """Read `params <= 0.5e6, latency <= 5`; nothing gives none.

        Raises:
            UsageError: Another form, or no number.
        """
        return tuple(cls._parse(part) for part in text.split(",")) if text.strip() else ()

    @classmethod
    def _parse(cls, text: str) -> Limit:
        match = _LIMIT.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--constraint: expected NAME <= NUMBER, found {text.strip()!r}",
                remedy='for example --constraint "params <= 0.5e6"',
            )
        return cls(match[1], float(match[2]))
