"""The elements of a drawing as SVG text: boxes, arrows, legends, the document.

Light colours are attributes, which every program reads; a style sheet in the document replaces
them on a dark page. There are no identifiers, so that drawings can stand together on one page.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ngae.drawing.palette import PAINTS, dark_style, paints_by_name

CHARACTER = 6.9  # width of a character, in pixels; an average of common fonts at size 12
DASHES = {"a": "7 3", "b": "2 3"}


@dataclass(frozen=True)
class Entry:
    """One line of a legend.

    Attributes:
        paint: A key of PAINTS.
        text: What it stands for.
    """

    paint: str
    text: str


def clean(text: str) -> str:
    """Escape a text; what XML cannot hold becomes a question mark."""
    legal = (
        c if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff") else "?" for c in text
    )
    return escape("".join(legal).replace("\ufffe", "?").replace("\uffff", "?"))


def painted(key: str) -> str:
    """Return the attributes of a paint."""
    paint = PAINTS[key]
    dash = f' stroke-dasharray="{DASHES[key]}"' if key in DASHES else ""
    stroke = "" if paint.line == "none" else f' stroke="{paint.line}"{dash}'
    return f'class="ngae-{key}" fill="{paint.fill}"{stroke}'


def text_width(text: str) -> float:
    """Estimate how wide a text is, in pixels."""
    return CHARACTER * len(text)


def box(x: float, y: float, width: float, height: float, paint: str, radius: float) -> str:
    """Draw a rounded rectangle around (x, y)."""
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{radius:g}" {painted(paint)}/>'
    )


def label(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """Write a text whose middle line is at y."""
    ink = PAINTS["ink"].fill
    return (
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}" class="ngae-ink" '
        f'fill="{ink}">{clean(text)}</text>'
    )


def titled(parts: Iterable[str], title: str) -> str:
    """Group parts under a text that is shown where the pointer rests on them."""
    return f"<g><title>{clean(title)}</title>{''.join(parts)}</g>"


def path(commands: str, paint: str) -> str:
    """Draw a line without an area."""
    line, dash = PAINTS[paint].line, DASHES.get(paint)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    # An area's colour is no line's: "none" stands in the style as well, against that of the class.
    return f'<path d="{commands}" class="ngae-{paint}" style="fill:none" stroke="{line}"{dashed}/>'


def legend(entries: Sequence[Entry], x: float, y: float, width: float) -> tuple[list[str], float]:
    """Lay out entries in lines.

    Args:
        entries: What is explained.
        x: Left end.
        y: Upper end.
        width: Most that a line takes, unless a single entry takes more.

    Returns:
        Elements, and the height that they take.
    """
    parts, at, line = [], x, 0
    for entry in entries:
        needed = 18 + text_width(entry.text) + 14
        if at > x and at + needed - 14 > x + width:
            at, line = x, line + 1
        middle = y + 9 + 18 * line
        parts.append(box(at + 6, middle, 12, 12, entry.paint, 3))
        parts.append(label(at + 18, middle, entry.text, "start"))
        at += needed
    return parts, 18.0 * (line + 1) if entries else 0.0


def legend_width(entries: Sequence[Entry]) -> float:
    """Return the width of a legend in one line."""
    return sum(18 + text_width(entry.text) + 14 for entry in entries)


def document(
    width: float, height: float, parts: Sequence[str], paints: Iterable[str], title: str
) -> str:
    """Put parts into a whole SVG document on a background of its own.

    Args:
        width: In pixels.
        height: In pixels.
        parts: Elements, drawn one over the other.
        paints: Keys of all paints that the parts use.
        title: A text for those who cannot see it.
    """
    keys = ["back", "ink", *sorted(set(paints))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="system-ui, sans-serif" '
        'font-size="12" stroke-width="1.2" stroke-linecap="round" stroke-linejoin="round" '
        f'role="img">\n<title>{clean(title)}</title>\n<style>{dark_style(keys)}</style>\n'
        f'<rect width="100%" height="100%" rx="8" {painted("back")}/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def legend_html(names: Sequence[str], used: Container[str]) -> str:
    """Write a legend as one line of HTML, for a page of many drawings.

    Args:
        names: All labels that nodes can have; they decide on the colours, see `paints_by_name`.
        used: Those that are explained, but for the grey ones (inputs, outputs, states).
    """
    swatch = '<svg width="12" height="12" style="vertical-align:-1px"><style>{}</style>{}</svg>'
    entries = [
        '<span style="white-space:nowrap">'
        f"{swatch.format(dark_style([paint]), box(6, 6, 11, 11, paint, 3))} {clean(name)}</span>"
        for name, paint in paints_by_name(names).items()
        if name in used and paint != "end"
    ]
    return " &ensp; ".join(entries)
