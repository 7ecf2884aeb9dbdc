"""Settings of the documentation site: `sphinx-build -W -b html docs build/docs`.

The pages are plain Markdown that GitHub shows as well; the hooks below do what differs here.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import ngae

DOCS = Path(__file__).resolve().parent
# Pages whose text is another file: what lies above docs/, and search.md, whose name Sphinx keeps
# for its own page.
ELSEWHERE = {
    "readme": DOCS.parent / "README.md",
    "changelog": DOCS.parent / "CHANGELOG.md",
    "contributing": DOCS.parent / "CONTRIBUTING.md",
    "security": DOCS.parent / "SECURITY.md",
    "strategies": DOCS / "search.md",
}
PAGE_OF = {path: DOCS / f"{page}.md" for page, path in ELSEWHERE.items()}

project = "ngae"
author = copyright = "The ngae developers"
version = release = ngae.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["search.md"]
default_role = "code"
root_doc = "index"
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"ngae {release}"
html_copy_source = html_show_sphinx = False

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True


def link_pages(app: Any, docname: str, source: list[str]) -> None:
    """Give the pages of `ELSEWHERE` their text, and let links to it lead to these pages."""
    page = DOCS / f"{docname}.md"
    path = ELSEWHERE.get(docname, page)
    if path != page:
        app.env.note_dependency(str(path))
        source[0] = path.read_text(encoding="utf-8")

    def led(link: re.Match[str]) -> str:
        target = (path.parent / link[1]).resolve()
        return f"]({os.path.relpath(PAGE_OF.get(target, target), page.parent)}"

    source[0] = re.sub(r"\]\(([^)#:\s]+)(?=[)#])", led, source[0])


def list_settings(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Give frozen settings a list of their fields, which say what they are in `--help`."""
    if not dataclasses.is_dataclass(obj):
        return
    for field in dataclasses.fields(obj):
        if "help" in field.metadata:
            lines += [f":ivar {field.name}: {field.metadata['help']} (default: {field.default!r})"]


def setup(app: Any) -> None:
    """Connect the hooks."""
    app.connect("source-read", link_pages)
    app.connect("autodoc-process-docstring", list_settings)
