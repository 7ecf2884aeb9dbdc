"""Converters on small files made by the descriptions of the forms, and on originals where here."""

import gzip
import json
import os
import pickle
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ngae.data.catalog import ENTRIES
from ngae.data.convert import FORMS, convert, form_named, rounded
from ngae.data.convert_graph import LINKS, OPS
from ngae.errors import DataError, NgaeError, RefusedError, UsageError

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
GRAPH_PACKAGE = find_spec("nas_bench_graph")


# --- NAS-Bench-Graph


def _graph(path, value):
    path.write_bytes(pickle.dumps(value, 3))
    return path


def _result(**changes):
    good = {"valid_perf": 0.5, "perf": 0.1234567, "latency": 0.01, "para": np.float64(1.5)}
    return {**good, "rank": -1, **changes}


def test_graph_results_become_rows(tmp_path):
    value = {34: _result(), 80123: _result(para=np.float64(2)), 8888: _result(latency=1e-7)}
    made = convert("nas-bench-graph", _graph(tmp_path / "c.bench", value), tmp_path / "c.csv")
    assert made.rows == 3
    assert (tmp_path / "c.csv").read_text() == (
        "arch_hash,links,ops,valid_perf,test_perf,latency_s,params_m\n"
        "34,0-0-0-0,gat-gat-cheb-sage,0.5,0.123457,0.01,1.5\n"
        "8888,0-0-0-0,skip-skip-skip-skip,0.5,0.123457,0.0000001,1.5\n"
        "80123,0-1-2-3,gat-gcn-gin-cheb,0.5,0.123457,0.01,2\n"
    )
    assert (len(LINKS), len(OPS)) == (9, 9)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "expected a dictionary, found list"),
        ({"34": _result()}, "record 34: expected a key below 90000, found '34'"),
        ({90000: _result()}, "record 90000: expected a key below 90000"),
        ({-1: _result()}, "record -1: expected a key below 90000"),
        ({True: _result()}, "record True: expected a key"),
        ({19: _result()}, "record 19: expected four operations from 0 to 8, found .0, 0, 1, 9."),
        ({3: 0.5}, "record 3: expected valid_perf, a finite number, found None"),
        ({3: {}}, "record 3: expected valid_perf, a finite number, found None"),
        ({3: _result(perf="x")}, "record 3: expected perf, a finite number, found 'x'"),
        ({3: _result(latency=float("nan"))}, "record 3: expected latency, .* found nan"),
        ({}, "expected rows, found none"),
        ({3: _result(para=np.zeros(2))}, "found the name numpy"),
        ({3: _result(perf=10**400)}, "record 3: expected perf, a finite number, found 1000"),
    ],
)
def test_broken_graph_results_are_named(broken, tmp_path, value, message):
    broken("nas-bench-graph", _graph(tmp_path / "c.bench", value), message)


@pytest.mark.skipif(GRAPH_PACKAGE is None, reason="the package nas-bench-graph is not installed")
@pytest.mark.skipif(not (DATA / "nas-bench-graph").exists(), reason="the tables are not here")
@pytest.mark.parametrize("data", ["cora", "proteins"])
def test_the_original_graph_results_give_the_published_table(tmp_path, data):
    folder = Path(GRAPH_PACKAGE.submodule_search_locations[0]) / "light"
    convert("nas-bench-graph", folder / f"{data}.bench", tmp_path / "t.csv")
    with gzip.open(DATA / "nas-bench-graph" / f"{data}.csv.gz", "rb") as file:
        assert (tmp_path / "t.csv").read_bytes() == file.read()


# --- NAS-Bench-NLP

CELL = {
    "f": {"op": "linear", "input": ["x", "h_prev_0"]},
    "h_new_0": {"op": "activation_tanh", "input": ["f"]},
}


def _log(number, **changes):
    log = {
        "recepie_id": number,
        "recepie": json.dumps(CELL),
        "num_params": 100,
        "status": "OK",
        "train_losses": [6.0, 5.0, 4.0],
        "val_losses": [6.5, 5.1234567, 5.5],
        "test_losses": [6.4, 5.2, 5.3],
        "wall_times": [1.0, 2.0, 3.0004],
        "lr": 0.001,
    }
    return json.dumps({**log, **changes})


def _logs(path, *logs):
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("logs/", "")
        packed.writestr("logs/readme.txt", "no log")
        for number, log in enumerate(logs):
            packed.writestr(f"logs/log_stats_model_{number}.json", log)
    return path


def test_logs_become_rows_in_the_order_of_the_recepies(tmp_path):
    nan = {"status": "loss is nan!", "val_losses": [6.5, 5.0, float("nan")]}
    source = _logs(tmp_path / "logs.zip", _log(7, **nan), _log(3))
    convert("nas-bench-nlp", source, tmp_path / "t.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert rows[0] == {
        "recepie_id": 3,
        "log_name": "log_stats_model_1.json",
        "status": "OK",
        "num_nodes": 2,
        "num_params": 100,
        "epochs": 3,
        "wt2_val_loss_best": 5.123457,
        "wt2_test_loss_at_best_val": 5.2,
        "wt2_train_loss_last": 4.0,
        "mean_epoch_time_s": 2.0,
        "recepie": CELL,
    }
    losses = [value for key, value in rows[1].items() if "loss" in key]
    assert losses == [None] * 3
    assert (rows[1]["recepie_id"], rows[1]["status"]) == (7, "loss is nan!")


def test_unpacked_logs_give_the_same(tmp_path):
    source = _logs(tmp_path / "logs.zip", _log(7), _log(3))
    with zipfile.ZipFile(source) as packed:
        packed.extractall(tmp_path / "unpacked")
    convert("nas-bench-nlp", source, tmp_path / "a.jsonl")
    convert("nas-bench-nlp", tmp_path / "unpacked", tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("{", r"record log_stats_model_1\.json: expected a log in JSON"),
        ("[]", "expected a log in JSON"),
        (_log(1, recepie="[]"), "expected a recepie of nodes with op and input"),
        (_log(1, recepie='{"f": {"op": "linear"}}'), "expected a recepie of nodes"),
        (_log(1, val_losses=[1.0]), "expected as many losses .* found 3, 1, 3 losses and 3 times"),
        (_log(1, num_params="many"), "expected a log in JSON"),
        (_log(1, recepie_id=1e400), "expected a log in JSON, found .*infinity"),
        (_log(1, num_params=float("nan")), "expected a log in JSON, found .*NaN"),
        (_log(1, wall_times=[10**400]), "expected a log in JSON, found .*too large"),
        (_log(1, recepie="[" * 100_000), "expected a log in JSON, found .*recursion"),
        (
            _log(1, recepie={**CELL, "g": {"op": "a", "input": [], "p": float("nan")}}),
            "record log_stats_model_1.json: expected a recepie of finite numbers",
        ),
        (json.dumps({"recepie": "{}"}), "expected the key 'val_losses', found none"),
    ],
)
def test_broken_logs_are_named(broken, tmp_path, log, message):
    broken("nas-bench-nlp", _logs(tmp_path / "l.zip", _log(0), log), message, ".jsonl")


def test_what_is_no_zip_file_is_named(broken, tmp_path):
    (tmp_path / "l.zip").write_bytes(_logs(tmp_path / "w.zip", _log(0)).read_bytes()[:-30])
    broken("nas-bench-nlp", tmp_path / "l.zip", "expected a folder or a whole zip", ".jsonl")
    broken("nas-bench-nlp", _logs(tmp_path / "e.zip"), "expected rows, found none", ".jsonl")


def test_a_log_whose_packed_bytes_are_broken_is_named(broken, tmp_path):
    with zipfile.ZipFile(tmp_path / "l.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("log_stats_model_0.json", _log(0))
    content = bytearray((tmp_path / "l.zip").read_bytes())
    content[60:70] = b"\xff" * 10
    (tmp_path / "l.zip").write_bytes(content)
    message = r"l\.zip: record log_stats_model_0\.json: expected bytes that unpack, found error"
    broken("nas-bench-nlp", tmp_path / "l.zip", message, ".jsonl")


# --- D-VAE text


def test_rows_at_the_head_can_be_left_out(tmp_path):
    (tmp_path / "t.txt").write_text("[[9]], 0\n\n[[1], [2, 0]], 0.25\r\n[[0], [5, 1]] , 1\n")
    assert convert("dvae", tmp_path / "t.txt", tmp_path / "t.csv", skip=1).rows == 2
    text = (tmp_path / "t.csv").read_bytes()
    assert text == b'arch,performance\n"[[1], [2, 0]]",0.25\n"[[0], [5, 1]]",1\n'


@pytest.mark.parametrize("rest", ["", ",", ", nan", " 0.5", ", 0.5 x", "] , 1"])
def test_broken_dvae_lines_are_named(broken, tmp_path, rest):
    (tmp_path / "t.txt").write_text(f"[[1]], 0.5\n[[1]]{rest}\n")
    broken("dvae", tmp_path / "t.txt", r"t\.txt: record 2: expected")


@pytest.mark.skipif(not (DATA / "enas6").exists(), reason="the ENAS table is not here")
def test_the_original_enas_table_is_read_alike_in_both_forms(tmp_path):
    from ngae.data import load

    source = DATA / "enas6" / "final_structures6.txt"
    assert convert("dvae", source, tmp_path / "t.csv", skip=1000).rows == 19_020
    a, b = load(str(source), burn_in=1000).table, load(str(tmp_path / "t.csv")).table
    assert a.fingerprint == b.fingerprint


# --- all of them


def _sources(folder):
    """A small source of each form that the catalog's tables are made of."""
    return {
        "nas-bench-graph": _graph(folder / "c.bench", {34: _result()}),
        "nas-bench-nlp": _logs(folder / "l.zip", _log(1)),
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_catalog_names_columns_that_are_made(tmp_path, entry):
    source = _sources(tmp_path).get(entry.form)
    if source is None:
        assert entry.form in ("", "nasbench101-tfrecord", "nats-bench-landscape")  # their own tests
        return
    target = tmp_path / entry.table
    convert(entry.form, source, target)
    made = target.read_text().splitlines()[0]
    columns = set(json.loads(made) if entry.table.endswith(".jsonl") else made.split(","))
    for name in ("arch_col", "performance_col", "complexity_col", "report_col"):
        assert set(entry.settings.get(name, "").split(",")) - {""} <= columns


def test_targets_are_whole_or_not_there(tmp_path):
    (tmp_path / "t.txt").write_text("[[1]], 0.5\n")
    with pytest.raises(UsageError, match=r"t\.jsonl: expected a name that ends in \.csv"):
        convert("dvae", tmp_path / "t.txt", tmp_path / "t.jsonl")
    with pytest.raises(UsageError, match=r"--from: expected one of nasbench101-tfrecord, .*'x'"):
        form_named("x")
    with pytest.raises(DataError, match="expected the original, found nothing"):
        convert("dvae", tmp_path / "gone.txt", tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(RefusedError, match="expected no such file"):
        convert("dvae", tmp_path / "t.txt", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "mine"
    convert("dvae", tmp_path / "t.txt", tmp_path / "t.csv", overwrite=True)
    assert (tmp_path / "t.csv").read_text() == "arch,performance\n[[1]],0.5\n"
    (tmp_path / "t.txt").write_text("[[1]], 0.5\nbroken\n")
    with pytest.raises(DataError):
        convert("dvae", tmp_path / "t.txt", tmp_path / "t.csv", overwrite=True)
    assert (tmp_path / "t.csv").read_text() == "arch,performance\n[[1]],0.5\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said(tmp_path, monkeypatch):
    (tmp_path / "t.txt").write_text("[[1]], 0.5\n" * 10)
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), "gone"))
    with pytest.raises(NgaeError, match=r"t\.csv: expected to write it: .*No space left"):
        convert("dvae", tmp_path / "t.txt", tmp_path / "t.csv")


def test_equal_sources_give_equal_bytes(tmp_path):
    (tmp_path / "t.txt").write_text("[[1]], 0.5\n")
    for name in ("a.csv.gz", "b.csv.gz"):
        convert("dvae", tmp_path / "t.txt", tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_has_a_reader(form):
    module, function = form.home.split(":")
    assert callable(getattr(__import__(f"ngae.data.{module}", fromlist=[function]), function))


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(10.0, 4, "10"), (0.12345, 4, "0.1235"), (100, 0, "100"), (-0.00001, 3, "0"), (1.5, 9, "1.5")],
)
def test_numbers_are_written_short(value, places, text):
    assert rounded(value, places) == text
