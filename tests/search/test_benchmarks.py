import gzip

import pytest

from ngae.data.catalog import find
from ngae.data.config import DataConfig
from ngae.errors import DataError, UsageError
from ngae.files import write_json, write_text
from ngae.search.benchmark_task import data_of, ground_of
from ngae.search.benchmarks import DEVICES, OWN, benchmark_named, names

PLAIN = DataConfig()


def test_every_name_is_that_of_its_benchmark():
    assert len(names()) == len(set(names())) == 3 + 5 + 27 + 1 + 9 + 1
    assert all(benchmark_named(name, PLAIN).name == name for name in names())


def test_validation_guides_and_test_is_reported():
    found = benchmark_named("nas-bench-201/imagenet16-120", PLAIN)
    assert found.performance == "imagenet16_120_val_acc_200ep"
    assert found.reported == "imagenet16_120_test_acc_200ep"
    settings = found.settings(DataConfig(join="x.csv"))
    assert settings == DataConfig(
        space="nas-bench-201",
        performance_col="imagenet16_120_val_acc_200ep",
        report_col="imagenet16_120_test_acc_200ep",
        join="x.csv",
    )


def test_latency_counts_beside_accuracy():
    for device in DEVICES:
        found = benchmark_named(f"nas-bench-201/cifar10/latency-{device}", PLAIN)
        assert (found.complexity, found.down, found.floor) == ((device,), (device,), 80.0)
        assert found.reference == (80.0, None)
        assert found.settings(PLAIN).complexity_col == device


@pytest.mark.parametrize(("text", "limit"), [("0.1", 1e5), ("1", 1e6), (".73", 7.3e5)])
def test_any_limit_on_the_parameters_is_taken(text, limit):
    found = benchmark_named(f"nas-bench-201/cifar10/params<={text}", PLAIN)
    assert found.constraint == f"params <= {limit:.0f}"
    assert found.performance == "cifar10_val_acc_200ep"


@pytest.mark.parametrize("name", ["nas-bench-201/cifar11", "nas-bench-201/cifar10/params<=x", ""])
def test_unknown_names_list_the_known_ones(name):
    with pytest.raises(
        UsageError, match=r"expected one of nas-bench-201/\{cifar10,.*, table; found"
    ):
        benchmark_named(name, PLAIN)


def test_columns_that_a_table_lacks_are_named(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"arch_str,cifar10_val_acc_200ep\nx,1\n"))
    cifar = benchmark_named("nas-bench-201/cifar10", PLAIN)
    with pytest.raises(DataError, match="expected the columns cifar10_test_acc_200ep of the") as e:
        data_of(cifar, str(path), PLAIN)
    assert e.value.remedy == "pass a file that has them with --table"
    latency = benchmark_named("nas-bench-201/cifar10/latency-fpga", PLAIN)
    with pytest.raises(DataError, match="expected the columns cifar10_test_acc_200ep, fpga") as e:
        data_of(latency, str(path), PLAIN)
    assert e.value.remedy == "pass the file that has them with --join"


def test_fetched_tables_are_read_with_the_columns_of_the_benchmark(tmp_path, monkeypatch):
    monkeypatch.setenv("NGAE_CACHE", str(tmp_path))
    entry = find("nas-bench-graph-cs")
    lines = ["links,ops,valid_perf,test_perf,params_m,latency_s"]
    lines += [f"0-0-0-0,gcn-gcn-gcn-{op},0.{n},0.4,1,2" for n, op in enumerate(("gat", "gin"))]
    text = "\n".join(lines) + "\n"
    write_text(tmp_path / entry.name / entry.table, text)
    sources = [{"file": file.name, "sha256": file.sha256} for file in entry.files]
    facts = {"sha256": "", "bytes": len(text), "form": entry.form, "sources": sources}
    write_json(tmp_path / entry.name / "table.json", facts)
    benchmark = benchmark_named("nas-bench-graph/cs", PLAIN)
    for table in ("", "nas-bench-graph-cs"):
        ground = ground_of(benchmark, data_of(benchmark, table, PLAIN))
        assert ground.table.performance.tolist() == [0.0, 0.1]
        assert ground.table.complexity_names == ("params_m", "latency_s")
        assert list(ground.table.reported) == ["test_perf"]
        assert len(ground.problem.known) == 0
        assert len(ground.problem.askable.rows) == 2


def test_a_table_that_was_not_fetched_tells_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("NGAE_CACHE", str(tmp_path))
    with pytest.raises(DataError) as caught:
        data_of(benchmark_named("nas-bench-graph/cs", PLAIN), "", PLAIN)
    assert caught.value.remedy == "ngae data get nas-bench-graph-cs"
    with pytest.raises(UsageError, match="--benchmark table: expected a table, found none"):
        data_of(benchmark_named(OWN, PLAIN), "", PLAIN)
