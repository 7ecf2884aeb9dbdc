"""The live page: the map of the report, with a panel for what the model answers."""

from __future__ import annotations

from dataclasses import dataclass

from ngae.explore.explorer import Explorer
from ngae.report.document import asset, document, policy
from ngae.report.html import Html, element, joined

STYLE = ("style.css", "explore.css")
SCRIPTS = (
    "base.js", "network.js", "plot.js", "zoom.js", "map.js", "answer.js", "walk.js", "explore.js",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """The page as it is sent.

    Attributes:
        content: The document.
        policy: Its content security policy, which is sent as a header, too.
    """

    content: bytes
    policy: str

    @classmethod
    def of(cls, explorer: Explorer) -> Page:
        """Write the page of an explorer."""
        style, script = asset(*STYLE), asset(*SCRIPTS)
        title = f"{explorer.run.data.name}: latent space"
        text = document(title, _body(explorer), style=style, script=script, connect="'self'")
        return cls(text.encode(), policy(style, script, "'self'"))


def _body(explorer: Explorer) -> Html:
    data = explorer.run.data
    facts = f"{len(data.table):,} rows of {data.name} · space {data.space.name} · "
    facts += f"latent space of {explorer.width} dimensions"
    header = element(
        "header",
        element("h1", "Explore the latent space"),
        element("p", facts, class_="facts"),
    )
    return joined([header, element("main", _map(), _panel(), class_="explore")])


def _map() -> Html:
    return element(
        "section",
        element("div", class_="bar", id="controls"),
        element("div", id="map-plot"),
        element(
            "p",
            "Click anywhere: the point of the plane is decoded. By keyboard: arrow keys move, "
            "Enter decodes, Escape lets go. Wheel, pinch, + and - zoom, dragging or Shift with an "
            "arrow moves the map, a double click or 0 shows all of it.",
            class_="note",
        ),
        _walk(),
        aria_label="Map",
    )


def _panel() -> Html:
    return element(
        "section",
        element("p", "Loading the map ...", id="status", role="status", class_="note"),
        element("div", id="answer", class_="card detail", aria_live="polite"),
        aria_label="Network",
    )


def _walk() -> Html:
    """The card of a walk: from A to B, or of a search."""
    return element(
        "div",
        element("h2", "Walk", id="walk-title"),
        element("p", "Choose two networks as A and B, or search from one.", id="walk-note",
                class_="note"),
        element("div", id="walk-curve"),
        element("input", type="range", id="walk-slider", min="0", max="0", value="0", step="1",
                disabled=True, aria_label="Position on the walk"),
        class_="card detail",
        id="walk",
    )  # fmt: skip
