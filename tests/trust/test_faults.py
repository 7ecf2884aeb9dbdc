"""Faults of the machine: each is told in a line with a code, and what was saved stays good."""

import argparse
import errno
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import torch

import ngae
from ngae import console
from ngae.cli import main
from ngae.errors import RefusedError, TrainingError, WriteError
from ngae.oracles import Parallel
from ngae.oracles.base import Answer
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.ledger_file import LedgerError
from ngae.search.folder import SearchFolder, alone_in
from ngae.train.checkpoint import read_checkpoint
from ngae.train.folder import LOCK, RunFolder, read_log
from ngae.train.session import Silence, run_training
from tests.trust.works import SPACE, architectures, dataset, small, value_of


class AtEpochEnd(Silence):
    """Calls a function when the first epoch is done."""

    def __init__(self, deed):
        self.deed = deed

    def started(self, trainer, resumed):
        self.trainer = trainer

    def epoch_ended(self, record):
        if record["epoch"] == 1:
            self.deed(self.trainer)


def train(folder, deed=None, **how):
    observer = Silence() if deed is None else AtEpochEnd(deed)
    return run_training(small(), dataset(), folder, observer=observer, **how)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of the last checkpoint of a run without a fault."""
    folder = RunFolder(tmp_path_factory.mktemp("whole"))
    train(folder)
    return folder.last.read_bytes()


def goes_on(folder, whole):
    """Require that a run is left without halves of files, and ends as one without a fault."""
    assert read_checkpoint(folder.last).facts["step"] == 3
    assert [path.name for path in folder.path.rglob(".*")] == [LOCK]
    train(folder, resume=True)
    assert folder.last.read_bytes() == whole
    assert [record["epoch"] for record in read_log(folder.log)] == [1, 2]


def test_a_full_disk_keeps_the_last_checkpoint(disk, whole):
    folder = RunFolder(disk.path / "run")
    with pytest.raises(WriteError, match=r"(safetensors|jsonl): .*found: No space left") as caught:
        train(folder, lambda trainer: disk.fill())
    assert caught.value.exit_code == 1
    disk.free()
    goes_on(folder, whole)


def test_a_folder_that_cannot_be_written_to_is_named(disk):
    (disk.path / "run").mkdir(parents=True)
    disk.freeze()
    with pytest.raises(WriteError, match=r"disk/run.*: expected to write it, found: Read-only"):
        train(RunFolder(disk.path / "run"))
    assert not [path for path in (disk.path / "run").iterdir() if path.name != LOCK]


def test_a_folder_that_is_removed_or_replaced_under_its_run_is_left_alone(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(WriteError, match=r"run: expected the folder of this run, found that it"):
        train(folder, lambda trainer: shutil.rmtree(folder.path))
    assert not folder.path.exists()

    def replace(trainer):
        shutil.rmtree(folder.path)
        folder.path.mkdir()
        (folder.path / LOCK).touch()

    with pytest.raises(WriteError, match="removed or replaced"):
        train(folder, replace)
    assert [path.name for path in folder.path.iterdir()] == [LOCK]


@pytest.mark.parametrize(("value", "term"), [(float("nan"), "nan"), (float("inf"), "(nan|inf)")])
def test_a_loss_that_is_no_number_keeps_the_last_checkpoint(tmp_path, whole, value, term):
    folder = RunFolder(tmp_path / "run")

    def poison(trainer):
        with torch.no_grad():
            for parameter in trainer.model.performance.parameters():
                parameter.fill_(value)

    with pytest.raises(TrainingError, match=f"epoch 2, step 1: .* = {term}") as caught:
        train(folder, poison)
    assert caught.value.exit_code == 1
    assert folder.failure.exists()
    goes_on(folder, whole)


def test_a_clock_that_goes_back_changes_nothing(tmp_path, whole, monkeypatch, capsys):
    clock = iter(range(2_000_000_000, 0, -100_000))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    folder = RunFolder(tmp_path / "run")
    train(folder)
    assert folder.last.read_bytes() == whole
    assert all(record["seconds"] > 0 for record in read_log(folder.log))
    os.utime(folder.metrics, (4e9, 4e9))  # written in the future
    assert main(["status", str(tmp_path)]) == 0
    assert "finished" in capsys.readouterr().out


def test_halves_of_files_that_a_kill_left_are_removed(tmp_path, whole):
    folder = RunFolder(tmp_path / "run")
    folder.last.parent.mkdir(parents=True)
    halves = [
        folder.path / ".config.json.abc.part",
        folder.last.parent / f".{folder.last.name}.x.part",
    ]
    for half in halves:
        half.write_bytes(b"half")
    halves[1].unlink()
    folder.last.parent.rmdir()
    train(folder, resume=True)  # killed while its settings were written: no foreign folder
    halves[1].write_bytes(b"half")
    train(folder, resume=True)
    assert not any(half.exists() for half in halves)
    assert folder.last.read_bytes() == whole


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")],
)
def test_too_little_memory_is_told_in_a_line(capsys, error):
    def command(arguments):
        raise error

    assert console.run(argparse.ArgumentParser("ngae train"), command, []) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: ngae train: expected enough memory, found too little\nremedy:")
    with pytest.raises(RuntimeError, match="else"):  # a mistake of ours is not hidden
        error = RuntimeError("something else")
        console.run(argparse.ArgumentParser(), command, [])


class Greedy:
    """Finds no memory for one architecture."""

    name, space = "greedy", SPACE

    def __init__(self, guilty):
        self.guilty = guilty

    def query(self, dag):
        if dag == self.guilty:
            raise MemoryError("no memory for a network")
        return Answer(value_of(dag), {}, 0.0)


def test_an_evaluation_without_memory_fails_alone():
    dags = architectures(4)
    failed = "MemoryError: no memory for a network (after 2 attempts)"
    recorded = Recorded(Greedy(dags[1]), Ledger())
    with ThreadPoolExecutor(2) as threads, Parallel(Greedy(dags[1]), threads) as parallel:
        for found in ([recorded.query(dag) for dag in dags], parallel.query_many(dags)):
            assert [answer.error for answer in found] == ["", failed, "", ""]


def test_a_ledger_that_is_removed_is_not_written_to(tmp_path):
    path = tmp_path / "l"
    one, other = architectures(2)
    with Ledger(path) as ledger:
        oracle = Recorded(Greedy(None), ledger)
        oracle.query(one)
        path.unlink()
        with pytest.raises(LedgerError, match="expected the ledger that was opened") as caught:
            oracle.query(other)
        assert (caught.value.exit_code, ledger.used) == (1, 1)


def test_a_question_that_finds_no_room_is_asked_again(tmp_path, monkeypatch):
    def opened(folder):
        return closing(ngae.Search(SPACE, strategy="evolution", seed=3, folder=folder))

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(tmp_path / "whole") as search:
        wanted = [search.ask(3), search.ask(2)]
    with opened(tmp_path / "s") as search:
        assert search.ask(3) == wanted[0]
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(LedgerError, match="expected room for an event"):
                search.ask(2)
        assert search.ask(2) == wanted[1]
    with opened(tmp_path / "s") as search:
        assert list(search.pending) == [*wanted[0], *wanted[1]]


def test_a_second_process_is_refused_and_changes_nothing(searched_run, tmp_path, capsys):
    run = tmp_path / "tiny"
    shutil.copytree(searched_run, run)
    found = next((run / "search").iterdir())
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    config = RunFolder(run).read_config()
    flags = ["--budget", "6", "--num-starts", "16", "--steps", "5", "--oracle", "predicted"]
    with alone_in(found):
        code = main(["search", str(run), *flags, "--weight", "0.1", "--overwrite"])
        assert code == 4
    assert "found another process writing to it" in capsys.readouterr().err
    with RunFolder(run).claimed(config, resume=True, overwrite=False):
        command = ["train", "--config", str(run / "config.json"), "--out", str(run)]
        assert [main([*command, how]) for how in ("--resume", "--overwrite")] == [4, 4]
    assert "found another process writing to it" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_a_search_is_not_dropped_under_whoever_holds_its_ledger(tmp_path):
    folder = SearchFolder(tmp_path / "s", {"search": {}})
    with (
        Ledger(folder.ledger),
        pytest.raises(RefusedError, match="another process writing to it"),
    ):
        SearchFolder(tmp_path / "s", {"search": {}}, overwrite=True)
    assert folder.ledger.exists()
