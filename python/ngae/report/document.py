"""A whole HTML document: styles and scripts inside, everything else forbidden to the browser."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from ngae.report.html import Html, element, joined

_ASSETS = files("ngae.report") / "assets"


def asset(*names: str) -> str:
    """Read files of `assets/`, one after the other."""
    return "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in names)


def policy(style: str, script: str, connect: str = "'none'") -> str:
    """Write the content security policy of a page with this one style and this one script.

    Args:
        style: Content of the style element.
        script: Content of the script element.
        connect: Where the page may send requests.
    """
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        f"connect-src {connect}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def document(
    title: str, body: Html, *, style: str, script: str, connect: str = "'none'"
) -> str:  # fmt: skip
    """Write the document.

    Args:
        title: Of the page.
        body: What stands in it.
        style: The one style sheet.
        script: The one script; it runs after the body is there.
        connect: Where the page may send requests.
    """
    head = joined(
        [
            element("meta", charset="utf-8"),
            element(
                "meta", http_equiv="Content-Security-Policy", content=policy(style, script, connect)
            ),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="referrer", content="no-referrer"),
            element("title", title),
            Html(f"<style>{style}</style>"),
        ]
    )
    whole = element(
        "html",
        element("head", head),
        element("body", body, Html(f"<script>{script}</script>")),
        lang="en",
    )
    return f"<!doctype html>\n{whole}\n"


def _digest(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
