"""`reproduce.html` and `reproduce.md`: the chapters of a reproduction, for browsers and as text."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import ngae
from ngae.files import write_text
from ngae.report.document import asset, document
from ngae.report.html import Html, element, joined
from ngae.report.published import TITLE
from ngae.reproduce.content import Bullets, Chapter, Gallery, Grid, Picture, chapters, facts
from ngae.reproduce.folder import ReproduceFolder, Stage
from ngae.reproduce.results import Results

_HEADING = f"{TITLE}, reproduced"


def write_pages(results: Results, stages: Sequence[Stage]) -> None:
    """Write both pages into the folder."""
    parts, told = chapters(results, stages), facts(results)
    write_text(results.folder / "reproduce.html", html(parts, told, results.folder))
    write_text(results.folder / "reproduce.md", markdown(parts, told))


def html(parts: Sequence[Chapter], told: Sequence[str], folder: ReproduceFolder) -> str:
    """Write the page, with its drawings inside."""
    links = [
        element("li", element("a", part.title.split(":")[0], href=f"#{part.key}")) for part in parts
    ]
    body = joined(
        [
            element(
                "header",
                element("p", "Tables and figures of a paper, made anew", class_="over"),
                element("h1", _HEADING),
                element("p", " · ".join(told), class_="facts"),
                element("nav", element("ul", *links, class_="links"), aria_label="Parts"),
            ),
            element("main", *[_section(part, folder) for part in parts]),
            element(
                "footer",
                f"Written by ngae {ngae.__version__} from the files of this folder: a CSV file "
                "and a drawing for each figure. Nothing on this page is fetched from elsewhere.",
            ),
        ]
    )
    style = asset("style.css", "reproduce.css")
    return document(_HEADING, body, style=style, script="")


def markdown(parts: Sequence[Chapter], told: Sequence[str]) -> str:
    """Write the same as Markdown, with links to the drawings."""
    lines = [f"# {_HEADING}", "", "; ".join(told) + ".", ""]
    for part in parts:
        lines += [f"## {part.title}", ""]
        if part.lead:
            lines += [part.lead, ""]
        for block in part.parts:
            lines += _markdown_block(block)
    return "\n".join(lines).rstrip() + "\n"


def _section(part: Chapter, folder: ReproduceFolder) -> Html:
    shown = []
    for block in part.parts:
        if isinstance(block, Grid):
            shown.append(_grid(block, part.title))
        elif isinstance(block, Gallery):
            shown.append(_gallery(block, folder))
        else:
            shown.append(_bullets(block))
    return element(
        "section",
        element("h2", part.title, id=f"{part.key}-title"),
        element("p", part.lead, class_="lead") if part.lead else None,
        *shown,
        id=part.key,
        aria_labelledby=f"{part.key}-title",
    )


def _grid(grid: Grid, label: str) -> Html:
    head, *rows = grid.rows
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *[
                element("td", cell, class_="own" if column == grid.own else None)
                for column, cell in enumerate(row[1:], 1)
            ],
        )
        for row in rows
    ]
    names = [element("th", name, scope="col") for name in head]
    table = element(
        "table",
        element("thead", element("tr", *names)),
        element("tbody", *body),
        class_="prose" if grid.prose else None,
    )
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def _gallery(gallery: Gallery, folder: ReproduceFolder) -> Html:
    shown = [
        element(
            "figure",
            element("img", src=_source(picture, folder), alt=picture.alt, loading="lazy"),
            element("figcaption", picture.caption, class_="note"),
            class_="card",
        )
        for picture in gallery.pictures
    ]
    title = element("h3", gallery.title) if gallery.title else None
    kind = "figures three" if gallery.title else "figures"
    return joined([title or Html(""), element("div", *shown, class_=kind)])


def _source(picture: Picture, folder: ReproduceFolder) -> str:
    content = (folder / f"figures/{picture.name}.svg").read_bytes()
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode('ascii')}"


def _bullets(bullets: Bullets) -> Html:
    items = [
        element("li", text, *([" ", element("code", command)] if command else []))
        for text, command in bullets.items
    ]
    return element("ul", *items, class_="bullets")


def _markdown_block(block: Grid | Gallery | Bullets) -> list[str]:
    if isinstance(block, Grid):
        head, *rows = block.rows
        align = ["---"] + ["---" if block.prose else "---:"] * (len(head) - 1)
        return [*(f"| {' | '.join(row)} |" for row in (head, align, *rows)), ""]
    if isinstance(block, Gallery):
        lines = [f"### {block.title}", ""] if block.title else []
        for picture in block.pictures:
            lines += [f"![{picture.alt}](figures/{picture.name}.svg)", "", picture.caption, ""]
        return lines
    return [*(f"- {text}{f' `{command}`' if command else ''}" for text, command in block.items), ""]
