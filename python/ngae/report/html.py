"""HTML made of escaped text: what comes from data cannot become markup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any


class Html(str):
    """Text that is markup already; `element` makes it, everything else is escaped."""

    __slots__ = ()


_VOID = ("meta", "input", "br", "img")


def element(name: str, /, *content: object, **attributes: object) -> Html:
    """Write an element.

    Args:
        name: Of the element.
        content: Children: `Html` as it is, anything else as escaped text; None is left out.
        attributes: By name; `_` stands for `-`, a last one is dropped (`class_`). None is left out,
            True gives a bare name.
    """
    parts = [name]
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(attribute)
        elif value is not None and value is not False:
            parts.append(f'{attribute}="{escape(str(value), quote=True)}"')
    inner = "".join(text_of(child) for child in content if child is not None)
    closing = "" if name in _VOID else f"{inner}</{name}>"
    return Html(f"<{' '.join(parts)}>{closing}")


def joined(parts: Iterable[object]) -> Html:
    """Put parts one after the other; what is no `Html` is escaped."""
    return Html("".join(text_of(part) for part in parts))


def text_of(value: object) -> str:
    """Return `Html` as it is, anything else escaped."""
    return value if isinstance(value, Html) else escape(str(value), quote=True)


def data_block(name: str, value: Any) -> Html:
    """Write JSON into a script that is never run; no letter in it can end the script."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{escape(name, quote=True)}">{text}</script>')
