from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from ngae.baselines.dvae import load_checkpoint, main
from ngae.errors import DataError


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def checkpoint(tmp_path, model) -> Path:
    path = tmp_path / "model_checkpoint300.pth"
    torch.save(model.state_dict(), path)
    return path


def assert_refused(path: Path, text: str, capsys) -> None:
    with pytest.raises(DataError, match=text):
        load_checkpoint(path)
    assert main(["show", str(path)]) == 3
    captured = capsys.readouterr()
    lines = captured.err.strip().split("\n")
    assert captured.out == ""
    assert lines[0].startswith(f"error: {path}: ")
    assert lines[1].startswith("remedy: ")
    assert len(lines) == 2


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_loads_by_its_names(tmp_path, model, config, graphs, zipped):
    path = tmp_path / "checkpoint.pth"
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint(path)
    assert loaded.config == config
    assert not loaded.training
    assert torch.equal(loaded.encode(graphs)[0], model.encode(graphs)[0])


def test_show_prints_the_sizes(checkpoint, model, capsys):
    assert main(["show", str(checkpoint)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["hidden_dim"], printed["latent_dim"], printed["max_nodes"]) == (5, 3, 6)
    assert printed["parameters"] == sum(w.numel() for w in model.parameters())


def test_a_missing_file_or_a_folder_is_refused(tmp_path, capsys):
    assert_refused(tmp_path / "none.pth", "No such file", capsys)
    assert_refused(tmp_path, "Is a directory", capsys)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95, 0.999])
def test_a_truncated_file_is_refused(checkpoint, share, capsys):
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    assert_refused(checkpoint, "damaged or holds other objects", capsys)


@pytest.mark.parametrize("content", [b"epoch,loss\n1,2\n", b"\x80\x02}.", b"\x00" * 1000])
def test_a_foreign_file_is_refused(tmp_path, content, capsys):
    path = tmp_path / "foreign.pth"
    path.write_bytes(content)
    assert_refused(path, "expected a (PyTorch file|state dict)", capsys)


@pytest.mark.parametrize("form", ["torch", "torch-legacy", "plain"])
def test_a_hostile_file_is_refused_and_not_run(tmp_path, form, capsys):
    folder, path = tmp_path / "made", tmp_path / "hostile.pth"
    if form == "plain":
        path.write_bytes(pickle.dumps(Hostile(folder)))
    else:
        torch.save(
            {"fc1.weight": Hostile(folder)}, path, _use_new_zipfile_serialization=form == "torch"
        )
    assert_refused(path, "damaged or holds other objects", capsys)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([torch.zeros(2)], "expected a state dict, found list"),
        ({}, "expected a state dict, found dict"),
        ({"epoch": 3}, "expected named tensors, found 'epoch': int"),
        ({1: torch.zeros(2)}, "expected named tensors, found 1: Tensor"),
        ({"fc1.weight": torch.zeros(2)}, "missing: add_edge.0.bias"),
    ],
)
def test_something_else_than_a_state_dict_is_refused(tmp_path, content, text, capsys):
    path = tmp_path / "other.pth"
    torch.save(content, path)
    assert_refused(path, text, capsys)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.full((3, 5), torch.nan), "fc1.weight: expected finite numbers"),
        (torch.zeros(3, 5).long(), "fc1.weight: expected a dense, .* found torch.int64"),
        (torch.zeros(1, 1).expand(3, 10**9), "fc1.weight: expected a dense"),
        (torch.zeros(3, 5).to_sparse(), "fc1.weight: expected a dense"),
        (torch.zeros(4, 5), "parameter fc1.bias: expected shape"),
    ],
)
def test_a_tensor_that_is_no_weight_is_refused(tmp_path, model, value, text, capsys):
    path = tmp_path / "other.pth"
    torch.save({**model.state_dict(), "fc1.weight": value}, path)
    assert_refused(path, text, capsys)
