"""Every kind of broken table: what is named, at which line and column, with which exit code."""

import gzip
import json

import numpy as np
import pytest

from ngae.commands import data as data_command
from ngae.commands import train as train_command
from ngae.data import load
from ngae.data.raw import Problems
from ngae.errors import DataError
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
GOOD = [SPACE.format(SPACE.sample(np.random.default_rng(i))) for i in range(12)]
TXT = [f"{arch}, 0.{i + 10}" for i, arch in enumerate(GOOD)]
CSV = ["arch,performance,cost", *(f'"{arch}",0.{i + 10},{i}' for i, arch in enumerate(GOOD))]
OBJECTS = [{"arch": arch, "performance": i / 100, "cost": i} for i, arch in enumerate(GOOD)]
JSONL = [json.dumps(value) for value in OBJECTS]
CHAIN = {"node_types": [0, 2, 2, 2, 1], "edges": [[0, 1], [1, 2], [2, 3], [3, 4]]}


def _with(lines, number, text):
    """The lines with the one of that number (from 1) replaced."""
    return "\n".join([*lines[: number - 1], text, *lines[number:]]) + "\n"


def _dag(**changes):
    return json.dumps({"arch": {**CHAIN, **changes}, "performance": 0.5, "cost": 1})


def _txt(text, place, expected, found):
    return ("t.txt", _with(TXT, 5, text), f"t.txt:5:{place}", expected, found)


def _csv(text, place, expected, found, line=5):
    return ("t.csv", _with(CSV, line, text), f"t.csv:{line}:{place}", expected, found)


def _jsonl(text, place, expected, found):
    return ("t.jsonl", _with(JSONL, 5, text), f"t.jsonl:5:{place}", expected, found)


BROKEN = {
    "missing layer": _txt("[[1], [2, 0]], 0.5", 13, "3 layers", "2"),
    "extra layer": _txt("[[1], [2, 0], [2, 0, 1], [1, 1, 1, 1]], 0.5", 38, "3 layers", "4"),
    "missing flag": _txt("[[1], [2], [2, 0, 1]], 0.5", 7, "1 skip flags in layer 1", "1 numbers"),
    "extra flag": _txt("[[1], [2, 0, 1], [2, 0, 1]], 0.5", 7, "1 skip flags", "3 numbers"),
    "flag of 2": _txt("[[1], [2, 2], [2, 0, 1]], 0.5", 11, "a skip flag from 0 to 1", "2"),
    "unknown type": _txt("[[1], [6, 0], [2, 0, 1]], 0.5", 8, "a type from 0 to 5", "6"),
    "negative type": _txt("[[-1], [2, 0], [2, 0, 1]], 0.5", 3, "a type from 0 to 5", "-1"),
    "float type": _txt("[[1.5], [2, 0], [2, 0, 1]], 0.5", 3, "integer", "1.5"),
    "word for a type": _txt("[[a], [2, 0], [2, 0, 1]], 0.5", 3, "integer", "a"),
    "code": _txt("__import__('os').getcwd()", 1, "[[type], ...], accuracy", "__import__"),
    "missing bracket": _txt("[[1], [2, 0], [2, 0, 1], 0.5", 24, "", ""),
    "no architecture": _txt("0.5", 1, "[[type], ...], accuracy", "0.5"),
    "no comma": _txt("[[1], [2, 0], [2, 0, 1]] 0.5", 26, "a comma and the accuracy", "0.5"),
    "no accuracy": _txt("[[1], [2, 0], [2, 0, 1]],", 26, "a finite number", "''"),
    "cut before the comma": _txt("[[1], [2, 0], [2, 0, 1]]", 25, "a comma", "the end of the line"),
    "NaN": _txt("[[1], [2, 0], [2, 0, 1]], nan", 27, "a finite number", "nan"),
    "infinity": _txt("[[1], [2, 0], [2, 0, 1]], inf", 27, "a finite number", "inf"),
    "accuracy above 1": _txt("[[1], [2, 0], [2, 0, 1]], 73.5", 27, "from 0 to 1", "73.5"),
    "accuracy below 0": _txt("[[1], [2, 0], [2, 0, 1]], -0.1", 27, "from 0 to 1", "-0.1"),
    "accuracy a word": _txt("[[1], [2, 0], [2, 0, 1]], high", 27, "a finite number", "high"),
    "text after": _txt("[[1], [2, 0], [2, 0, 1]], 0.5 # good", 27, "a finite number", "# good"),
    "truncated last line": (
        "t.txt", "\n".join(TXT) + "\n[[1], [2, 0], [2, 0", "t.txt:13:13", "", "",
    ),
    "empty file": ("t.txt", "", "t.txt", "rows", "an empty file"),
    "blank lines only": ("t.txt", "\n \n\n", "t.txt", "rows", "an empty file"),
    "huge line": (
        "t.txt", _with(TXT, 5, "[" * 2_000_000), "t.txt:5:1000000", "at most 1000000", "2000000",
    ),
    "contradicting rows": (
        "t.txt", "\n".join([*TXT, f"{GOOD[2]}, 0.9"]), "t.txt:13:1",
        "the performance of line 3, the same architecture: 0.12", "0.9",
    ),
    "missing column": (
        "t.csv", "\n".join(["arch,acc", *CSV[1:]]), "t.csv:1:1", "a column performance", "acc",
    ),
    "column twice": (
        "t.csv", "\n".join(["arch,performance,performance", *CSV[1:]]), "t.csv:1:18",
        "one column performance", "2",
    ),
    "tabs": (
        "t.csv", "\n".join(CSV).replace(",", "\t"), "t.csv:1:1", "a column arch", "separated",
    ),
    "short row": _csv('"[[1], [2, 0], [2, 0, 1]]",0.5', 1, "3 cells", "2"),
    "unquoted architecture": _csv("[[1], [2, 0], [2, 0, 1]],0.5,1", 1, "3 cells", "8"),
    "unclosed quote": _csv(
        '"[[1], [2, 0], [2, 0, 1]],0.5,1', 1, "a quote that is closed in its line", "none"
    ),
    "text after a quote": _csv('"[[1]]" x,0.5,1', 8, "a comma after the closing quote", "' '"),
    "long row": _csv('"[[1], [2, 0], [2, 0, 1]]",0.5,1,1', 1, "3 cells", "4"),
    "second cost": (
        "t.csv", "\n".join([*CSV, f'"{GOOD[2]}",0.12,7']), "t.csv:14:1",
        "the cost of line 4, the same architecture: 2.0", "7.0",
    ),
    "another space's text": (
        "t.csv", 'arch,performance,cost\n"conv~0+conv~1",0.5,1\n', "t.csv:2:2", "'['", "'conv'",
    ),
    "head line only": ("t.csv", CSV[0], "t.csv", "rows", "none"),
    "csv wrong type": _csv('"[[1], [9, 0], [2, 0, 1]]",0.5,1', 9, "a type from 0 to 5", "9"),
    "csv no number": _csv('"[[1], [2, 0], [2, 0, 1]]",good,1', 28, "a finite number", "good"),
    "negative cost": _csv('"[[1], [2, 0], [2, 0, 1]]",0.5,-3', 32, "a number from 0", "-3"),
    "no object": _jsonl("[1, 2]", 1, "a JSON object", "[1, 2]"),
    "key twice": _jsonl('{"arch": "", "arch": ""}', 1, "each key once", "arch twice"),
    "missing key": _jsonl('{"arch": "[[1]]"}', 1, "the key performance", "keys 'arch'"),
    "truncated JSON": _jsonl('{"arch": "[[1', 10, "a JSON object", "Unterminated"),
    "boolean performance": _jsonl(
        json.dumps({"arch": GOOD[0], "performance": True, "cost": 1}), 53, "finite number", "true"
    ),
    "quoted performance": _jsonl(
        json.dumps({"cost": 1, "performance": "0.5", "arch": GOOD[0]}), 28, "finite", "\"0.5\""
    ),
    "NaN in JSON": _jsonl(
        '{"arch": "' + GOOD[0] + '", "performance": NaN, "cost": 1}', 53, "finite number", "NaN"
    ),
    "type in JSON text": _jsonl(
        '{"note":"arch","cost":1,"performance":0.5,"arch":"[[1], [9, 0], [2, 0, 1]]"}',
        58, "from 0 to 5", "9",
    ),
    "type in JSON lists": _jsonl(
        '{"arch": [[1], [9, 0], [2, 0, 1]], "performance": 0.5, "cost": 1}', 17, "from 0 to 5", "9"
    ),
    "null architecture": _jsonl(
        '{"arch": null, "performance": 0.5, "cost": 1}', 10, "'['", "null"
    ),
    "nested too deep": _jsonl('{"arch": ' + "[" * 100_000, 1, "a JSON object", "recursion"),
    "edge to an earlier node": _jsonl(
        _dag(edges=[[0, 1], [2, 1], [2, 3], [3, 4]]), 10, "an edge to a later node", "(2, 1)"
    ),
    "cycle": _jsonl(
        _dag(edges=[[0, 1], [1, 2], [2, 1], [2, 3]]), 0, "an edge to a later node", "(2, 1)"
    ),
    "self loop": _jsonl(_dag(edges=[[1, 1]]), 0, "an edge to a later node", "(1, 1)"),
    "edge out of range": _jsonl(_dag(edges=[[0, 9]]), 0, "expected nodes 0..4", "(0, 9)"),
    "edge twice": _jsonl(_dag(edges=[[0, 1], [0, 1]]), 0, "expected once", "twice"),
    "missing chain edge": _jsonl(_dag(edges=[[0, 1]]), 0, "an edge from node 1", "none"),
    "no start": _jsonl(_dag(node_types=[2, 2, 2, 2, 1]), 0, "type input", "2"),
    "type out of range": _jsonl(_dag(node_types=[0, 2, 8, 2, 1]), 0, "type 2..7", "8"),
    "wrong keys": _jsonl(_dag(node_types=None), 0, "node_types and edges", ""),
}  # fmt: skip

BYTES = {
    "binary": ("t.txt", b"[[1\0\1\2", "t.txt:1:4", "UTF-8", "a binary file"),
    "UTF-16": ("t.txt", "\n".join(TXT).encode("utf-16"), "t.txt:1:1", "UTF-8", "UTF-16"),
    "Latin-1": ("t.csv", b"arch,performance\n\xe9,1\n", "t.csv:2:1", "UTF-8", "0xe9"),
    "Latin-1 after other letters": (
        "t.csv", b"\xef\xbb\xbf" + "arch,é".encode() + b"\xe8\n", "t.csv:1:7", "UTF-8", "0xe8",
    ),
    "gzip by another name": ("t.csv", gzip.compress(b"arch"), "t.csv:1:1", "UTF-8", "gzip"),
    "no gzip": ("t.txt.gz", "\n".join(TXT).encode(), "t.txt.gz", "a whole gzip file", ""),
    "cut gzip": (
        "t.txt.gz", gzip.compress("\n".join(TXT).encode())[:-20], "t.txt.gz", "gzip file", "",
    ),
}  # fmt: skip


def _columns(name):
    return {} if ".txt" in name else {"complexity_col": "cost"}


def _check(error, path, place, expected, found):
    problem = error.problems[0]
    text = str(problem)
    wanted = str(path.parent / place)
    if wanted.endswith(":0"):
        wanted = wanted[:-1]
    assert text.startswith(wanted), text
    assert expected in text, text
    assert found in text, text


@pytest.mark.parametrize(
    ("name", "text", "place", "expected", "found"), BROKEN.values(), ids=BROKEN
)
def test_broken_text_is_named(tmp_path, name, text, place, expected, found):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load(str(path), **_columns(name))
    _check(caught.value, path, place, expected, found)


@pytest.mark.parametrize(
    ("name", "content", "place", "expected", "found"), BYTES.values(), ids=BYTES
)
def test_broken_bytes_are_named(tmp_path, name, content, place, expected, found):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(str(path), **_columns(name))
    _check(caught.value, path, place, expected, found)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_what_is_no_file_is_named(tmp_path, kind):
    path = tmp_path / "t.txt"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(DataError, match=r"t\.txt: expected a file, found"):
        load(str(path))


def test_all_problems_of_a_file_come_at_once(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("\n".join([TXT[0], "x", TXT[1], "[[7]], 1", TXT[2], f"{GOOD[3]}, 7"]))
    with pytest.raises(DataError) as caught:
        load(str(path), space="enas3")
    assert [problem.line for problem in caught.value.problems] == [2, 4, 6]


def test_an_open_quote_hides_no_other_problem(tmp_path):
    path = tmp_path / "t.csv"
    lines = [*CSV[:3], '"[[1], [9, 0]]",0.5,1', '"[[1]],0.5,1', *CSV[3:6], f'"{GOOD[6]}",bad,1']
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        load(str(path), space="enas3", complexity_col="cost")
    places = [(problem.line, problem.column) for problem in caught.value.problems]
    assert places == [(4, 14), (5, 1), (9, 28)]


def test_a_contradiction_is_named_beside_other_problems(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("\n".join([*TXT, f"{GOOD[2]}, 0.9", f"{GOOD[3]}, x"]))
    with pytest.raises(DataError) as caught:
        load(str(path))
    assert [problem.line for problem in caught.value.problems] == [13, 14]


def test_problems_beyond_the_limit_are_counted():
    problems = Problems("t.txt", most=3)
    for line in (5, 4, 3, 2, 1):
        problems.add(line, None, "a row", "none")
    with pytest.raises(DataError, match=r"^t\.txt:3: .* \(and 4 more\)$") as caught:
        problems.raise_if_any()
    assert [problem.line for problem in caught.value.problems] == [3, 4, 5, None]
    assert caught.value.problems[-1].found == "5"


def test_every_line_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"arch,performance\n\xe9,1\nx,1\nx,\xe8\n")
    with pytest.raises(DataError) as caught:
        load(str(path))
    places = [(problem.line, problem.column) for problem in caught.value.problems]
    assert places == [(2, 1), (4, 3)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"node_types": [0], "edges": []}, "1 to 99 layers"),
        ({"edges": []}, "node_types and edges"),
        ([[0] * (layer + 1) for layer in range(100)], "1 to 99 layers"),
    ],
    ids=["too small", "no types", "too large"],
)
def test_no_space_can_be_told_from_the_rows(tmp_path, value, expected):
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({"arch": value, "performance": 1}) + "\n")
    with pytest.raises(DataError, match=rf"t\.jsonl:1:10: expected .*{expected}"):
        load(str(path))


@pytest.mark.parametrize("case", ["unknown type", "missing column", "cycle", "huge line"])
def test_commands_end_with_3_and_write_nothing(tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    name, text, place, *_ = BROKEN[case]
    (tmp_path / name).write_text(text)
    flags = [] if name.endswith(".txt") else ["--complexity-col", "cost"]
    for code in (
        data_command.main(["check", name, *flags]),
        train_command.main(["--data", name, *flags, "--quick"]),
    ):
        assert code == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("error: " + place.removesuffix("0")) == 2
    assert "Traceback" not in shown.err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_too_few_rows_are_refused(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("\n".join([TXT[0], TXT[0]]))
    with pytest.raises(DataError, match="expected rows for training and testing"):
        load(str(path))
    path.write_text(TXT[0])
    with pytest.raises(DataError, match="rows after a burn-in of 5"):
        load(str(path), burn_in=5)
