"""A line chart with logarithmic axes as SVG; for the benchmarks' few curves, nothing more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Point = tuple[float, float]

_COLOURS = ("#1f5fa8", "#c2541d", "#3a8a4d", "#7a4fa3")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 520, 340, 64, 20, 40, 48


def log_chart(title: str, x_label: str, y_label: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """Draw each of `lines` (points with positive coordinates); ticks at powers of ten.

    Returns:
        A whole SVG document.
    """
    points = [point for line in lines.values() for point in line]
    x_range = _range([x for x, _ in points])
    y_range = _range([y for _, y in points])

    def place(point: Point) -> Point:
        x, y = (
            (math.log10(value) - low) / (high - low)
            for value, (low, high) in zip(point, (x_range, y_range), strict=True)
        )
        return (
            _LEFT + x * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - y * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [_text(_WIDTH / 2, 22, title, weight="bold")]
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_label))
    parts.append(_text(16, _HEIGHT / 2, y_label, turned=True))
    for power in range(x_range[0], x_range[1] + 1):
        x, y = place((10.0**power, 10.0 ** y_range[0]))
        parts += [_rule(x, y, x, _TOP), _text(x, y + 16, f"{10.0**power:g}")]
    for power in range(y_range[0], y_range[1] + 1):
        x, y = place((10.0 ** x_range[0], 10.0**power))
        parts += [
            _rule(x, y, _WIDTH - _RIGHT, y),
            _text(x - 6, y + 4, f"{10.0**power:g}", anchor="end"),
        ]
    for number, (name, line) in enumerate(lines.items()):
        parts += _line(name, [place(point) for point in line], number)
    return "\n".join([_HEAD, *parts, "</svg>"]) + "\n"


_DARK = '[fill="white"]{fill:#12181f}[fill="#222"]{fill:#e8edf2}[stroke="#d8dce1"]{stroke:#3a434c}'
_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
    f'height="{_HEIGHT}" font-family="sans-serif" font-size="12">'
    f"<style>@media (prefers-color-scheme:dark){{{_DARK}}}</style>"
    '<rect width="100%" height="100%" fill="white"/>'
)


def _range(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten around all values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _line(name: str, places: Sequence[Point], number: int) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    label_y = _TOP + 16 + 16 * number
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
        _text(_LEFT + 10, label_y, name, anchor="start", fill=colour),
    ]


def _rule(x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<path d="M{x0:.1f} {y0:.1f} L{x1:.1f} {y1:.1f}" stroke="#d8dce1"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "middle", fill: str = "#222",
    weight: str = "normal", turned: bool = False,
) -> str:  # fmt: skip
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" '
        f'font-weight="{weight}"{turn}>{escape(text)}</text>'
    )
