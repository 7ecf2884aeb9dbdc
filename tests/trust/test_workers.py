"""Worker processes: they end with the search, and what they lack ends no run."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ngae.cli import main

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).parents[2]
# With `hold` beside it, it tells its number and its parent's, and waits.
JUDGE = """
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
if (here / "hold").exists():
    with open(here / "held", "a") as file:
        file.write(f"{os.getpid()} {os.getppid()}\\n")
    time.sleep(600)
print(len(json.load(open(sys.argv[1]))["edges"]) / 20)
"""
# Answers for three architectures by two processes; for the second one there is too little memory.
MEMORY = """
import json, resource, sys
from ngae.oracles import Ledger, Parallel, processes
from tests.trust.test_workers import Hungry
from tests.trust.works import architectures

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, 2 * [6000 << 20])
    dags = architectures(3)
    with Ledger(sys.argv[1]) as ledger, Parallel(Hungry(dags[1]), processes(2), ledger) as oracle:
        print(json.dumps([answer.error for answer in oracle.query_many(dags)]))
"""


class Hungry:
    """Asks for more memory than there is, for one architecture."""

    name = "hungry"

    def __init__(self, dag):
        from tests.trust.works import SPACE

        self.hungry, self.space, self.queries = dag, SPACE, 0

    def query(self, dag):
        import torch

        from ngae.oracles.base import Answer

        torch.zeros(1 << 34 if dag == self.hungry else 1)
        return Answer(0.5, {}, 0.0)


def test_they_end_with_a_search_that_is_killed_and_it_goes_on(tmp_path, capsys):
    judge, out = tmp_path / "judge.py", tmp_path / "s"
    judge.write_text(f"#!{sys.executable}\n{JUDGE}")
    judge.chmod(0o755)
    (tmp_path / "hold").touch()
    words = [
        "search", "--space", "enas3", "--strategy", "random", "--budget", "4", "--batch", "2",
        "--oracle", f"command {judge} {{arch}}", "--out", str(out), "--workers",
    ]  # fmt: skip
    search = subprocess.Popen(
        [sys.executable, "-m", "ngae", *words, "2"], stderr=subprocess.DEVNULL, cwd=ROOT
    )
    held = awaited_lines(tmp_path / "held", 2)
    assert main([*words, "1"]) == 4  # a second process
    assert "found another process writing to it" in capsys.readouterr().err
    search.kill()
    search.wait()
    there = {int(pid) for line in held for pid in line.split()}
    assert len(there) == 4
    end = time.monotonic() + 60
    while any(map(is_alive, there)):
        assert time.monotonic() < end, "processes of a killed search go on"
        time.sleep(0.05)
    (tmp_path / "hold").unlink()
    assert main([*words, "1"]) == 0
    events = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    attempts = [event["attempt"] for event in events if event["event"] == "asked"]
    assert sorted(attempts) == [1, 1, 1, 1, 2, 2]
    assert sum(event["event"] == "answered" for event in events) == 4


def awaited_lines(path, count):
    end = time.monotonic() + 120
    while not path.exists() or path.read_text().count("\n") < count:
        assert time.monotonic() < end
        time.sleep(0.05)
    return path.read_text().splitlines()


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # its parent has ended: who takes it over reaps it some time


def ended(tmp_path, text):
    script = tmp_path / "script.py"
    script.write_text(text)
    return subprocess.run(
        [sys.executable, str(script), str(tmp_path / "l")],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_one_architecture_without_memory_fails_alone(tmp_path):
    done = ended(tmp_path, MEMORY)
    assert done.returncode == 0, done.stderr
    errors = json.loads(done.stdout)
    assert errors[0] == errors[2] == ""
    assert errors[1].startswith("too little memory: ")
    assert "can't allocate memory: you tried to allocate 68719476736 bytes" in errors[1]
    assert errors[1].endswith("(after 2 attempts)")
    events = [json.loads(line) for line in (tmp_path / "l").read_text().splitlines()]
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert (failed["performance"], failed["error"]) == (None, errors[1])


def test_workers_that_cannot_start_cost_nothing(tmp_path):
    """Those of a script without a guard run it again, and end there."""
    done = ended(tmp_path, MEMORY.replace('__name__ == "__main__"', "True"))
    assert done.returncode == 1
    assert "ngae.oracles.base.ExecutorError: processes: expected worker processes" in done.stderr
    assert [json.loads(line)["event"] for line in (tmp_path / "l").read_text().splitlines()] == [
        "opened"
    ]
