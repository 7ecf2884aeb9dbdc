"""Settings of the documentation site: `sphinx-build -W -b html docs build/docs`.

The pages are plain Markdown that GitHub shows as well; the hooks below do what differs here.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import ngae

ROOT = Path(__file__).parents[1]
FILES = {"readme": "README.md", "changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}

project = "ngae"
author = copyright = "The ngae developers"
version = release = ngae.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
root_doc = "index"
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_ambiguous"]
pygments_style = "sphinx"
pygments_dark_style = "monokai"

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
    """Put README and its like, which lie above docs/, among the pages."""
    if docname in FILES:
        path = ROOT / FILES[docname]
        app.env.note_dependency(str(path))
        source[0] = path.read_text(encoding="utf-8").replace("](docs/", "](")
    above = "" if docname in FILES else "../"
    for page, name in FILES.items():
        link = rf"\]\(((?:\.\./)*){re.escape(above + name)}(?=[)#])"
        source[0] = re.sub(link, rf"](\1{page}.md", source[0])


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
