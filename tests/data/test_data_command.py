"""`ngae data get`, `list` and `convert`: what is printed, what is written, which exit code."""

import dataclasses
import json
import re
import socket
import subprocess
import sys

import pytest

from ngae.commands import data as data_command
from ngae.commands.fetching import Bar, size_text
from ngae.data import catalog
from ngae.data.convert import FORMS

TEXT = "".join(f"[[{i % 6}], [{i % 5}, {i % 2}]], 0.{i}\n" for i in range(100, 400)).encode()


@pytest.fixture
def entry(serve, monkeypatch, tmp_path):
    """A catalog of one table on loopback, and an empty cache."""
    monkeypatch.setenv("NGAE_CACHE", str(tmp_path / "cache"))
    made = serve(TEXT).entry(rows=300, form="dvae", table="t.csv")
    made = dataclasses.replace(made, by_hand="or get NAME by hand", licence="CC0")
    embedded = catalog.find("digits6")
    monkeypatch.setattr(catalog, "ENTRIES", (embedded, made))
    monkeypatch.setattr(data_command, "ENTRIES", (embedded, made))
    return made


def test_a_table_is_got_listed_and_found(entry, tmp_path, capsys):
    assert data_command.main(["list"]) == 0
    assert "not fetched" in capsys.readouterr().out
    assert data_command.main(["get", "made"]) == 0
    shown = capsys.readouterr()
    path = tmp_path / "cache" / "made" / "t.csv"
    assert shown.out == f"{path}: 300 rows, space enas6\n"
    assert shown.err.splitlines()[-4:] == [
        "licence: CC0", "cite: none", "note: or get made by hand", "next: ngae train --data made",
    ]  # fmt: skip
    assert len(path.read_text().splitlines()) == 301
    assert data_command.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["digits6", "made"]
    assert "embedded" in lines[2]
    assert "in cache" in lines[3]


def test_machines_get_json(entry, tmp_path, capsys):
    assert data_command.main(["get", "made", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    path = str(tmp_path / "cache" / "made" / "t.csv")
    assert found == {"name": "made", "path": path, "settings": {"space": "enas6"}}
    assert data_command.main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(table["name"], table["state"]) for table in listed] == [
        ("digits6", "embedded"), ("made", "in cache"),
    ]  # fmt: skip
    assert listed[1]["files"] == [{"url": entry.files[0].url, "sha256": entry.files[0].sha256}]
    assert listed[1]["bytes"] == len(TEXT)


@pytest.mark.parametrize(
    ("changes", "flags", "code", "message"),
    [
        ({"sha256": "0" * 64}, [], 3, "error: .*expected sha256 000.*, found "),
        ({"sha256": None}, [], 4, "remedy: compare it with a source that you trust"),
        ({"sha256": None}, ["--accept-unverified"], 0, "next:"),
        ({}, ["--from-dir", "nowhere"], 3, "error: nowhere/t.txt: expected the file"),
        ({}, ["--sha256", "x"], 2, "--sha256: expected 64 hexadecimal digits"),
    ],
)
def test_exit_codes(entry, monkeypatch, capsys, changes, flags, code, message):
    file = dataclasses.replace(entry.files[0], **changes)
    changed = dataclasses.replace(entry, files=(file,))
    monkeypatch.setattr(catalog, "ENTRIES", (changed,))
    assert data_command.main(["get", "made", *flags]) == code
    assert re.search(message, capsys.readouterr().err)


def test_what_cannot_be_got_is_said(entry, capsys):
    assert data_command.main(["get", "gone"]) == 2
    assert "expected one of digits6, made, found 'gone'" in capsys.readouterr().err
    assert data_command.main(["get", "digits6"]) == 2
    assert "found one that is embedded" in capsys.readouterr().err


def test_convert_writes_and_says_how_much(tmp_path, capsys):
    (tmp_path / "t.txt").write_bytes(TEXT)
    source, target = str(tmp_path / "t.txt"), str(tmp_path / "t.csv.gz")
    assert data_command.main(["convert", "--from", "dvae", source, target, "--skip", "100"]) == 0
    assert capsys.readouterr().out == f"{target}: 200 rows\n"
    assert data_command.main(["convert", "--from", "dvae", source, target]) == 4
    assert "remedy: add --overwrite" in capsys.readouterr().err
    again = ["convert", "--from", "dvae", source, target, "--overwrite", "--json"]
    assert data_command.main(again) == 0
    assert json.loads(capsys.readouterr().out) == {"path": target, "rows": 300}
    assert data_command.main(["convert", "--from", "x", source, target]) == 2
    assert data_command.main(["convert", "--from", "dvae", source, target, "--skip", "-1"]) == 2


@pytest.mark.parametrize("flags", [[], ["--complexity-col", "none"]])
def test_check_leaves_out_targets_without_a_value(tmp_path, capsys, flags):
    path = tmp_path / "t.csv"
    path.write_text("arch\n" + "".join(f"[[{i}]]\n" for i in range(6)))
    command = ["check", str(path), "--performance-col", "none", *flags]
    assert data_command.main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{path}: 6 rows, space enas1, 5 training and 1 test"
    names = [] if flags else ["params", "macs"]
    assert [line.split()[0] for line in lines[3:]] == names
    assert bool(lines[1:]) is bool(names)
    assert data_command.main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["targets"]) == names
    assert (found["rows"], found["train_rows"], found["performance"]) == (6, 5, None)


def test_check_gives_targets_as_json(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("arch,acc\n" + "".join(f"[[{i}]],{i / 4}\n" for i in range(5)))
    command = ["check", str(path), "--performance-col", "acc", "--complexity-col", "none"]
    assert data_command.main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["targets"] == {"acc": {"min": 0.0, "mean": 0.5, "max": 1.0}}


@pytest.mark.parametrize(
    ("count", "text"),
    [(499_000_000, "499 MB"), (1_677_427, "1.7 MB"), (245_616, "246 kB"), (999, "999 B"),
     (9_960_000, "10 MB"), (1_950_000_000, "1.9 GB")],
)  # fmt: skip
def test_sizes_are_written_short(count, text):
    assert size_text(count) == text


def test_a_size_that_the_source_rounds_is_listed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NGAE_CACHE", str(tmp_path))
    assert data_command.main(["list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "  499 MB  " in lines["nas-bench-101"]
    assert "  246 kB  " in lines["nas-bench-graph-proteins"]
    assert "  not known  " in lines["nas-bench-nlp"]


def test_formats_say_for_every_form_whether_it_was_tried(capsys):
    assert data_command.main(["formats"]) == 0
    shown = capsys.readouterr().out
    for form in FORMS:
        said = shown.split(f"\n{form.name}\n")[1].splitlines()[2].strip()
        never = "never run on the original file: tested on made-up files of this form only"
        assert said == ("run on the original file" if form.tried else never)
    assert [form.name for form in FORMS if form.tried] == ["nas-bench-graph", "dvae"]


@pytest.mark.parametrize("action", ["list", "get", "check", "formats", "convert", "sample"])
def test_help_of_every_action_begins_alike(action, capsys):
    with pytest.raises(SystemExit):
        data_command.build_parser().parse_args([action, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: ngae data {action} [-h]")


def test_lines_come_at_each_tenth_where_there_is_no_terminal(capsys):
    with Bar("t") as bar:
        for done in range(0, 1001, 10):
            bar.moved(done * 1000, 1_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[0] == "t: 0.0 of 1.0 MB"
    assert lines[-1] == "t: 1.0 of 1.0 MB"


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Bar("t") as bar:
        bar.moved(0, 1000)
        bar.moved(600, 1000)
        bar.say("hello")
        assert (bar.bar.n, bar.bar.total) == (600, 1000)
    shown = capsys.readouterr().err
    assert "hello\n" in shown
    assert "t:  60%" in shown


def test_nothing_but_get_opens_a_connection(monkeypatch, tmp_path, capsys):
    def refuse(*_):
        raise AssertionError("a connection")

    monkeypatch.setenv("NGAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert data_command.main(["list"]) == 0
    assert data_command.main(["formats"]) == 0
    assert not (tmp_path / "cache").exists()


def test_neither_torch_nor_urllib_is_imported_to_list(tmp_path):
    code = (
        "import sys; from ngae.commands.data import main; main(['list']); "
        "print([m for m in ('torch', 'sklearn', 'tqdm', 'ssl') if m in sys.modules])"
    )
    environment = {"NGAE_CACHE": str(tmp_path), "PATH": ""}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert shown.stdout.splitlines()[-1] == "[]"
