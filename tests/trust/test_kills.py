"""SIGKILL at random moments, in the middle of writes as well: what is gone on with ends the same.

Each kind is killed 20 times, or as often as NGAE_KILLS says; between a kill and the next start the
files are looked at.
"""

import json
import os
import random
import shutil
import signal

import pytest

from ngae.train.checkpoint import read_checkpoint
from ngae.train.folder import RunFolder, read_log
from tests.trust.forking import Forks

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("NGAE_KILLS", "20"))
TIMES = {"seconds", "graphs_per_s", "wall_time_s", "cost_s"}  # differ from run to run
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def forks():
    with Forks() as forks:
        yield forks


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def chains(forks, rng, whole, work, arguments_of, check, has_ended=lambda number: False):
    """Kill a work up to three times, let it end, and again, until there were enough kills.

    A kill that comes when all is written leaves a work that has ended.

    Yields:
        The number of each chain, once its work has ended.
    """
    kills = number = 0
    while kills < KILLS:
        arguments = arguments_of(number)
        for _ in range(3):
            ended = forks.kill(rng, whole, work, *arguments)
            assert ended.code in (KILLED, 0), ended.shown
            kills += ended.code == KILLED
            if check(number) or ended.code == 0 or has_ended(number):
                break
        if ended.code == KILLED and not has_ended(number):
            ended = forks.run(work, *arguments)
        assert ended.code == 0 or has_ended(number), ended.shown
        yield number
        number += 1


def state_of(folder):
    """Steps of the newest checkpoint and epochs of the log; everything that is there is whole."""
    steps = -1
    for path in (folder.last, folder.best):
        if path.exists():
            steps = read_checkpoint(path).facts["step"]
    for path in (folder.config, folder.metrics, folder.failure):
        assert not path.exists() or json.loads(path.read_text())
    epochs = [record["epoch"] for record in read_log(folder.log)]
    assert epochs == list(range(1, len(epochs) + 1))
    return steps, len(epochs)


def ending_of(folder):
    """All files of a run that has ended, without times."""
    found = {}
    for path in sorted(folder.path.rglob("*")):
        name = path.relative_to(folder.path).as_posix()
        if path.suffix == ".json":
            found[name] = without_times(json.loads(path.read_text()))
        elif path.suffix == ".jsonl":
            found[name] = [
                without_times(json.loads(line)) for line in path.read_text().split("\n")[:-1]
            ]
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def test_a_training_ends_in_the_same_bytes_whenever_it_is_killed(tmp_path, forks):
    run = RunFolder(tmp_path / "whole")
    whole = forks.run("train", run.path)
    assert whole.code == 0, whole.shown
    wanted = ending_of(run)
    steps_before = {}

    def check(number):
        folder = RunFolder(tmp_path / str(number))
        steps, epochs = state_of(folder)
        assert steps >= steps_before.get(number, -1)
        steps_before[number] = steps
        assert not folder.last.exists() or epochs >= read_checkpoint(folder.last).facts["step"] // 3

    def paths(number):
        return [tmp_path / str(number)]

    for number in chains(forks, random.Random(0), whole, "train", paths, check):
        assert ending_of(RunFolder(tmp_path / str(number))) == wanted


def test_an_evaluation_ends_in_the_same_numbers_whenever_it_is_killed(tmp_path, forks):
    run = RunFolder(tmp_path / "whole")
    assert forks.run("train", run.path).code == 0
    wanted = ending_of(run)
    weights = run.last.read_bytes()

    def trained(number):
        path = tmp_path / str(number)
        if not path.exists():
            shutil.copytree(run.path, path)
            for name in ("metrics.json", "latents.npz"):
                (path / name).unlink()
        return [path]

    def check(number):
        folder = RunFolder(tmp_path / str(number))
        state_of(folder)
        assert folder.last.read_bytes() == weights

    whole = forks.run("train", *trained("first"))
    assert ending_of(RunFolder(tmp_path / "first")) == wanted
    for number in chains(forks, random.Random(1), whole, "train", trained, check):
        assert ending_of(RunFolder(tmp_path / str(number))) == wanted


class Paid:
    """The ledger and the payments of searches, looked at after each kill."""

    def __init__(self, folder):
        self.folder = folder
        self.answered = {}
        self.seen = {}

    def arguments(self, number):
        return [self.folder / f"s{number}", self.folder / f"p{number}"]

    def check(self, number):
        """Require that nothing is paid twice; whether an architecture waits for its answer."""
        out, paid = self.arguments(number)
        payments = paid.read_text().split() if paid.exists() else []
        fresh = payments[self.seen.get(number, 0) :]
        assert not set(fresh) & self.answered.get(number, set())
        assert len(fresh) == len(set(fresh))
        ledger = out / "ledger.jsonl"
        lines = ledger.read_bytes().split(b"\n")[:-1] if ledger.exists() else []
        events = [json.loads(line) for line in lines]
        settled = {e["hash"] for e in events if e["event"] in ("answered", "failed")}
        assert settled >= self.answered.get(number, set())
        assert settled <= set(payments)
        self.answered[number], self.seen[number] = settled, len(payments)
        return bool({e["hash"] for e in events if e["event"] == "asked"} - settled)


def found_by(folder):
    """All files of a search that has ended, without times; of its ledger the answers."""
    found = ending_of(RunFolder(folder))
    events = found.pop("ledger.jsonl")
    return found, [e for e in events if e["event"] in ("answered", "failed", "known")]


@pytest.mark.parametrize("work", ["search", "ask_and_tell"])
def test_a_search_finds_the_same_and_pays_once_whenever_it_is_killed(tmp_path, forks, work):
    first = []
    if work == "search":
        made = forks.run("make_run", tmp_path / "run")
        assert made.code == 0, made.shown
        measured = forks.run("evaluate", tmp_path / "run")
        assert (measured.code, measured.calls) == (0, 0)  # it writes nothing
        first = [tmp_path / "run"]
    watch = Paid(tmp_path)
    whole = forks.run(work, *first, *watch.arguments("whole"))
    assert whole.code == 0, whole.shown
    wanted = found_by(tmp_path / "swhole")
    assert len(wanted[0]["trials.jsonl"]) == len(wanted[1]) == 8

    def arguments(number):
        return [*first, *watch.arguments(number)]

    def has_ended(number):  # such a search is refused
        return work == "search" and (tmp_path / f"s{number}" / "result.json").exists()

    for number in chains(forks, random.Random(2), whole, work, arguments, watch.check, has_ended):
        watch.check(number)
        assert found_by(tmp_path / f"s{number}") == wanted
        assert len(watch.answered[number]) == 8
