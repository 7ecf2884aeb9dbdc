"""`ngae status`: what is told of runs and searches, and of folders that are none."""

import fcntl
import json
import os
import shutil
import subprocess
import sys

import pytest

from ngae.cli import main
from ngae.report.runs import standings
from ngae.train.folder import LOCK


@pytest.fixture
def runs(searched_run, tmp_path):
    """Give a folder of runs that holds a finished one with a search."""
    folder = tmp_path / "runs"
    shutil.copytree(searched_run, folder / "tiny")
    return folder


def _only(folder):
    (found,) = standings(folder)
    return found


def _search(runs):
    (path,) = (runs / "tiny" / "search").iterdir()
    return path


def test_a_finished_run_has_the_numbers_of_its_metrics(runs):
    found = _only(runs)
    metrics = json.loads((runs / "tiny" / "metrics.json").read_text())
    assert (found.kind, found.state, found.epoch, found.epochs) == ("run", "finished", 3, 3)
    assert found.reconstruction == metrics["reconstruction"]["mean"]
    assert found.pearson_r == metrics["performance"]["pearson_r"]
    assert found.kendall_tau == metrics["performance"]["kendall_tau"]
    result = json.loads((_search(runs) / "result.json").read_text())
    (search,) = found.searches
    assert (search.state, search.strategy, search.queries, search.budget) == (
        "finished", "gradient", 6, 6,
    )  # fmt: skip
    assert search.best == result["best"]["performance"]
    assert found.note == search.note == ""


def test_a_run_is_told_by_its_own_folder_too(runs):
    assert standings(runs / "tiny") == standings(runs)


def test_a_run_in_a_folder_of_folders_is_found(runs, tmp_path):
    (tmp_path / "all").mkdir()
    runs.rename(tmp_path / "all" / "first")
    found = _only(tmp_path / "all")
    assert (found.path, found.state) == (tmp_path / "all" / "first" / "tiny", "finished")


def test_a_lock_that_is_held_says_that_a_run_trains(runs):
    log = (runs / "tiny" / "log.jsonl").read_text().splitlines()
    (runs / "tiny" / "metrics.json").unlink()
    (runs / "tiny" / "log.jsonl").write_text("".join(line + "\n" for line in log[:2]) + '{"ep')
    found = _only(runs)
    assert (found.state, found.epoch, found.kendall_tau) == ("interrupted", 2, None)
    assert found.reconstruction == json.loads(log[1])["test"]["reconstruction"]
    with (runs / "tiny" / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert _only(runs).state == "training"
        (runs / "tiny" / "log.jsonl").write_text("\n".join(log))
        assert _only(runs).state == "evaluating"
    assert _only(runs).state == "interrupted"


def _ledger(lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


def _asked(key, attempt=1):
    return {"event": "asked", "hash": key, "attempt": attempt, "architecture": {}}


def _answered(key, performance, params, event="answered"):
    told = {"complexity": {"params": params}, "cost_s": 0.0, "detail": {}, "error": ""}
    return {"event": event, "hash": key, "performance": performance, **told}


def test_a_search_that_was_cut_off_counts_what_its_ledger_was_asked(runs):
    folder = _search(runs)
    (folder / "result.json").unlink()
    (folder / "trials.jsonl").unlink()
    config = json.loads((folder / "config.json").read_text())
    config["search"]["constraint"] = "params <= 10"
    (folder / "config.json").write_text(json.dumps(config))
    lines = [
        {"event": "opened", "version": 1, "oracle": "o"},
        _asked("a"), _answered("a", 0.5, 10), _asked("b"), _answered("b", 0.9, 11),
        _asked("c"), {"event": "withdrawn", "hash": "c"}, _asked("d"), _asked("d", 2),
        _asked("e"), _answered("e", None, 1, "failed"),
        {**_answered("f", 0.99, 1, "known"), "architecture": {}},
    ]  # fmt: skip
    (folder / "ledger.jsonl").write_text(_ledger(lines) + '{"event": "ask')
    (search,) = _only(runs).searches
    assert (search.state, search.queries, search.budget, search.best) == ("interrupted", 4, 6, 0.5)
    with (folder / "ledger.jsonl").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert _only(runs).searches[0].state == "searching"


def test_a_search_without_a_run_and_a_benchmark_are_told(runs):
    _search(runs).rename(runs / "search-a")
    shutil.rmtree(runs / "tiny")
    (runs / "search-b").mkdir()
    (runs / "search-b" / "settings.json").write_text("{}")
    lines = [{"strategy": s, "seed": n, "number": 0} for s in ("gp", "bo") for n in (0, 0, 1)]
    (runs / "search-b" / "trials.jsonl").write_text(_ledger(lines))
    first, second = standings(runs)
    assert (first.kind, first.state, first.searches[0].queries) == ("search", "finished", 6)
    assert (second.kind, second.state) == ("benchmark", "unfinished")
    assert second.note == "benchmark, 4 searches ended"


BROKEN = {
    "nothing": {},
    "foreign": {"notes.txt": "mine"},
    "binary": {"config.json": b"\xff\x00", "log.jsonl": b"\x80\n[1]\n"},
    "deep": {"config.json": "[" * 100_000, "metrics.json": "{}"},
    "list": {"config.json": "[]", "checkpoints": None},
    "other": {"config.json": '{"name": "package"}'},
    "odd": {
        "config.json": '{"train": {"epochs": "many"}, "data": []}',
        "log.jsonl": '{"epoch": -1, "test": {"reconstruction": "all", "pearson_r": NaN}}\n7\n',
        "metrics.json": '{"reconstruction": 1, "performance": {"pearson_r": 1%s}}' % ("0" * 400),
    },
    "folders": {"config.json": None, "metrics.json": None, LOCK: None},
    "search": {"config.json": '{"search": 3, "oracle": null}', "ledger.jsonl": "{}\n"},
}  # fmt: skip


@pytest.fixture
def broken(tmp_path):
    """Give a folder of folders that are no runs, or no whole ones."""
    folder = tmp_path / "broken"
    for name, files in BROKEN.items():
        (folder / name).mkdir(parents=True)
        for file, content in files.items():
            path = folder / name / file
            if content is None:
                path.mkdir()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "config.json")  # opening it would wait for ever
    os.symlink("loop", folder / "loop")
    (folder / "file").write_text("")
    return folder


def test_broken_and_foreign_folders_are_named(broken):
    found = {run.path.name: run for run in standings(broken)}
    assert {name: (run.kind, run.state) for name, run in found.items()} == {
        "nothing": ("other", "not a run"),
        "foreign": ("other", "not a run"),
        "binary": ("run", "unreadable"),
        "deep": ("run", "unreadable"),
        "list": ("run", "unreadable"),
        "other": ("other", "not a run"),
        "odd": ("run", "finished"),
        "folders": ("run", "unreadable"),
        "search": ("search", "interrupted"),
        "pipe": ("other", "unreadable"),
    }
    odd = found["odd"]
    assert (odd.epoch, odd.epochs, odd.reconstruction, odd.pearson_r) == (None,) * 4
    assert found["foreign"].note == "no config.json"
    assert found["list"].note == "config.json: expected a JSON object, found list"


def test_the_command_shows_all_of_it(broken, runs, capsys):
    (runs / "a\nb").mkdir()
    broken.rename(runs / "broken")
    assert main(["status", str(runs)]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].split() == [
        "folder", "state", "done", "reconstruction", "r", "tau", "best", "last", "write",
    ]  # fmt: skip
    run = _only(runs / "tiny")
    (row,) = (line.split() for line in lines if line.startswith("tiny"))
    assert row[:5] == ["tiny", "finished", "3/3", "epochs", f"{100 * run.reconstruction:.2f}"]
    assert row[6:8] == [f"{run.pearson_r:.4f}", f"{run.kendall_tau:.4f}"]
    (row,) = (line.split() for line in lines if line.startswith("  gradient-b6-s0"))
    best = f"{run.searches[0].best:.6g}"
    assert row[:5] == ["gradient-b6-s0", "finished", "6/6", "queries", best]
    assert any(line.startswith("'" + "a\\nb" + "'") for line in lines)
    assert "broken/odd" in shown.out
    assert "note: " + str(runs / "broken" / "list") in shown.err


def test_the_command_gives_json(runs, capsys):
    os.utime(runs / "tiny" / "metrics.json", (2e9, 2e9))  # a clock that went back
    assert main(["status", str(runs), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["state"], run["epoch"], run["seconds_since_write"]) == ("finished", 3, 0)
    assert run["searches"][0]["queries"] == 6
    assert run["kendall_tau"] == _only(runs).kendall_tau


def test_a_folder_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["status", str(tmp_path / "no")]) == 4
    assert "expected a folder of runs, found none" in capsys.readouterr().err
    assert main(["status", str(tmp_path)]) == 0
    assert "no runs" in capsys.readouterr().err


def test_it_needs_neither_torch_nor_numpy(runs):
    code = (
        "import sys; from ngae.cli import main; code = main(['status', sys.argv[1]]); "
        "assert not {'torch', 'numpy'} & sys.modules.keys(); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(runs)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "tiny" in done.stdout
