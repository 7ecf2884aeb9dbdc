"""NAS-Bench-201: the public CSV, latencies beside it, and what the official packages are asked."""

import csv
import gzip
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from ngae.data.catalog import find
from ngae.data.convert import convert
from ngae.data.convert_nasbench201 import rows_of
from ngae.errors import DataError, NgaeError

HEAD = (
    "CIFAR10TestAccuracy200Epochs,CIFAR100TestAccuracy200Epochs,ImageNetTestAccuracy200Epochs,"
    "ArchitectureString,UniqueString\n"
)
ARCH = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def _table(path):
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as file:
        return list(csv.DictReader(file))


def test_the_catalog_names_columns_that_are_made(tmp_path):
    (tmp_path / "n.csv").write_text(HEAD + f"10,1,2,{ARCH},#\n")
    convert("nats-bench-landscape", tmp_path / "n.csv", tmp_path / "t.csv")
    columns, settings = set(_table(tmp_path / "t.csv")[0]), find("nas-bench-201").settings
    for name in ("arch_col", "performance_col", "report_col"):
        assert set(settings[name].split(",")) <= columns


def test_landscape_rows_are_numbered_and_rounded(tmp_path):
    (tmp_path / "n.csv").write_text(HEAD + f"10.0,0.99999999,0.8333333318,{ARCH},#\n" * 2)
    convert("nats-bench-landscape", tmp_path / "n.csv", tmp_path / "t.csv.gz")
    assert _table(tmp_path / "t.csv.gz") == [
        {
            "index": str(index),
            "arch_str": ARCH,
            "cifar10_test_acc_200ep": "10",
            "cifar100_test_acc_200ep": "1",
            "imagenet16_120_test_acc_200ep": "0.8333",
        }
        for index in range(2)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "record head: expected a column ArchitectureString, found a, b"),
        (HEAD + f"10,1,x,{ARCH},#\n", "record 1: expected ImageNetTest.* to 100, found x"),
        (HEAD + f"10,1,101,{ARCH},#\n", "record 1: .* found 101"),
        (HEAD + f"10,1,nan,{ARCH},#\n", "record 1: .* found nan"),
        (HEAD + f"10,1,1,{ARCH},#\n10,1\n", "record 2: expected 5 cells"),
        (HEAD + f"10,1,1,{ARCH},#,7\n", "record 1: expected 5 cells"),
        (HEAD, "expected rows, found none"),
        ("", "record head: expected a column"),
        (HEAD + f'10,1,1,{ARCH},"#\n', "expected a CSV file that can be read"),
    ],
)
def test_broken_landscapes_are_named(broken, tmp_path, text, message):
    (tmp_path / "n.csv").write_text(text)
    broken("nats-bench-landscape", tmp_path / "n.csv", message)


def _with_latency(folder, **devices):
    (folder / "latency").mkdir(parents=True)
    (folder / "nats_bench.csv").write_text(HEAD + f"10.0,1,2,{ARCH},#\n" * 3)
    for name, value in devices.items():
        torch.save(value, folder / "latency" / f"{name}.pt")
    return folder


def test_latencies_beside_the_landscape_are_joined(tmp_path):
    devices = {"pixel3": [1.23456, 2, 3e-7], "fpga": torch.tensor([4.0, 5.0, 6.0])}
    source = _with_latency(tmp_path / "s", **devices)
    convert("nats-bench-landscape", source, tmp_path / "t.csv")
    rows = _table(tmp_path / "t.csv")
    assert list(rows[0])[-2:] == ["latency_fpga_ms", "latency_pixel3_ms"]
    assert [row["latency_pixel3_ms"] for row in rows] == ["1.235", "2", "0"]
    assert [row["latency_fpga_ms"] for row in rows] == ["4", "5", "6"]
    convert("nats-bench-landscape", source / "nats_bench.csv", tmp_path / "u.csv")
    assert [row["index"] for row in _table(tmp_path / "u.csv")] == ["0", "1", "2"]
    assert "latency_fpga_ms" not in _table(tmp_path / "u.csv")[0]


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        ({}, r"latency: expected files <device>\.pt, found none"),
        ({"fpga": [1.0, 2.0]}, "expected 3 latencies of fpga, found 2"),
        ({"fpga": [[1.0], [2.0], [3.0]]}, r"fpga\.pt: expected one list of finite .*\(3, 1\)"),
        ({"fpga": [1.0, 2.0, float("nan")]}, r"fpga\.pt: expected one list of finite numbers"),
        ({"fpga": {"a": 1}}, r"fpga\.pt: expected a list of numbers"),
        ({"fpga": find_spec}, r"fpga\.pt: expected a list of numbers"),  # a forbidden name
    ],
)
def test_broken_latencies_are_named(broken, tmp_path, devices, message):
    broken("nats-bench-landscape", _with_latency(tmp_path / "s", **devices), message)


class Api:
    """Answers as NATS-Bench's and NAS-Bench-201's objects do."""

    def __init__(self, size=2, **changes):
        self.size = size
        self.changes = changes

    def __len__(self):
        return self.size

    def arch(self, index):
        return f"arch {index}"

    def get_more_info(self, index, dataset, iepoch=None, hp="12", is_random=True):
        assert iepoch is None
        assert is_random is False  # the mean over the trials
        place = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120").index(dataset)
        base = 10 * place + index + int(hp) / 1000
        info = {"valid-accuracy": base + 0.00001, "test-accuracy": base + 5}
        if dataset == "cifar10":
            del info["valid-accuracy"]
        return {**info, **self.changes}

    def get_cost_info(self, index, dataset, hp="12"):
        return {"flops": np.float64(7.78305), "params": 0.073306, "latency": 0.01}


def test_an_api_is_asked_for_every_accuracy():
    rows = list(rows_of(Api(), "here"))
    assert [row["arch_str"] for row in rows] == ["arch 0", "arch 1"]
    assert list(rows[1]) == [
        "index", "arch_str", "cifar10_val_acc_200ep", "cifar10_test_acc_200ep",
        "cifar100_val_acc_200ep", "cifar100_test_acc_200ep", "imagenet16_120_val_acc_200ep",
        "imagenet16_120_test_acc_200ep", "cifar10_val_acc_12ep", "cifar10_test_acc_12ep",
        "cifar100_val_acc_12ep", "cifar100_test_acc_12ep", "imagenet16_120_val_acc_12ep",
        "imagenet16_120_test_acc_12ep", "cifar10_params_m", "cifar10_flops_m",
        "cifar100_params_m", "cifar100_flops_m", "imagenet16_120_params_m",
        "imagenet16_120_flops_m",
    ]  # fmt: skip
    assert rows[1]["cifar10_val_acc_200ep"] == "1.2"
    assert rows[1]["cifar10_test_acc_200ep"] == "16.2"
    assert rows[1]["cifar100_val_acc_200ep"] == "21.2"
    assert rows[1]["imagenet16_120_test_acc_12ep"] == "36.012"
    assert rows[1]["cifar10_params_m"] == "0.073306"
    assert rows[1]["imagenet16_120_flops_m"] == "7.78305"


def test_an_api_without_an_accuracy_is_named():
    message = (
        "here: record 0: expected cifar10-valid valid-accuracy after 200 epochs, .* found None"
    )
    with pytest.raises(DataError, match=message):
        list(rows_of(Api(**{"valid-accuracy": None}), "here"))


@pytest.mark.parametrize(
    ("method", "answer", "message"),
    [
        ("get_cost_info", {"flops": 1.0}, "record 0: expected cifar10 params, .* found None"),
        ("get_cost_info", {"flops": "x", "params": 1.0}, "expected cifar10 flops, .* found x"),
        ("get_cost_info", {"flops": -1.0, "params": 1.0}, "expected cifar10 flops, .* found -1"),
        ("get_cost_info", {"flops": 1.0, "params": 1e400}, "cifar10 params, .* found inf"),
        ("get_cost_info", None, "expected cifar10 costs, found None"),
        ("get_more_info", [], "expected cifar10-valid accuracies after 200 epochs, found ..$"),
        ("get_more_info", KeyError("777"), "cifar10-valid accuracies .*, found KeyError: '777'"),
        ("get_cost_info", IndexError("no"), "expected cifar10 costs, found IndexError: no"),
        ("arch", ValueError("gone"), "record 0: expected an architecture, found ValueError: gone"),
    ],
)
def test_an_api_without_a_field_is_named(method, answer, message):
    def give(*_, **__):
        if isinstance(answer, Exception):
            raise answer
        return answer

    api = Api()
    setattr(api, method, give)
    with pytest.raises(DataError, match=f"^here: .*{message}"):
        list(rows_of(api, "here"))


def _trial(package, epochs, sets):
    result = package.ResultsCount(
        "n", None, {epochs - 1: 99.0}, {epochs - 1: 0.1}, 0.073306, 7.78305, {}, 777, epochs, None
    )
    for place, name in enumerate(sets):
        values = {f"{name}@{i}": 10.0 * place + epochs / 100 for i in range(epochs)}
        result.update_eval(values, values, values)
    return result


@pytest.mark.skipif(find_spec("nats_bench") is None, reason="nats_bench is not installed")
def test_the_official_package_is_asked_as_it_expects(tmp_path):
    """Made by the package's own classes: 12 epochs, 200, and the sets of each data set."""
    import nats_bench

    infos = {}
    for epochs in (12, 200):
        arch = nats_bench.ArchResults(0, ARCH)
        for name, sets in {
            "cifar10-valid": ["x-valid", "ori-test"],
            "cifar10": ["ori-test"],
            "cifar100": ["x-valid", "x-test", "ori-test"],
            "ImageNet16-120": ["x-valid", "x-test", "ori-test"],
        }.items():
            arch.update(name, 777, _trial(nats_bench, epochs, sets))
        infos[str(epochs)] = arch.state_dict()
    bench = {"meta_archs": [ARCH], "arch2infos": {0: infos}, "evaluated_indexes": [0]}
    nats_bench.pickle_save(bench, str(tmp_path / "n.pickle"))
    convert("nats-bench", tmp_path / "n.pickle.pbz2", tmp_path / "t.csv")
    (tmp_path / "simple").mkdir()
    nats_bench.pickle_save({"meta_archs": [ARCH]}, str(tmp_path / "simple" / "meta.pickle"))
    nats_bench.pickle_save(infos, str(tmp_path / "simple" / "000000.pickle"))
    convert("nats-bench", tmp_path / "simple", tmp_path / "u.csv")
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "u.csv").read_bytes()
    row = _table(tmp_path / "t.csv")[0]
    assert (row["index"], row["arch_str"]) == ("0", ARCH)
    assert (row["cifar10_val_acc_200ep"], row["cifar10_test_acc_200ep"]) == ("2", "2")
    assert (row["cifar100_val_acc_12ep"], row["cifar100_test_acc_12ep"]) == ("0.12", "10.12")
    assert row["imagenet16_120_test_acc_200ep"] == "12"
    assert (row["cifar10_params_m"], row["cifar10_flops_m"]) == ("0.073306", "7.78305")


@pytest.mark.skipif(find_spec("nats_bench") is not None, reason="nats_bench is installed")
@pytest.mark.skipif(find_spec("nas_201_api") is not None, reason="nas_201_api is installed")
def test_a_missing_package_is_named(tmp_path):
    with pytest.raises(NgaeError, match="nats_bench or nas_201_api") as caught:
        convert("nats-bench", tmp_path, tmp_path / "t.csv")
    assert caught.value.remedy == "pip install nats-bench (or nas-bench-201)"
