"""The snippets of the pages on NAS-Bench-101 and 201 run and print what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from ngae.commands import train

PAGES = Path(__file__).parents[2] / "docs" / "spaces"
NAMES = ("nas-bench-101", "nas-bench-201")
PRINTED = re.compile(r"```python\n(.*?)```\n```text\n(.*?)```", re.S)


@pytest.mark.parametrize("name", NAMES)
def test_python_blocks_print_what_stands_below_them(name, capsys):
    blocks = PRINTED.findall((PAGES / f"{name}.md").read_text())
    assert len(blocks) == 1
    for code, printed in blocks:
        exec(compile(code, f"{name}.md", "exec"), {})
        assert capsys.readouterr().out == printed


@pytest.mark.parametrize("name", NAMES)
def test_shell_lines_are_commands_that_exist(name):
    blocks = re.findall(r"```sh\n(.*?)```", (PAGES / f"{name}.md").read_text(), re.S)
    words = shlex.split("\n".join(blocks))
    assert words[:2] == ["ngae", "train"]
    train.build_parser().parse_args(words[2:])
