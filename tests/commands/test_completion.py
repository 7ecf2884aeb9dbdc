"""The scripts for shells: bash runs its own; zsh and fish where they are installed."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from ngae.cli import main
from ngae.commands import data, search, train
from ngae.commands.completing import commands
from ngae.commands.completion import SHELLS
from ngae.commands.completion_scripts import script
from ngae.commands.names import COMMANDS

COMPLETE = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ngae
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Give the folder of the scripts, as they are printed."""
    folder = tmp_path_factory.mktemp("scripts")
    for shell in SHELLS:
        (folder / shell).write_text(script(shell, commands()) + "\n")
    return folder


@pytest.fixture
def completed(scripts, tmp_path):
    """Give a function that says what bash offers for the last word."""

    def ask(*words):
        done = subprocess.run(
            ["bash", "--norc", "-c", COMPLETE, "bash", str(scripts / "bash"), *words],
            capture_output=True, text=True, cwd=tmp_path, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return [line for line in done.stdout.splitlines() if line]

    return ask


def _flags(parser):
    return [name for action in parser._actions for name in action.option_strings]


def test_bash_completes_commands(completed):
    assert completed("ngae", "") == list(COMMANDS)
    assert completed("ngae", "e") == ["evaluate", "export", "explore"]
    assert completed("ngae", "data", "") == [
        "list", "formats", "check", "get", "convert", "sample", "pack",
    ]  # fmt: skip
    assert completed("ngae", "completion", "") == list(SHELLS)
    assert completed("ngae", "--v") == ["--version"]


def test_bash_completes_every_flag(completed):
    for name, parser in (("train", train.build_parser()), ("search", search.build_parser())):
        assert completed("ngae", name, "-") == _flags(parser)
    get = data.build_parser()._subparsers._group_actions[0].choices["get"]
    assert completed("ngae", "data", "get", "-") == _flags(get)
    assert completed("ngae", "train", "--out", "x", "--dry") == ["--dry-run"]


def test_bash_completes_values_of_flags(completed):
    assert completed("ngae", "train", "--precision", "") == ["float32", "bf16"]
    assert completed("ngae", "train", "--precision", "=", "b") == ["bf16"]
    assert completed("ngae", "train", "--preset", "=") == ["paper", "large"]
    assert completed("ngae", "search", "runs/a", "--strategy", "r") == ["random", "reinforce"]
    assert completed("ngae", "evaluate", "--device", "") == ["auto", "cpu", "cuda"]
    assert completed("ngae", "data", "get", "nas-bench-2") == ["nas-bench-201"]
    assert completed("ngae", "data", "check", "--missing", "") == ["refuse", "keep"]


def test_bash_completes_files_where_a_path_may_stand_and_nothing_for_numbers(completed, tmp_path):
    (tmp_path / "a table.csv").write_text("")
    (tmp_path / "runs").mkdir()
    assert sorted(completed("ngae", "train", "--data", "")) == ["a table.csv", "runs"]
    assert completed("ngae", "export", "a") == ["a table.csv"]
    assert completed("ngae", "report", "r") == ["runs"]
    assert completed("ngae", "train", "--seed", "") == []
    assert completed("ngae", "train", "") == []
    assert completed("ngae", "tarin", "") == []


def test_bash_takes_the_script_as_it_is_printed(capsys):
    assert main(["completion", "bash"]) == 0
    printed = capsys.readouterr().out
    assert printed == script("bash", commands()) + "\n"
    done = subprocess.run(["bash", "--norc", "-uc", f"{printed}\ncomplete -p ngae"],
                          capture_output=True, text=True)  # fmt: skip
    assert (done.stdout, done.stderr) == ("complete -F _ngae ngae\n", "")
    with pytest.raises(SystemExit):
        main(["completion", "tcsh"])


def test_the_script_of_zsh_names_every_command_flag_and_value(scripts):
    text = (scripts / "zsh").read_text()
    lines = text.splitlines()
    assert lines[0] == "#compdef ngae"
    for each in commands():
        start = lines.index(f"_{'_'.join(['ngae', *each.path])}() {{")
        body = "\n".join(lines[start : lines.index("}", start)])
        specs = shlex.split(body.replace("\\\n", " "))
        for flag in each.flags if "_arguments" in specs else ():
            for name in flag.names:
                (spec,) = (s for s in specs if s.startswith(f"{name}["))
                value = re.fullmatch(r"[^\[]+\[[^\[\]:]*\](?::value:(.*))?", spec)
                wanted = f"({' '.join(flag.values)})" if flag.values else None
                assert (value[1] is not None) == flag.takes
                assert wanted is None or value[1] == wanted
        for word in each.words:
            assert any(word in spec for spec in specs)


def test_the_script_of_fish_names_every_command_flag_and_value(scripts):
    text = (scripts / "fish").read_text().replace("\\'", "")
    lines = [
        shlex.split(line) for line in text.splitlines() if line.startswith("complete -c ngae -n")
    ]
    for each in commands():
        *before, name = each.path
        (own,) = (
            line for line in lines if line[4:7] == [" ".join(["__ngae_only", *before]), "-a", name]
        )
        assert own[7] == "-d"
        here = " ".join(["__ngae_at", *each.path])
        flags = [line[5:] for line in lines if line[4] == here and "-d" in line]
        assert len(flags) == len(each.flags)
        for line, flag in zip(flags, each.flags, strict=True):
            assert line[1 : line.index("-d") : 2] == [name.lstrip("-") for name in flag.names]
            assert ("-r" in line) == flag.takes
            assert ("-F" in line) == flag.files
            if flag.values:
                assert line[-2:] == ["-a", " ".join(flag.values)]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_script(shell, scripts):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    done = subprocess.run([shell, "-n", str(scripts / shell)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_fish_completes(scripts, tmp_path):
    if shutil.which("fish") is None:
        pytest.skip("no fish on this machine")

    def offered(line):
        code = f"source {scripts / 'fish'}; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            ["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "HOME": str(tmp_path)},
        )  # fmt: skip
        return [text.split("\t")[0] for text in done.stdout.splitlines()]

    assert offered("ngae tr") == ["train"]
    assert sorted(offered("ngae train --preset ")) == ["large", "paper"]
    assert offered("ngae search run --oracle train --strat") == ["--strategies", "--strategy"]
    assert offered("ngae data get nas-bench-2") == ["nas-bench-201"]
    assert sorted(offered("ngae completion ")) == sorted(SHELLS)
