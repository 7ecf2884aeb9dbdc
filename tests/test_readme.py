"""Every snippet of the README runs, or is a command that exists."""

import os
import re
import shlex
from pathlib import Path

import pytest

from bench import gpu, report
from ngae import cli
from ngae.commands import data, evaluate, explore, export, rank, reproduce, search, status, train
from ngae.commands import report as page

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text() if README.exists() else ""
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.S)
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.S)
PARSERS = {
    "ngae.train": train.build_parser,
    "ngae.search": search.build_parser,
    "ngae.evaluate": evaluate.build_parser,
    "ngae.rank": rank.build_parser,
    "ngae.export": export.build_parser,
    "ngae.data": data.build_parser,
    "ngae.report": page.build_parser,
    "ngae.explore": explore.build_parser,
    "ngae.reproduce": reproduce.build_parser,
    "ngae.status": status.build_parser,
    "bench.report": report.build_parser,
    "bench.gpu": gpu.build_parser,
}


def _commands():
    for block in SHELL:
        for line in block.replace("&&", "\n").splitlines():
            words = shlex.split(line, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words:
                yield words


def test_there_are_snippets():
    assert len(SHELL) >= 4
    assert len(PYTHON) >= 1
    assert "@@" not in TEXT


@pytest.mark.parametrize("words", list(_commands()), ids=" ".join)
def test_shell_lines_are_commands_that_exist(words):
    if words[:2] == ["python", "-m"] and words[2] in PARSERS:
        PARSERS[words[2]]().parse_args(words[3:])
    elif words[0] == "ngae":
        assert words[1] in cli._COMMANDS
        if f"ngae.{words[1]}" in PARSERS:
            PARSERS[f"ngae.{words[1]}"]().parse_args(words[2:])
    elif "/" in words[0]:
        assert os.access(README.parent / words[0], os.X_OK)
    else:
        assert words[0] in ("pip", "pytest")


@pytest.mark.end_to_end
@pytest.mark.parametrize("code", PYTHON)
def test_python_blocks_run(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 2
    assert (tmp_path / "runs" / "readme" / "best.svg").exists()


def test_the_set_up_commands_are_found_by_their_marks():
    script = (README.parent / "tests" / "readme_command.sh").read_text()
    for mark in ("main", "test"):
        assert f"<!-- {mark} -->\n```sh\n" in TEXT
    assert "README.md" in script
