"""`ngae search --benchmark` as a user types it."""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngae.api import NGAE
from ngae.cli import main
from ngae.commands import benchmarking, graph_model
from ngae.data import load
from ngae.search import benchmark_run, benchmark_task
from ngae.train.interrupt import Interrupted

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
NB201 = DATA / "nas-bench-201"
COLUMNS = ["--space", "enas3", "--performance-col", "acc", "--report-col", "test"]


@pytest.fixture
def arguments(table_file, monkeypatch):
    """Arguments that compare random sampling on the made-up table, in its folder."""
    monkeypatch.chdir(table_file.parent)
    return ["search", "--benchmark", "table", "--table", "t.csv", *COLUMNS, "--complexity-col",
            "ms", "--weigh", "ms", "--seeds", "4", "--budget", "20"]  # fmt: skip


def untimed(folder):
    """What a folder holds without the seconds that something took."""
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    result = json.loads((folder / "result.json").read_text())
    for values in (*trials, *result.values()):
        values.pop("model_seconds", None)
        values.pop("model_seconds_per_query", None)
    charts = [(folder / f"{name}.svg").read_bytes() for name in ("regret", "hypervolume")]
    return trials, result, charts


def test_trials_result_and_curves_are_written(arguments, tmp_path, capsys):
    assert main([*arguments, "--json", "out/result.json"]) == 0
    shown = capsys.readouterr()
    assert "best acc 0.59; folder: out" in shown.err
    assert "4/4 random, seed 3: best 0.5" in shown.err
    assert shown.out.split()[:4] == ["strategy", "regret", "std", "success"]
    trials, result, _ = untimed(tmp_path / "out")
    assert len(trials) == 80
    first = trials[0]
    assert set(first["complexity"]) == {"ms"}
    assert first["reported"] == {"test": pytest.approx(first["performance"] - 0.05)}
    assert (first["benchmark"], first["strategy"], first["seed"]) == ("table", "random", 0)
    best = [max(t["performance"] for t in trials if t["seed"] == seed) for seed in range(4)]
    assert result["random"]["regret"]["mean"] == pytest.approx(0.59 - np.mean(best))
    assert result["random"]["reported"]["mean"] == pytest.approx(np.mean(best) - 0.05)
    assert 0.5 < result["random"]["hypervolume"]["mean"] <= 1


def test_the_result_is_printed_or_goes_to_a_folder(arguments, tmp_path, capsys):
    assert main([*arguments, "--out", "a", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "a" / "result.json").read_text())
    assert main([*arguments, "--json", "b"]) == 0
    assert untimed(tmp_path / "a") == untimed(tmp_path / "b")
    assert main(arguments) == 0
    assert (tmp_path / "runs" / "search-table-b20" / "result.json").exists()


KILLED = """
import os, signal, sys
from ngae.cli import main
from ngae.search.benchmark_run import BenchmarkFolder

add = BenchmarkFolder.add

def cut_off(self, task, lines):
    add(self, task, lines)
    if len(self.finished) == 2:
        with (self.path / "trials.jsonl").open("a") as file:
            file.write('{"benchmark": "table", "strat')
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)

BenchmarkFolder.add = cut_off
main(sys.argv[1:])
"""


def test_the_same_command_goes_on_after_a_kill(arguments, tmp_path, monkeypatch, capsys):
    assert main([*arguments, "--out", "whole"]) == 0
    parts = [*arguments, "--out", "parts"]
    ended = subprocess.run([sys.executable, "-c", KILLED, *parts], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    again = []
    once = benchmark_run.search_once
    monkeypatch.setattr(benchmark_run, "search_once", lambda t: again.append(t.pair) or once(t))
    capsys.readouterr()
    assert main(parts) == 0
    assert "note: 2 of 4 searches are there already" in capsys.readouterr().err
    assert again == [("random", 2), ("random", 3)]
    assert untimed(tmp_path / "parts") == untimed(tmp_path / "whole")
    before = (tmp_path / "parts" / "trials.jsonl").read_bytes()
    assert main(parts) == 0
    assert len(again) == 2
    assert (tmp_path / "parts" / "trials.jsonl").read_bytes() == before


def test_variants_of_a_strategy_stand_side_by_side(arguments, tmp_path, monkeypatch, capsys):
    small = "evolution:population=2;tournament=1"
    labels = ["evolution", small, "evolution:population=30"]
    flags = [*arguments, "--seeds", "2", "--out", "a", "--strategies"]
    assert main([*flags, ",".join(labels[:2])]) == 0
    shown = capsys.readouterr()
    assert f"{small}, seed 1: best" in shown.err
    assert [line.split()[0] for line in shown.out.splitlines()[2:]] == labels[:2]
    trials, result, charts = untimed(tmp_path / "a")
    assert list(result) == labels[:2]
    assert {trial["strategy"] for trial in trials} == set(labels[:2])
    assert small.encode() in charts[0]
    asked = {
        label: [t["hash"] for t in trials if (t["strategy"], t["seed"]) == (label, 0)]
        for label in labels[:2]
    }
    assert asked["evolution"][:2] == asked[small][:2]
    assert asked["evolution"] != asked[small]
    again = []
    once = benchmark_run.search_once
    monkeypatch.setattr(benchmark_run, "search_once", lambda t: again.append(t.pair) or once(t))
    assert main([*flags, ",".join(labels)]) == 0
    assert again == [(labels[2], 0), (labels[2], 1)]
    trials, result, _ = untimed(tmp_path / "a")
    default = [t["hash"] for t in trials if (t["strategy"], t["seed"]) == (labels[2], 0)]
    assert default == asked["evolution"]  # the population of 30 is the default
    assert list(result) == labels


def test_workers_find_the_same(arguments, tmp_path):
    assert main([*arguments, "--out", "one"]) == 0
    assert main([*arguments, "--out", "two", "--workers", "2"]) == 0
    assert untimed(tmp_path / "one") == untimed(tmp_path / "two")


def test_searches_of_other_settings_are_not_mixed(arguments, tmp_path, capsys):
    assert main([*arguments, "--out", "a"]) == 0
    assert main([*arguments, "--out", "a", "--batch", "3"]) == 4
    assert "found another search" in capsys.readouterr().err
    (tmp_path / "a" / "notes.txt").write_text("mine")
    assert main([*arguments, "--out", "a", "--batch", "3", "--overwrite"]) == 0
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"
    assert main([*arguments, "--out", "a", "--batch", "3", "--seeds", "5"]) == 0
    assert len(untimed(tmp_path / "a")[0]) == 100


def test_what_is_beyond_a_limit_does_not_count(arguments, tmp_path):
    limited = [*arguments, "--constraint", "ms <= 3", "--budget", "60"]
    assert main([*limited, "--out", "a"]) == 0
    trials, result, _ = untimed(tmp_path / "a")
    rows = load("t.csv", space="enas3", performance_col="acc", complexity_col="ms").table
    inside = rows.complexity[:, 0] <= 3
    best = rows.performance[inside].max()
    assert best < 0.59
    assert [t["kept"] for t in trials] == [t["complexity"]["ms"] <= 3 for t in trials]
    assert result["random"]["success"]["60"] == 1
    kept = [(t["performance"], t["seed"]) for t in trials if t["kept"]]
    assert max(kept)[0] == best


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--strategies", "random,climb"], 2, "--strategies: expected some of gradient, random"),
        (["--strategies", "evolution:size=3"], 2, "evolution:size=3: expected a known setting"),
        (["--benchmark", "nas"], 2, "--benchmark: expected one of nas-bench-201/"),
        (["--weigh", "joule"], 2, "--weigh: expected one of ms, found 'joule'"),
        (["--constraint", "joule <= 1"], 2, "--constraint: expected one of ms, found 'joule'"),
        (["--constraint", "ms <= 0"], 3, "expected rows with a performance that keep the limits"),
        (["--seed", "1"], 2, "--seed: expected none beside --benchmark, found 1"),
        (["--oracle", "train"], 2, "--oracle: expected none beside --benchmark"),
        (["--ledger", "x"], 2, "--ledger: expected none beside --benchmark"),
        (["--table", "gone.csv"], 3, "gone.csv: expected a file, found nothing of that name"),
        (["--performance-col", "gone"], 3, "expected a column gone"),
        (["--json", "settings.json"], 2, "--json: expected another name than settings.json"),
        (["gone"], 4, "gone: expected a run folder"),
    ],
)
def test_wrong_flags_end_with_their_code(arguments, capsys, flags, code, message):
    assert main([*arguments, *flags]) == code
    assert message in capsys.readouterr().err
    assert not Path("runs").exists()


def test_published_benchmarks_decide_on_their_columns(arguments, capsys):
    assert main([*arguments, "--benchmark", "nas-bench-201/cifar10"]) == 2
    assert "--weigh: expected none, the benchmark nas-bench-201/cifar10" in capsys.readouterr().err


def test_flags_of_benchmarks_need_one(capsys):
    for flag in (["--table", "t.csv"], ["--strategies", "random"], ["--join", "x.csv"]):
        assert main(["search", "run", *flag]) == 2
        assert f"{flag[0]}: expected --benchmark beside it" in capsys.readouterr().err
    assert main(["search"]) == 2
    assert (
        "expected RUN, --table FILE, --space NAME or --benchmark NAME, found none"
        in capsys.readouterr().err
    )
    assert main(["search", "run", "--json", "x.json"]) == 2
    assert "--json: expected no file without --benchmark, found x.json" in capsys.readouterr().err


def test_json_before_run_takes_no_value(tmp_path, capsys):
    assert main(["search", "--json", str(tmp_path)]) == 4
    assert f"{tmp_path}: expected a run folder, found no config.json" in capsys.readouterr().err


SMALL = {
    "hidden_dim": 8, "latent_dim": 4, "head_dim": 8, "predictor_dim": 8, "epochs": 1,
    "prior_points": 10, "protocol_points": 2,
}  # fmt: skip


def test_the_model_learns_graphs_and_no_answers(arguments, table_file, monkeypatch, capsys):
    for module in (benchmarking, benchmark_task):
        monkeypatch.setattr(module, "NEED_A_MODEL", {"random"})
    monkeypatch.setattr(graph_model, "NGAE", functools.partial(NGAE, **SMALL))
    last = Path("model", "checkpoints", "last.safetensors")
    assert main([*arguments, "--out", "a"]) == 0
    assert "without any answer, is trained once" in capsys.readouterr().err
    head, *rows = table_file.read_text().splitlines()
    changed = [",".join([*row.split(",")[:-3], "0.125", "0.5", "7"]) for row in rows]
    table_file.write_text("\n".join([head, *changed]) + "\n")
    assert main([*arguments, "--out", "b"]) == 0
    assert (Path("a") / last).read_bytes() == (Path("b") / last).read_bytes()
    data = json.loads((Path("a") / "model" / "data.json").read_text())
    assert (data["labelled_rows"], data["reported"]) == (0, [])
    assert data["complexity"] == ["params", "macs"]  # as the space computes them
    capsys.readouterr()
    assert main([*arguments, "--out", "b", "--seeds", "5"]) == 0
    assert main([*arguments, "b/model", "--out", "c"]) == 0
    assert "is trained once" not in capsys.readouterr().err
    other = ["--benchmark", "table", "--table", "digits6", "--seeds", "1", "b/model", "--out", "d"]
    assert main(["search", *other]) == 2
    assert "expected a model of the space enas6, found one of enas3" in capsys.readouterr().err


@pytest.mark.skipif(not NB201.exists(), reason=f"no NAS-Bench-201 in {NB201} (NGAE_TEST_DATA)")
def test_random_search_on_nas_bench_201(tmp_path):
    table = NB201 / "nasbench201.csv.gz"
    flags = ["--table", str(table), "--seeds", "3", "--budget", "30", "--out", str(tmp_path)]
    assert main(["search", "--benchmark", "nas-bench-201/cifar10", *flags]) == 0
    columns = {"performance_col": "cifar10_val_acc_200ep", "report_col": "cifar10_test_acc_200ep"}
    rows = load(str(table), **columns).table
    values = dict(zip(rows.hashes, rows.performance, strict=True))
    tests = dict(zip(rows.hashes, rows.reported["cifar10_test_acc_200ep"], strict=True))
    trials = [json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert len({(t["seed"], t["hash"]) for t in trials}) == 90
    assert all(t["performance"] == values[t["hash"]] for t in trials)
    best = []
    for seed in range(3):
        asked = [t["hash"] for t in trials if t["seed"] == seed]
        best.append(max(asked, key=lambda h: values[h]))
    regrets = [rows.performance.max() - values[h] for h in best]
    result = json.loads((tmp_path / "result.json").read_text())["random"]
    assert result["regret"]["mean"] == pytest.approx(np.mean(regrets))
    assert result["regret"]["std"] == pytest.approx(np.std(regrets, ddof=1))
    assert result["reported"]["mean"] == pytest.approx(np.mean([tests[h] for h in best]))
    assert result["success"] == {"30": np.mean([r == 0 for r in regrets])}
    assert result["hypervolume"] is None
    assert result["seeds"] == 3


@pytest.mark.skipif(not NB201.exists(), reason=f"no NAS-Bench-201 in {NB201} (NGAE_TEST_DATA)")
def test_accuracy_and_latency_on_nas_bench_201(tmp_path):
    files = [str(NB201 / "nasbench201.csv.gz"), str(NB201 / "latency_ms_27_devices.csv.gz")]
    name = "nas-bench-201/cifar10/latency-pixel3"
    flags = ["--table", files[0], "--join", files[1], "--seeds", "1", "--budget", "30"]
    assert main(["search", "--benchmark", name, *flags, "--out", str(tmp_path)]) == 0
    rows = load(
        files[0], join=files[1], performance_col="cifar10_test_acc_200ep", complexity_col="pixel3"
    ).table
    counts = rows.performance >= 80
    slowest = rows.complexity[counts, 0].max()

    def volume(points):
        """Sum over a front's steps, from the fastest on."""
        area, best = 0.0, 80.0
        for ms, accuracy in sorted(points):
            area += max(0.0, accuracy - best) * (slowest - ms)
            best = max(best, accuracy)
        return area

    whole = volume(zip(rows.complexity[counts, 0], rows.performance[counts], strict=True))
    trials = [json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert [t["kept"] for t in trials] == [t["performance"] >= 80 for t in trials]
    found = volume((t["complexity"]["pixel3"], t["performance"]) for t in trials if t["kept"])
    result = json.loads((tmp_path / "result.json").read_text())["random"]
    assert result["hypervolume"]["mean"] == pytest.approx(found / whole)


def test_an_interrupted_training_tells_that_the_same_command_goes_on(
    arguments, monkeypatch, capsys
):
    def interrupted(*_, **__):
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(NGAE, "fit", interrupted)
    assert main([*arguments, "--strategies", "gradient"]) == 128 + signal.SIGTERM
    assert "remedy: the same command goes on\n" in capsys.readouterr().err
