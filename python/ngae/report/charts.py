"""Charts as whole SVG documents of one style, light and dark: curves, dots, maps of colours.

Light colours are attributes; a style sheet in the document replaces them on a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ngae.drawing.svg import clean, text_width
from ngae.report.colours import PAINTS, RAMP, dark_style
from ngae.search.curves import Axis

Values = NDArray[np.float64]
Paint = Literal["one", "two", "three", "soft"]

_WIDTH, _HEIGHT = 560, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 20, 64, 54
_PAD = 0.04  # of a range, at both ends
_SMALLEST = 0.8  # of the least positive value: the lower end of a logarithmic axis


@dataclass(frozen=True, eq=False)
class Series:
    """What is drawn in one colour.

    Attributes:
        name: In the legend; "" leaves it out.
        x: (n,).
        y: (n,); where it is not finite, nothing is drawn.
        paint: Its colour.
        form: A line, a dashed line, or dots.
        spread: (n,) half the height of a band around `y`, or None.
    """

    name: str
    x: Values
    y: Values
    paint: Paint = "one"
    form: Literal["line", "dashed", "dots"] = "line"
    spread: Values | None = None


def chart(
    title: str,
    x_title: str,
    y_title: str,
    series: Sequence[Series],
    *,
    log: bool = False,
    alike: bool = False,
) -> str:
    """Draw series over one pair of axes.

    Args:
        title: Above the plot.
        x_title: Of the horizontal axis.
        y_title: Of the vertical axis.
        series: At least one, with a point.
        log: Whether the vertical axis is logarithmic.
        alike: Whether both axes have one range.

    Returns:
        A whole SVG document.
    """
    xs = np.concatenate([s.x for s in series])
    ys = np.concatenate([_reach(s) for s in series])
    if alike:
        xs = ys = np.concatenate([xs, ys])
    x, y = _axis(x_title, xs), _axis(y_title, ys, log)
    whole = bool((xs == xs.round()).all())
    parts = [_title(title), *_grid(x, y, whole=whole), *_legend(series)]
    for one in series:
        parts += _drawn(one, x, y)
    return _document(title, parts, ["back", "ink", "soft", "rule", "one", "two", "three"])


def heat_map(
    title: str, x_title: str, y_title: str, x: Values, y: Values, values: Values, named: str
) -> str:
    """Draw a number over a plane as colours.

    Args:
        title: Above the map.
        x_title: Of the horizontal axis.
        y_title: Of the vertical axis.
        x: (columns,) ascending, evenly spaced, at least two.
        y: (rows,) likewise.
        values: (rows, columns).
        named: What the colours stand for.

    Returns:
        A whole SVG document.
    """
    across = Axis(x_title, float(x[0]), float(x[-1]))
    up = Axis(y_title, float(y[0]), float(y[-1]))
    low, high = float(values.min()), float(values.max())
    shade = ((values - low) / ((high - low) or 1.0) * (len(RAMP) - 1)).round().astype(int)
    parts = [_title(title), *_cells(shade), *_grid(across, up, rules=False)]
    parts += _scale(named, low, high)
    return _document(title, parts, ["back", "ink", "soft", "rule", *RAMP])


def _reach(series: Series) -> Values:
    """What the vertical axis has to hold."""
    spread = 0.0 if series.spread is None else series.spread
    both = np.concatenate([series.y - spread, series.y + spread])
    found: Values = both[np.isfinite(both)]
    return found


def _axis(title: str, values: Values, log: bool = False) -> Axis:
    low, high = float(values.min()), float(values.max())
    if log:
        positive = values[values > 0]
        low = _SMALLEST * float(positive.min()) if len(positive) else 1.0
        return Axis(title, low, max(high / _SMALLEST, 2 * low), log=True)
    pad = _PAD * (high - low) or 0.5
    return Axis(title, low - pad, high + pad)


def _across(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * (_WIDTH - _LEFT - _RIGHT)


def _up(axis: Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.place(value) * (_HEIGHT - _BOTTOM - _TOP)


def _grid(x: Axis, y: Axis, *, rules: bool = True, whole: bool = False) -> list[str]:
    """Draw axes with their marks; `whole`: whole numbers only along the horizontal one."""
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    lines, texts = [], []
    for value in x.ticks():
        if whole and value != round(value):
            continue
        at = _across(x, value)
        lines.append(f"M{at:.1f} {bottom}V{_TOP}")
        texts.append(_text(at, bottom + 18, f"{value:g}", "soft"))
    for value in _thinned(y.ticks()):
        at = _up(y, value)
        lines.append(f"M{_LEFT} {at:.1f}H{right}")
        texts.append(_text(_LEFT - 8, at + 4, f"{value:g}", "soft", "end"))
    middle = (_TOP + bottom) / 2
    return [
        f'<path d="{"".join(lines)}" fill="none" {_line("rule")}/>' if rules else "",
        *texts,
        f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" {_line("soft")}/>',
        _text((_LEFT + right) / 2, _HEIGHT - 14, x.title, "ink"),
        _text(18, middle, y.title, "ink", turned=True),
    ]


def _thinned(ticks: list[float]) -> list[float]:
    """At most a dozen of them, evenly."""
    return ticks[:: 1 + len(ticks) // 12]


def _drawn(series: Series, x: Axis, y: Axis) -> list[str]:
    rows = np.flatnonzero(np.isfinite(series.y)).tolist()
    places = [(_across(x, float(series.x[i])), _up(y, float(series.y[i]))) for i in rows]
    if series.form == "dots":
        return [
            f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3.2" fill-opacity="0.75" '
            f"{_area(series.paint)}/>"
            for across, up in places
        ]
    dash = ' stroke-dasharray="6 4"' if series.form == "dashed" else ""
    points = " ".join(f"{across:.1f},{up:.1f}" for across, up in places)
    line = f'<polyline points="{points}" fill="none" stroke-width="2" {_line(series.paint)}{dash}/>'
    if series.spread is None:
        return [line]
    ends = [
        f"{_across(x, float(series.x[i])):.1f},{_up(y, float(series.y[i] + way * spread)):.1f}"
        for way, order in ((1, rows), (-1, rows[::-1]))
        for i in order
        for spread in [series.spread[i]]
    ]
    band = f'<polygon points="{" ".join(ends)}" fill-opacity="0.16" {_area(series.paint)}/>'
    return [band, line]


def _legend(series: Sequence[Series]) -> list[str]:
    parts, at = [], float(_LEFT)
    for one in series:
        if not one.name:
            continue
        if one.form == "dots":
            parts.append(f'<circle cx="{at + 9:.1f}" cy="44" r="3.6" {_area(one.paint)}/>')
        else:
            dash = ' stroke-dasharray="6 4"' if one.form == "dashed" else ""
            line = f'd="M{at:.1f} 44h18" fill="none" stroke-width="2.5"'
            parts.append(f"<path {line} {_line(one.paint)}{dash}/>")
        parts.append(_text(at + 24, 48, one.name, "soft", "start"))
        at += 24 + text_width(one.name) + 18
    return parts


def _cells(shade: NDArray[np.int64]) -> list[str]:
    """One path for each colour, of its cells."""
    rows, columns = shade.shape
    width, height = (_WIDTH - _LEFT - _RIGHT) / columns, (_HEIGHT - _BOTTOM - _TOP) / rows
    parts = []
    for number, name in enumerate(RAMP):
        cells = [
            f"M{_LEFT + c * width:.2f} {_HEIGHT - _BOTTOM - (r + 1) * height:.2f}"
            f"h{width:.2f}v{height:.2f}h{-width:.2f}z"
            for r, c in np.argwhere(shade == number).tolist()
        ]
        if cells:
            parts.append(f'<path shape-rendering="crispEdges" d="{"".join(cells)}" {_area(name)}/>')
    return parts


def _scale(named: str, low: float, high: float) -> list[str]:
    width, left = 6, _LEFT + text_width(f"{low:.4g}") + 8
    boxes = [
        f'<rect shape-rendering="crispEdges" x="{left + width * i:.1f}" y="38" width="{width}" '
        f'height="12" {_area(name)}/>'
        for i, name in enumerate(RAMP)
    ]
    right = left + width * len(RAMP)
    return [
        _text(left - 8, 48, f"{low:.4g}", "soft", "end"),
        *boxes,
        _text(right + 8, 48, f"{high:.4g}   {named}", "soft", "start"),
    ]


def _line(paint: str) -> str:
    return f'class="l-{paint}" stroke="{PAINTS[paint].light}"'


def _area(paint: str) -> str:
    return f'class="a-{paint}" fill="{PAINTS[paint].light}"'


def _title(text: str) -> str:
    return _text(_LEFT, 22, text, "ink", "start", weight="600")


def _text(
    x: float,
    y: float,
    text: str,
    paint: str,
    anchor: str = "middle",
    *,
    weight: str = "normal",
    turned: bool = False,
) -> str:
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f"{_area(paint)}{turn}>{clean(text)}</text>"
    )


def _document(title: str, parts: Sequence[str], paints: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="system-ui, sans-serif" font-size="12" '
        f'role="img">\n<title>{clean(title)}</title>\n<style>{dark_style(paints)}</style>\n'
        f'<rect width="100%" height="100%" rx="8" {_area("back")}/>\n'
        + "\n".join(part for part in parts if part)
        + "\n</svg>\n"
    )
