"""Mean curves with bands as SVG, without any dependency: a line for each name, a legend beside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

# Told apart by most eyes (Okabe and Ito).
_COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#8c6d1f",
)  # fmt: skip
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 420, 76, 150, 44, 54
_PLOT = (_LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, _TOP)  # left, right, bottom, top
_RULE, _TEXT = 16, 46  # where an entry beside the plot has its rule, and its name
_LETTER = 7.5  # width of one, about
_MOST_POINTS = 400  # of a line; more than that nobody sees
_DECADES = 1e-4  # values below this share of the largest are drawn at the lower edge

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """One axis: its title, its range, and where a value stands on it (0 to 1).

    Attributes:
        title: What it shows, with the unit.
        low: Value at 0.
        high: Value at 1.
        log: Whether it is logarithmic.
    """

    title: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return where `value` stands; outside of the range at its edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return the values that get a mark."""
        return _log_ticks(self.low, self.high) if self.log else _ticks(self.low, self.high)


def mean_curves(
    title: str, y_title: str, curves: Mapping[str, Values], *, log: bool = False
) -> str:
    """Draw means over searches, after each query, with a band of one standard error each way.

    Args:
        title: Above the plot.
        y_title: Of the vertical axis.
        curves: By name (num_searches, num_queries), as many queries each; at least one.
        log: Whether the vertical axis is logarithmic; zero is drawn at its lower edge.

    Returns:
        A whole SVG document.
    """
    queries = max(values.shape[1] for values in curves.values())
    means = {name: values.mean(axis=0) for name, values in curves.items()}
    errors = {name: _standard_error(values) for name, values in curves.items()}
    x = Axis("queries", 1, max(2, queries))
    y = _vertical(y_title, means, errors, log)
    parts = [_text((_LEFT + _WIDTH - _RIGHT) / 2, 24, title, weight="bold")]
    parts += _grid(x, y)
    for number, name in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        parts += _curve(x, y, means[name], errors[name], colour)
        parts += _entry(number, name, colour)
    return "\n".join([_head(curves), *parts, "</svg>"]) + "\n"


def _head(names: Iterable[str]) -> str:
    """Open a document that is as wide as its longest name demands."""
    longest = max(len(name) for name in names)
    width = max(_WIDTH, math.ceil(_WIDTH - _RIGHT + _TEXT + _LETTER * longest))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" width="{width}" '
        f'height="{_HEIGHT}" font-family="sans-serif" font-size="13">'
        '<rect width="100%" height="100%" fill="white"/>'
    )


def _standard_error(values: Values) -> Values:
    count = len(values)
    if count < 2:
        return np.zeros(values.shape[1])
    error: Values = values.std(axis=0, ddof=1) / math.sqrt(count)
    return error


def _vertical(
    title: str, means: Mapping[str, Values], errors: Mapping[str, Values], log: bool
) -> Axis:
    tops = [float((means[name] + errors[name]).max()) for name in means]
    high = max(tops)
    if not log or high <= 0:
        bottoms = [float((means[name] - errors[name]).min()) for name in means]
        low = min(bottoms)
        return Axis(title, low, high if high > low else low + 1.0)
    positive = [float(mean[mean > 0].min()) for mean in means.values() if (mean > 0).any()]
    low = max(0.8 * min(positive), _DECADES * high)
    return Axis(title, low, 1.05 * high, log=True)


def _grid(x: Axis, y: Axis) -> list[str]:
    left, right, bottom, top = _PLOT
    parts = []
    for value in x.ticks():
        at = _across(x, value)
        parts += [_rule(at, bottom, at, top), _text(at, bottom + 18, f"{value:g}")]
    for value in y.ticks():
        at = _up(y, value)
        parts += [_rule(left, at, right, at), _text(left - 8, at + 4, f"{value:g}", anchor="end")]
    frame = f'<path d="M{left} {top} V{bottom} H{right}" fill="none" stroke="#666"/>'
    middle = (top + bottom) / 2
    return [
        *parts,
        frame,
        _text((left + right) / 2, _HEIGHT - 14, x.title),
        _text(18, middle, y.title, turned=True),
    ]


def _curve(x: Axis, y: Axis, mean: Values, error: Values, colour: str) -> list[str]:
    rows = np.unique(np.linspace(0, len(mean) - 1, min(len(mean), _MOST_POINTS)).astype(int))

    def path(values: Values, order: Sequence[int]) -> str:
        return " ".join(f"{_across(x, i + 1):.1f},{_up(y, float(values[i])):.1f}" for i in order)

    places: list[int] = rows.tolist()
    band = f"{path(mean + error, places)} {path(mean - error, places[::-1])}"
    return [
        f'<polygon points="{band}" fill="{colour}" fill-opacity="0.18"/>',
        f'<polyline points="{path(mean, places)}" fill="none" stroke="{colour}" stroke-width="2"/>',
    ]


def _entry(number: int, name: str, colour: str) -> list[str]:
    left, height = _WIDTH - _RIGHT, _TOP + 12 + 22 * number
    rule = f'<path d="M{left + _RULE} {height - 4} h22" stroke="{colour}" stroke-width="3"/>'
    return [rule, _text(left + _TEXT, height, name, anchor="start")]


def _across(x: Axis, value: float) -> float:
    left, right, _, _ = _PLOT
    return left + x.place(value) * (right - left)


def _up(y: Axis, value: float) -> float:
    _, _, bottom, top = _PLOT
    return bottom - y.place(value) * (bottom - top)


def _ticks(low: float, high: float) -> list[float]:
    """Round values, five or so."""
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((unit * factor for factor in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    first = math.ceil(low / step)
    count = math.floor(high / step) - first + 1
    return [float(f"{(first + i) * step:.12g}") for i in range(count)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [float(f"{value:.6g}") for value in values if low <= value <= high]


def _rule(x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<path d="M{x0:.1f} {y0:.1f} L{x1:.1f} {y1:.1f}" stroke="#e3e6ea"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "middle", weight: str = "normal",
    turned: bool = False,
) -> str:  # fmt: skip
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222" '
        f'font-weight="{weight}"{turn}>{escape(text)}</text>'
    )
