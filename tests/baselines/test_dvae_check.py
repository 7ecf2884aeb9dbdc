"""The command `check`: on files made by the naive implementation, and on the published numbers.

The published numbers are looked for in $NGAE_TEST_DATA (default: ../shared/data beside the
repository).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngae.baselines.dvae import main

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
PUBLISHED = DATA / "dvae-reference-vectors" / "bidirectional_hidden24_latent8.npz"
needs_published = pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED} is not there")

QUANTITIES = {"mean", "logvar", "reconstruction_loss", "kl", "predictor", "predictor_complexity"}
SUMS = {"batch_loss", "batch_reconstruction_loss", "batch_kl"}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "vectors.npz"


def check(path: Path, capsys, *flags: str) -> tuple[int, dict]:
    code = main(["check", str(path), *flags])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, json.loads(captured.out)


def assert_refused(path: Path, capsys, *texts: str) -> None:
    assert main(["check", str(path)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    error, remedy = captured.err.strip().split("\n")
    assert error.startswith(f"error: {path}: ")
    assert remedy.startswith("remedy: ")
    for text in texts:
        assert text in error


def test_numbers_of_the_naive_implementation_pass(path, vectors, capsys):
    np.savez(path, **vectors)
    code, report = check(path, capsys)
    assert code == 0
    assert report["pass"] is True
    gradients = {key for key in vectors if key.startswith("grad.")}
    assert len(gradients) == 34
    assert set(report["errors"]) == QUANTITIES | SUMS | gradients
    for key, error in report["errors"].items():
        assert error == max(report["one_at_a_time"][key], report["batch"][key])
    assert 0 < report["largest_error"] < 1e-5
    assert 0 < report["largest_gradient_error"] < 1e-4
    assert report["num_graphs"] == 9
    assert report["model"]["hidden_dim"] == 5


def test_float64_is_closer(path, vectors, capsys):
    np.savez(path, **vectors)
    strict = ("--dtype", "float64", "--tolerance", "1e-12", "--gradient-tolerance", "1e-12")
    code, report = check(path, capsys, *strict)
    assert code == 0
    assert report["largest_error"] < 1e-12
    assert check(path, capsys, "--tolerance", "1e-12")[0] == 1
    assert check(path, capsys, "--gradient-tolerance", "1e-12")[0] == 1


@pytest.mark.parametrize(
    "key",
    [
        *sorted(QUANTITIES | SUMS),
        "grad.fc1.weight",
        "grad.add_edge.2.bias",
        "param.fc3.weight",
        "param.grue_backward.weight_ih",
        "param.predictor_complexity.2.weight",
    ],
)
def test_one_changed_number_fails(path, vectors, key, capsys):
    place = np.unravel_index(np.abs(vectors[key]).argmax(), vectors[key].shape)
    vectors[key][place] *= 1.001
    np.savez(path, **vectors)
    code, report = check(path, capsys)
    assert code == 1
    assert report["pass"] is False
    if not key.startswith("param."):
        assert 9e-4 < report["errors"][key] < 1.1e-3


def test_other_graphs_fail(path, vectors, capsys):
    vectors["adjacency"][0, 0, 1] ^= 1
    np.savez(path, **vectors)
    assert check(path, capsys)[0] == 1


def test_overflow_fails_and_is_null_in_json(path, vectors, capsys):
    vectors["param.fc2.bias"][:] = 1e30
    np.savez(path, **vectors)
    code, report = check(path, capsys)
    assert code == 1
    assert report["errors"]["kl"] is None
    assert report["largest_error"] is None


def test_byte_order_and_precision_of_the_file_do_not_matter(path, vectors, capsys):
    forms = {"f": ">f4", "i": ">i2", "u": ">u2"}
    np.savez(path, **{key: a.astype(forms[a.dtype.kind]) for key, a in vectors.items()})
    assert check(path, capsys)[0] == 0


@pytest.mark.parametrize(
    "key",
    ["mean", "batch_kl", "node_types", "num_nodes", "adjacency", "predictor", "grad.fc1.bias"],
)
def test_a_missing_key_is_named(path, vectors, key, capsys):
    del vectors[key]
    np.savez(path, **vectors)
    assert_refused(path, capsys, f"key {key}: expected", "found no such key")


def test_missing_and_foreign_parameters_are_named(path, vectors, capsys):
    np.savez(path, **{k: v for k, v in vectors.items() if k != "param.fc3.bias"})
    assert_refused(path, capsys, "param.", "missing: fc3.bias")
    np.savez(path, **{k: v for k, v in vectors.items() if not k.startswith("param.predictor.")})
    assert_refused(path, capsys, "key param.predictor.0.weight: expected")
    np.savez(path, **vectors, **{"param.fc4.bias": np.zeros(3)})
    assert_refused(path, capsys, "param.", "foreign: fc4.bias")
    np.savez(path, **vectors, **{"grad.fc4.bias": np.zeros(3)})
    assert_refused(path, capsys, "key grad.fc4.bias")


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("mean", np.zeros((9, 4)), "key mean: expected shape (9, 3), found (9, 4)"),
        ("kl", np.zeros((9, 1)), "key kl: expected shape (9,), found (9, 1)"),
        ("batch_loss", np.zeros(1), "key batch_loss: expected shape (), found (1,)"),
        ("grad.fc1.bias", np.zeros(4), "key grad.fc1.bias: expected shape (3,), found (4,)"),
        ("param.fc1.bias", np.zeros(4), "fc1.bias: expected shape (3,)"),
        ("mean", np.zeros((9, 3), dtype=int), "key mean: expected floating-point numbers"),
        ("num_nodes", np.full(9, 2.0), "key num_nodes: expected integers, found float64"),
        ("num_nodes", np.full(9, 7), "num_nodes[0]: expected 1 to 6, found 7"),
        ("adjacency", np.zeros((9, 5, 5), dtype=int), "adjacency: expected shape (9, 6, 6)"),
        ("node_types", np.full((9, 6), "a"), "key node_types: expected integers"),
    ],
)
def test_a_wrong_array_is_named(path, vectors, key, value, text, capsys):
    np.savez(path, **{**vectors, key: value})
    assert_refused(path, capsys, text)


def test_no_graphs_are_refused(path, vectors, capsys):
    empty = {k: vectors[k][:0] for k in ("node_types", "adjacency", "num_nodes")}
    np.savez(path, **{**vectors, **empty})
    assert_refused(path, capsys, "expected at least one graph, found none")


@pytest.mark.parametrize("key", ["kl", "batch_loss", "grad.fc1.bias", "param.fc1.bias"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(path, vectors, key, value, capsys):
    vectors[key].flat[-1] = value
    np.savez(path, **vectors)
    assert_refused(path, capsys, f"key {key}[", "expected finite numbers")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_refused(path, vectors, share, capsys):
    np.savez(path, **vectors)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_refused(path, capsys, "cannot be read")


def test_a_damaged_file_is_refused(path, vectors, capsys):
    np.savez_compressed(path, **vectors)
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(bytes(content))
    assert_refused(path, capsys, "cannot be read")


def test_files_of_another_kind_are_refused(path, tmp_path, vectors, capsys):
    assert_refused(path, capsys, "No such file")
    assert_refused(tmp_path, capsys, "Is a directory")
    path.write_text("mean,logvar\n1,2\n")
    assert_refused(path, capsys, "cannot be read")
    with path.open("wb") as file:
        np.save(file, vectors["mean"])
    assert_refused(path, capsys, "one array, not an archive")
    np.savez(path, **{**vectors, "mean": np.array([{}], dtype=object)})
    assert_refused(path, capsys, "Object arrays cannot be loaded")


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["check"],
        ["check", "a.npz", "--tolerance", "-1"],
        ["check", "a.npz", "--tolerance", "nan"],
        ["check", "a.npz", "--gradient-tolerance", "small"],
        ["check", "a.npz", "--dtype", "float16"],
        ["draw", "a.npz"],
    ],
)
def test_wrong_usage_ends_with_2(flags, capsys):
    with pytest.raises(SystemExit) as caught:
        main(flags)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_help_needs_neither_torch_nor_numpy():
    code = (
        "import sys, ngae.baselines.dvae as dvae\n"
        "try: dvae.main(['check', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--gradient-tolerance" in result.stdout


def test_the_module_has_no_other_names():
    from ngae.baselines import dvae

    with pytest.raises(AttributeError, match="has no attribute 'VAE'"):
        _ = dvae.VAE


@needs_published
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_published_numbers_are_reproduced(dtype, capsys):
    code, report = check(PUBLISHED, capsys, "--dtype", dtype)
    assert code == 0
    assert report["largest_error"] < 1e-5
    assert report["largest_gradient_error"] < 1e-4
    assert report["num_graphs"] == 16
    assert len(report["errors"]) == 6 + 3 + 34


@needs_published
@pytest.mark.parametrize("key", ["mean", "batch_loss", "grad.grud.weight_hh", "param.fc1.weight"])
def test_published_numbers_with_one_change_fail(path, key, capsys):
    arrays = dict(np.load(PUBLISHED, allow_pickle=False))
    changed = np.array(arrays[key])
    changed.flat[np.abs(changed).argmax()] *= 1.001
    np.savez(path, **{**arrays, key: changed})
    assert check(path, capsys)[0] == 1
