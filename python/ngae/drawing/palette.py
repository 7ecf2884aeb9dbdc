"""Colours, light and dark, chosen by the names of what they stand for."""

from __future__ import annotations

import colorsys
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

_HUES = (212, 24, 142, 352, 268, 54, 182, 318)
_ENDS = re.compile(r"input|output|x|h_(prev|new)_\d")


@dataclass(frozen=True)
class Paint:
    """How a thing looks; colours as #rrggbb.

    Attributes:
        fill: Of its area, on a light page.
        line: Of its outline, on a light page.
        dark_fill: Of its area, on a dark page.
        dark_line: Of its outline, on a dark page.
    """

    fill: str
    line: str
    dark_fill: str
    dark_line: str


def _hsl(hue: int, saturation: float, lightness: float) -> str:
    parts = colorsys.hls_to_rgb(hue / 360, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _operation_paints() -> dict[str, Paint]:
    pale = {
        f"o{i}": Paint(
            _hsl(h, 0.8, 0.85), _hsl(h, 0.5, 0.45), _hsl(h, 0.4, 0.25), _hsl(h, 0.5, 0.6)
        )
        for i, h in enumerate(_HUES)
    }
    strong = {
        f"o{i}": Paint(
            _hsl(h, 0.7, 0.72), _hsl(h, 0.6, 0.34), _hsl(h, 0.9, 0.24), _hsl(h, 0.6, 0.7)
        )
        for i, h in enumerate(_HUES, len(_HUES))
    }
    return pale | strong


OPERATIONS = tuple(_operation_paints())
PAINTS = {
    "end": Paint("#e6e9ed", "#5d6873", "#3a434c", "#9aa5b0"),
    "same": Paint("#eef0f2", "#98a2ac", "#2b333b", "#76818c"),
    "edge": Paint("none", "#66717c", "none", "#9aa5b0"),
    "a": Paint("#cfe2ff", "#1f6feb", "#173a6b", "#6cb0ff"),
    "b": Paint("#ffdcc0", "#c2500a", "#6b3410", "#ff9f5a"),
    "back": Paint("#ffffff", "none", "#12181f", "none"),
    "ink": Paint("#1a222b", "none", "#e8edf2", "none"),
    **_operation_paints(),
}


def paints_by_name(names: Iterable[str]) -> dict[str, str]:
    """Choose a paint for each operation, by its name alone where that can be.

    A name's checksum picks one of 8 hues; where an earlier name has it, the next free one is taken,
    and stronger colours of the same hues where there are none. Inputs, outputs and states are grey.

    Args:
        names: All that may be drawn, in the same order each time.

    Returns:
        Keys of PAINTS by name.
    """
    found: dict[str, str] = {}
    for name in names:
        if _ENDS.fullmatch(name):
            found[name] = "end"
        elif name not in found:
            first = zlib.crc32(name.encode()) % len(_HUES)
            # 3 and 8 have no common divisor: all hues come up, neighbours late.
            hues = [(first + 3 * step) % len(_HUES) for step in range(len(_HUES))]
            order = [OPERATIONS[h + start] for start in (0, len(_HUES)) for h in hues]
            taken = set(found.values())
            found[name] = next((paint for paint in order if paint not in taken), order[0])
    return found


def dark_style(keys: Iterable[str]) -> str:
    """Write the rules that replace the light colours of these paints on a dark page."""
    rules = []
    for key in keys:
        paint = PAINTS[key]
        colours = {"fill": paint.dark_fill, "stroke": paint.dark_line}
        kept = "".join(f"{k}:{v};" for k, v in colours.items() if v != "none")
        rules.append(f".ngae-{key}{{{kept}}}")
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
