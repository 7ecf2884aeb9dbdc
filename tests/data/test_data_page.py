"""docs/data.md: its Python runs, its facts are the catalog's."""

import re
from pathlib import Path

from ngae.data.catalog import ENTRIES
from ngae.data.convert import FORMS

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.S)
GRAPHS = "nas-bench-graph-"


def test_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code in PYTHON:
        exec(compile(code, "data.md", "exec"), {})
    assert capsys.readouterr().out == "15625 nas-bench-201\n72 enas2\n"


TABLES, CONVERTERS = TEXT.split("## Converters")


def _rows(text):
    """The cells of each line of the tables in a text, by what stands in its first cell."""
    lines = [line.strip("| ").split(" |") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip(): [cell.strip() for cell in cells] for cells in lines}


def test_every_table_is_there():
    rows = _rows(TABLES)
    for entry in ENTRIES:
        short = f"`-{entry.name.removeprefix(GRAPHS)}`"
        names = (f"`{entry.name}`", short)
        (cells,) = [rows[head] for head in rows if any(n in head.split(", ") for n in names)]
        assert f"{entry.rows:,}" in cells[2]
        assert cells[3] == f"`{entry.space}`"
        assert entry.licence in cells[4]
        known = "" if entry.embedded else "known" if entry.files[0].sha256 else "not known"
        assert cells[5:] == ([known] if known else [])
    assert len(rows) == 8


def test_every_form_is_there():
    rows = _rows(CONVERTERS)
    assert list(rows)[1:] == [f"`{form.name}`" for form in FORMS]
    for form in FORMS:
        assert rows[f"`{form.name}`"][3].startswith("**never**") is not form.tried
