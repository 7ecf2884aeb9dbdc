"""Every snippet of docs/oracles.md runs, one after the other, or is a command that exists."""

import re
import shlex
from pathlib import Path

import pytest

from ngae.commands import search

PAGE = Path(__file__).parents[2] / "docs" / "oracles.md"
TEXT = PAGE.read_text()
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.S)
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.S)


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(PYTHON) == 5
    names = {"__name__": "page"}
    for code in PYTHON:
        exec(compile(code, str(PAGE), "exec"), names)


@pytest.mark.parametrize("line", "".join(SHELL).splitlines())
def test_shell_lines_are_commands_that_exist(line):
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "ngae.search"]
    search.build_parser().parse_args(words[3:])
