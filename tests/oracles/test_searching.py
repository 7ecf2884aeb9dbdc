"""Oracles of the command line: programs, ledgers, workers, failures."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from ngae.cli import main
from ngae.search.config import STRATEGY_CONFIGS
from ngae.settings import as_dict
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
SMALL = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
FEW = ["--prior-points", "30", "--protocol-points", "5"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A finished tiny run, and a program that judges, in the working folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    dags = list({SPACE.sample(rng): None for _ in range(200)})[:60]
    lines = [f"{SPACE.format(dag)}, {len(dag.edges) / 20}\n" for dag in dags]
    (tmp_path / "t.txt").write_text("".join(lines))
    judge = tmp_path / "judge.py"
    judge.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "given = json.load(open(sys.argv[1]))\n"
        "open('evaluated', 'a').write(given['architecture'] + '\\n')\n"
        "if 6 in given['node_types']: raise SystemExit('no pooling here')\n"
        "print(json.dumps({'performance': len(given['edges']) / 20, 'detail': {'test': 0.5}}))\n"
    )
    os.chmod(judge, 0o755)
    assert main(["train", "--data", "t.txt", "--epochs", "1", *SMALL, *FEW]) == 0
    capsys.readouterr()
    return tmp_path / "runs" / "t-ngae-s0"


def search(run, *flags):
    return main(
        ["search", str(run), "--strategy", "random", "--budget", "12",
         "--oracle", "command ./judge.py {arch}", *flags]
    )  # fmt: skip


def trials(folder):
    return [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]


def test_a_program_judges_and_its_failures_are_no_finds(run, capsys):
    assert search(run, "--ledger", "answers.jsonl", "--json") == 0
    shown = capsys.readouterr()
    folder = run / "search" / "random-b12-s0"
    found = trials(folder)
    failed = [trial for trial in found if trial["status"] == "failed"]
    assert 0 < len(failed) < 12
    assert json.loads(shown.out)["failed"] == len(failed)
    assert "no pooling here" in failed[0]["error"]
    assert failed[0]["performance"] is None
    assert "failed: command judge.py: expected exit code 0, found 1" in shown.err
    good = [trial["performance"] for trial in found if trial["status"] == "ok"]
    assert json.loads((folder / "best.json").read_text())["performance"] == max(good)
    assert all(row["status"] == "ok" for row in json.loads(shown.out)["pareto"])
    assert next(t for t in found if t["status"] == "ok")["detail"] == {"test": 0.5}
    settings = json.loads((folder / "config.json").read_text())
    assert settings["oracle"]["ledger"] == "answers.jsonl"


@pytest.mark.parametrize(
    "name", ["evolution", "local", "nsga2", "reinforce", "gp", "ascent", "nao"]
)
def test_a_strategy_is_named_by_a_flag(run, name):
    assert search(run, "--strategy", name, "--seed", "2") == 0
    folder = run / "search" / f"{name}-b12-s2"
    assert len({trial["hash"] for trial in trials(folder)}) == 12
    settings = json.loads((folder / "config.json").read_text())
    assert settings["search"]["strategy"] == name
    assert settings[name] == as_dict(STRATEGY_CONFIGS[name]())


def test_a_ledger_spares_the_second_search_every_evaluation(run, tmp_path):
    assert search(run, "--ledger", "answers.jsonl") == 0
    first = trials(run / "search" / "random-b12-s0")
    assert search(run, "--ledger", "answers.jsonl", "--overwrite") == 0
    assert len((tmp_path / "evaluated").read_text().splitlines()) == 12
    again = trials(run / "search" / "random-b12-s0")
    assert [t["performance"] for t in again] == [t["performance"] for t in first]


def test_a_search_whose_evaluations_all_fail_says_so(run, capsys):
    assert search(run, "--oracle", "command false") == 1
    shown = capsys.readouterr()
    assert "error: every evaluation failed, the first one so: command false: expected" in shown.err
    folder = run / "search" / "random-b12-s0"
    assert len(trials(folder)) == 12
    assert shown.out == "12 queries, 0 of them answered\n"
    assert not (folder / "best.json").exists()
    assert not (folder / "pareto.csv").exists()
    result = json.loads((folder / "result.json").read_text())
    assert (result["failed"], result["best"], result["pareto"]) == (12, None, [])


@pytest.mark.end_to_end
def test_workers_find_the_same(run):
    assert search(run) == 0
    first = trials(run / "search" / "random-b12-s0")
    assert search(run, "--workers", "2", "--overwrite") == 0
    again = trials(run / "search" / "random-b12-s0")
    assert [(t["hash"], t["performance"]) for t in again] == [
        (t["hash"], t["performance"]) for t in first
    ]


def test_wrong_flags_end_with_their_code(run, capsys):
    assert search(run, "--oracle", "command ./gone.py") == 2
    assert "expected a program that can be run, found './gone.py'" in capsys.readouterr().err
    assert search(run, "--oracle", "train", "--images", "films") == 2
    assert "--images: expected digits or one of" in capsys.readouterr().err
    assert search(run, "--workers", "0") == 2
    assert not (run / "search").exists()


def cut_off(run, *flags):
    """Search until the fifth evaluation, which kills the search and spares the ledger."""
    judge = run.parent.parent / "judge.py"
    whole = judge.read_text()
    judge.write_text(
        whole + "import os, signal\nif len(open('evaluated').readlines()) == 5:\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-m", "ngae.search", str(run), "--strategy", "random"]
    oracle = ["--oracle", "command ./judge.py {arch}", "--budget", "12"]
    ended = subprocess.run([*command, *oracle, *flags], capture_output=True, check=False)
    judge.write_text(whole)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.end_to_end
def test_the_same_command_goes_on_after_a_kill(run, tmp_path, capsys):
    assert search(run, "--out", "whole") == 0
    (tmp_path / "evaluated").unlink()
    cut_off(run, "--out", "parts")
    assert len(trials(tmp_path / "parts")) == 4
    (tmp_path / "parts" / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert search(run, "--out", "parts", "--seed", "1") == 4
    assert "found an unfinished search of other settings" in capsys.readouterr().err
    assert search(run, "--out", "parts") == 0
    assert "a search that was cut off goes on" in capsys.readouterr().err
    found = [(t["hash"], t["performance"], t["error"]) for t in trials(tmp_path / "parts")]
    assert found == [(t["hash"], t["performance"], t["error"]) for t in trials(tmp_path / "whole")]
    evaluated = (tmp_path / "evaluated").read_text().splitlines()
    assert len(evaluated) == 13  # the one that was under way twice
    assert len(set(evaluated)) == 12
    assert search(run, "--out", "parts") == 4
    assert search(run, "--out", "parts", "--overwrite") == 0
    assert (tmp_path / "parts" / "notes.txt").read_text() == "mine"


def test_flags_are_looked_at_before_anything_is_overwritten(run):
    assert search(run) == 0
    before = (run / "search" / "random-b12-s0" / "result.json").read_bytes()
    assert search(run, "--oracle", "command ./gone.py", "--overwrite") == 2
    assert search(run, "--images", "mnist:x", "--overwrite") == 2
    assert search(run, "--weigh", "ms", "--overwrite") == 2
    assert search(run, "--steps", "3", "--overwrite") == 2
    assert (run / "search" / "random-b12-s0" / "result.json").read_bytes() == before


@pytest.mark.end_to_end
def test_a_terminated_search_ends_the_program_that_judges(run, tmp_path):
    (tmp_path / "judge.py").write_text(
        f"#!{sys.executable}\nimport os, time\n"
        "open('pid', 'w').write(str(os.getpid()) + '\\n')\ntime.sleep(120)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "ngae.search", str(run), "--strategy", "random", "--oracle",
         "command ./judge.py {arch}"], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    pid = int(awaited(tmp_path / "pid"))
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def awaited(path):
    """Give the text of a file once there is a whole line in it."""
    end = time.monotonic() + 60
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < end
        time.sleep(0.05)
    return path.read_text()
