"""The examples run, offline, and end in what they promise; the notebook's cells in their order."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
NOTEBOOK = EXAMPLES / "quickstart.ipynb"
SHOW = """
def show(value):
    if value is None:
        return
    for name in ("_repr_svg_", "_repr_html_", "__repr__"):
        if hasattr(value, name):
            print("shown:", getattr(value, name)()[:40].replace(chr(10), " "))
            return
"""


def _python(*arguments, cwd):
    """Run Python where no proxy leads out; give what it printed."""
    env = {**os.environ, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _cells(kind):
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def _script():
    """All code cells as one program; where a cell ends in an expression, its value is shown."""
    parts = [SHOW]
    for cell in _cells("code"):
        tree = ast.parse("".join(cell["source"]))
        if isinstance(tree.body[-1], ast.Expr):
            last = tree.body[-1]
            last.value = ast.Call(ast.Name("show", ast.Load()), [last.value], [])
        parts.append(ast.unparse(ast.fix_missing_locations(tree)))
    return "\n".join(parts)


def test_the_notebook_stores_no_outputs():
    assert all(not cell["outputs"] for cell in _cells("code"))
    assert all(cell["execution_count"] is None for cell in _cells("code"))
    assert len(_cells("markdown")) >= 5


@pytest.mark.end_to_end
def test_the_notebook_runs(tmp_path):
    (tmp_path / "cells.py").write_text(_script())
    lines = [
        line for line in _python("cells.py", cwd=tmp_path).splitlines() if line[:6] == "shown:"
    ]
    drawings = [line for line in lines if line.startswith("shown: <svg")]
    assert lines[0] == "shown: (17118, 1902, ('params', 'macs'))"
    assert len(drawings) == 3
    assert lines[-1] == "shown: torch.Size([2, 10])"
    assert (tmp_path / "runs" / "notebook" / "metrics.json").exists()


@pytest.mark.end_to_end
def test_ask_and_tell_goes_on_where_it_stopped(tmp_path):
    first = _python(EXAMPLES / "ask_and_tell.py", "mine", cwd=tmp_path)
    trials = (tmp_path / "mine" / "trials.jsonl").read_text()
    assert first.startswith("40 queries, best ")
    assert float(first.split()[3]) >= 0.5
    assert _python(EXAMPLES / "ask_and_tell.py", "mine", cwd=tmp_path) == first
    assert (tmp_path / "mine" / "trials.jsonl").read_text() == trials


@pytest.mark.end_to_end
def test_the_judge_answers_a_search(tmp_path):
    command = f"command {sys.executable} {EXAMPLES / 'judge.py'} {{arch}}"
    flags = ["--space", "nas-bench-201", "--strategy", "evolution", "--budget", "8"]
    out = ["--out", "found"]
    _python("-m", "ngae.search", *flags, "--oracle", command, *out, cwd=tmp_path)
    trials = [
        json.loads(line) for line in (tmp_path / "found" / "trials.jsonl").read_text().splitlines()
    ]
    assert len(trials) == 8
    assert all(-0.1 < trial["performance"] <= 1 for trial in trials)
