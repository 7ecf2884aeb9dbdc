"""Colours of charts, light and dark; those of `assets/style.css` and `assets/base.js`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = 24
_LIGHT = ("#f6d9a8", "#f5a36b", "#dd5a6c", "#96307f", "#35105c")
_DARK = ("#3a2a63", "#8b2f86", "#d94b6c", "#f99c66", "#fcf5b8")


@dataclass(frozen=True)
class Paint:
    """One colour as #rrggbb, on a light page and on a dark one."""

    light: str
    dark: str


def _mixed(stops: tuple[str, ...], share: float) -> str:
    at = share * (len(stops) - 1)
    k = min(len(stops) - 2, int(at))
    pairs = [(int(stops[k][i : i + 2], 16), int(stops[k + 1][i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * (at - k)):02x}" for a, b in pairs)


RAMP = tuple(f"r{i}" for i in range(_STEPS))
PAINTS = {
    "back": Paint("#ffffff", "#1a1d24"),
    "ink": Paint("#1c1e24", "#e8e9ec"),
    "soft": Paint("#5d6470", "#9ba3af"),
    "rule": Paint("#e3e4e2", "#2c313b"),
    "one": Paint("#00699c", "#63c5f5"),
    "two": Paint("#c2500a", "#ff9f5a"),
    "three": Paint("#1f8a4c", "#74e39a"),
    **{
        name: Paint(_mixed(_LIGHT, i / (_STEPS - 1)), _mixed(_DARK, i / (_STEPS - 1)))
        for i, name in enumerate(RAMP)
    },
}


def dark_style(names: Iterable[str]) -> str:
    """Write the rules that replace the light colours of areas and lines on a dark page."""
    rules = [
        f".a-{name}{{fill:{PAINTS[name].dark}}}.l-{name}{{stroke:{PAINTS[name].dark}}}"
        for name in names
    ]
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
