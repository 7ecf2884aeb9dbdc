"""The snippets of every page in docs/ run, print what stands below them, and name real commands."""

import re
import shlex
from pathlib import Path

import pytest

from ngae.baselines import dvae
from ngae.commands import (
    completion,
    data,
    evaluate,
    explore,
    export,
    rank,
    report,
    reproduce,
    search,
    status,
    train,
)

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {str(path.relative_to(DOCS)): path.read_text() for path in sorted(DOCS.rglob("*.md"))}
PRINTED = re.compile(r"```python\n(.*?)```\n(?:```text\n(.*?)```)?", re.S)
PARSERS = {
    "train": train.build_parser,
    "search": search.build_parser,
    "evaluate": evaluate.build_parser,
    "rank": rank.build_parser,
    "data": data.build_parser,
    "export": export.build_parser,
    "report": report.build_parser,
    "explore": explore.build_parser,
    "reproduce": reproduce.build_parser,
    "status": status.build_parser,
    "completion": completion.build_parser,
    "baselines.dvae": dvae.build_parser,
}
CODE = {page: found for page, text in PAGES.items() if (found := PRINTED.findall(text))}
TRAINING = [page for page, text in PAGES.items() if ".fit(data, epochs=" in text]
LINES = [
    (page, line)
    for page, text in PAGES.items()
    for block in re.findall(r"```sh\n(.*?)```", text, re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if re.search(r"(^|-m )ngae[ .]", line)
]


def test_there_are_snippets():
    assert sum(map(len, CODE.values())) >= 12
    assert len(LINES) >= 6


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_left_to_be_filled_in(page):
    assert re.findall(r"@\w+@|TODO|TBD|FIXME", PAGES[page]) == []


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.end_to_end if page in TRAINING else ()) for page in CODE],
)
def test_python_blocks_print_what_stands_below_them(page, capsys, tmp_path, monkeypatch):
    """The blocks of a page run one after the other and know of each other."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for code, printed in CODE[page]:
        exec(compile(code, page, "exec"), names)
        found = capsys.readouterr().out
        assert not printed or found == printed


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{p}: {text}" for p, text in LINES])
def test_shell_lines_are_commands_that_exist(page, line):
    words = shlex.split(line.replace("-m ngae.", "ngae "), comments=True)
    words = words[words.index("ngae") + 1 :]
    if words[0] == "doctor":
        assert words[1:] == []
    else:
        PARSERS[words[0]]().parse_args(words[1:])
