"""`ngae export`: what it reads, what it writes, how it refuses."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_model

from ngae.commands.export import main
from ngae.dag import Dag
from ngae.networks.macro import MacroConfig
from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace

ENAS = "[[0], [4, 1], [1, 0, 1]]"
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
TEXTS = {
    ENAS: "enas3",
    CELL: "nas-bench-201",
    "0110001100010000;input,conv3x3-bn-relu,maxpool3x3,output": "nas-bench-101",
    "0-0-1-2;gcn-gat-fc-skip": "nas-bench-graph",
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder of its own: exit code and what it said."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        code = main(list(words))
        return code, capsys.readouterr().err

    return call


@pytest.mark.parametrize("text", TEXTS)
def test_texts_tell_their_space_and_come_back(run, tmp_path, text):
    assert run(text, "a.json") == (0, "wrote a.json\n")
    value = json.loads((tmp_path / "a.json").read_text())
    space = space_named(TEXTS[text])
    assert value["space"] == space.name
    assert Dag.from_json(value, space) == space.parse(text)
    assert run("a.json", "b.json")[0] == 0
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


def test_forms_are_those_of_the_dag(run, tmp_path):
    dag = space_named("enas3").parse(ENAS)
    for name, wanted in (
        ("a.dot", dag.to_dot()),
        ("a.svg", dag.to_svg()),
        ("a.py", dag.to_source()),
    ):
        assert run(ENAS, name)[0] == 0
        assert (tmp_path / name).read_text() == wanted


def test_sizes_at_the_bound_are_taken(run, tmp_path):
    sizes = ["--size", "num_classes=1000000", "--size", "cells=1000"]
    assert run(CELL, "a.json", *sizes)[0] == 0
    network = json.loads((tmp_path / "a.json").read_text())["network"]
    assert (network["num_classes"], network["cells"]) == (1_000_000, 1_000)


def test_sizes_are_kept_in_json_and_can_be_changed(run, tmp_path):
    space = EnasSpace(3, MacroConfig(channels=16, image_size=32, image_channels=3))
    dag = space.parse(ENAS)
    dag.save("best.json")
    best = {"performance": 0.9, "dag": json.loads(dag.to_json())}
    (tmp_path / "found.json").write_text(json.dumps(best))
    assert run("found.json", "a.py")[0] == 0
    assert (tmp_path / "a.py").read_text() == dag.to_source()
    assert run("found.json", "b.py", "--size", "num_classes=100", "--size", "channels=8")[0] == 0
    other = space.resized(num_classes=100, channels=8)
    assert (tmp_path / "b.py").read_text() == Dag(dag.node_types, dag.edges, other).to_source()


def test_two_architectures_are_compared(run, tmp_path):
    space = space_named("enas3")
    one, other = space.parse(ENAS), space.parse("[[0], [5, 1], [1, 1, 1]]")
    one.save("one.json")
    other.save("other.json")
    assert run("one.json", "d.svg", "--against", "other.json")[0] == 0
    assert (tmp_path / "d.svg").read_text() == one.to_svg(other, ("one", "other"))
    assert run(ENAS, "d.svg", "--against", space.format(other))[0] == 0
    assert (tmp_path / "d.svg").read_text() == one.to_svg(other)


def test_onnx_takes_weights(run, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    network = space_named("enas3").parse(ENAS).to_torch()
    save_model(network, "trained.safetensors")
    assert run(ENAS, "a.onnx", "--weights", "trained.safetensors") == (0, "wrote a.onnx\n")
    images = torch.randn(3, 1, 8, 8)
    session = runtime.InferenceSession(
        (tmp_path / "a.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    (scores,) = session.run(["scores"], {"images": images.numpy()})
    np.testing.assert_allclose(scores, network.eval()(images).detach().numpy(), 1e-4, 1e-5)
    code, said = run(CELL, "b.onnx", "--weights", "trained.safetensors")
    assert code == 3
    assert said.startswith("error: trained.safetensors: expected weights of the network")
    assert not (tmp_path / "b.onnx").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((ENAS, "a.png"), 2, "expected a file that ends in .json, .dot, .svg, .py, .onnx, found"),
        (("nowhere.json", "a.svg"), 3, "nowhere.json: expected a file, found nothing"),
        (("hello", "a.svg"), 3, "remedy: name the text's space by --space"),
        (("[[9]]", "a.svg"), 3, "column 3: expected a type from 0 to 5, found 9"),
        ((ENAS, "a.svg", "--space", "enas4"), 3, "expected 4 layers, found 3"),
        ((ENAS, "a.svg", "--space", "nothing"), 2, "space: expected one of"),
        ((ENAS, "a.py", "--size", "width=3"), 2, "expected one of the sizes channels"),
        ((ENAS, "a.py", "--size", "channels"), 2, "--size: expected NAME=NUMBER"),
        ((ENAS, "a.py", "--size", 'channels="a"'), 2, "--size: expected NAME=NUMBER"),
        (
            (ENAS, "a.py", "--size", "channels=1000001"),
            2,
            "error: --size channels: expected an integer up to 1000000, found 1000001\n",
        ),
        ((ENAS, "a.py", "--size", "channels=1e400"), 2, "up to 1000000, found inf"),
        ((ENAS, "a.py", "--size", "channels=true"), 2, "up to 1000000, found True"),
        ((ENAS, "a.py", "--size", "channels=8.5"), 2, "an integer up to 1000000, found 8.5"),
        ((CELL, "a.py", "--size", "cells=1001"), 2, "an integer up to 1000, found 1001"),
        (("cells.json", "a.py"), 3, "cells.json: network: cells: expected an integer up to 1000,"),
        (
            (ENAS, "a.onnx", "--size", "channels=20000"),
            2,
            "OUT: expected a network of at most 500,000,000 weights for .onnx, found one of ",
        ),
        ((ENAS, "a.py", "--against", ENAS), 2, "--against: expected OUT to end in .svg"),
        ((ENAS, "a.py", "--weights", "w"), 2, "--weights: expected OUT to end in .onnx"),
        (("list.json", "a.py"), 3, "list.json: expected a JSON object, found list"),
        (("bare.json", "a.py"), 3, "bare.json: space: expected a name, found None"),
        (
            ("later.json", "a.py"),
            3,
            "later.json: Dag.from_json: expected format_version 1, found 2",
        ),
        (
            ("wide.json", "a.py"),
            3,
            "wide.json: network: MacroConfig: channels: expected an integer",
        ),
        (
            ("deep.json", "a.py"),
            3,
            "deep.json: expected an architecture in JSON: maximum recursion",
        ),
        (("other.json", "a.py"), 3, "other.json: space: expected one of enas<layers>,"),
        (("other.json", "a.py"), 3, "found 'nothing'\nremedy: name it by --space"),
        (("huge.json", "a.py"), 3, "channels: expected an integer up to 1000000, found 10000000"),
        (
            ("text.json", "a.py"),
            3,
            "text.json: network: channels: expected an integer up to 1000000",
        ),
        (("tied.json", "a.py"), 3, "tied.json: network: tied: expected true or false, found 'no'"),
        (("drop.json", "a.py"), 3, "drop.json: network: dropout: expected a number up to 1000000"),
        (("names.py:Names", "a.py"), 3, "remedy: name the text's space by --space"),
        (("a(0) output(1)", "a.py", "--space", "names.py:Names"), 3, "found names alone"),
    ],
)
def test_refusals_end_with_their_code(run, tmp_path, words, code, said):
    value = json.loads(space_named("enas3").parse(ENAS).to_json())
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "bare.json").write_text(json.dumps({**value, "space": None}))
    (tmp_path / "later.json").write_text(json.dumps({**value, "format_version": 2}))
    (tmp_path / "wide.json").write_text(json.dumps({**value, "network": {"channels": 0}}))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "other.json").write_text(json.dumps({**value, "space": "nothing"}))
    (tmp_path / "huge.json").write_text(json.dumps({**value, "network": {"channels": 10**7}}))
    (tmp_path / "text.json").write_text(json.dumps({**value, "network": {"channels": "8"}}))
    tied = {**value, "space": "recurrent", "network": {"tied": "no"}}
    (tmp_path / "tied.json").write_text(json.dumps(tied))
    drop = {**value, "space": "nas-bench-graph", "network": {"dropout": "0.5"}}
    (tmp_path / "drop.json").write_text(json.dumps(drop))
    cell = json.loads(space_named("nas-bench-201").parse(CELL).to_json())
    (tmp_path / "cells.json").write_text(json.dumps({**cell, "network": {"cells": 1001}}))
    (tmp_path / "names.py").write_text(
        "from ngae.spaces import Cell\n\n\nclass Names(Cell):\n    operations = ('a', 'b')\n"
    )
    found, message = run(*words)
    assert said in message
    assert found == code
    assert "Traceback" not in message
    assert not (tmp_path / words[1]).exists()


@pytest.mark.parametrize(
    "words", [("trap.json", "a.svg"), ("fine.json", "a.svg", "--against", "trap.json")]
)
@pytest.mark.parametrize("named", ["trap:Trap", "trap.py:Trap"])
def test_no_code_that_a_file_names_is_run(run, tmp_path, words, named):
    (tmp_path / "trap.py").write_text("open('run', 'w').close()\n")
    value = json.loads(space_named("enas3").parse(ENAS).to_json())
    (tmp_path / "fine.json").write_text(json.dumps(value))
    (tmp_path / "trap.json").write_text(json.dumps({**value, "space": named}))
    code, said = run(*words)
    assert said == (
        f"error: trap.json: space: expected a space that ngae knows, found '{named}'\n"
        f"remedy: if you trust that code: --space {named}\n"
    )
    assert code == 3
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "a.svg").exists()


def test_a_remedy_is_safe_to_show_and_to_copy(run, tmp_path):
    (tmp_path / "odd.json").write_text(json.dumps({"space": "a:B\x1b[2J; ls $(ls)"}))
    code, said = run("odd.json", "a.svg")
    assert code == 3
    assert said.endswith("--space 'a:B\\x1b[2J; ls $(ls)'\n")


def test_a_space_of_ones_own_is_named_by_a_flag(run, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from ngae.spaces import Cell\n\n\nclass Mine(Cell):\n    operations = ('a', 'b')\n"
    )
    assert run("a(0) output(1)", "a.json", "--space", "mine.py:Mine")[0] == 0
    assert run("a.json", "a.svg")[0] == 3
    assert run("a.json", "a.svg", "--space", "mine.py:Mine") == (0, "wrote a.svg\n")
