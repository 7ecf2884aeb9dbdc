"""Training by several processes: the curve of one, equal bytes, ends without hangs."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngae.cli import main
from ngae.spaces.enas import EnasSpace
from ngae.train.checkpoint import read_checkpoint
from ngae.train.folder import RunFolder, read_log
from tests.train.several import Event, Several

ROWS, EPOCHS, BATCH = 58, 3, 17  # steps of 17, 17 and 13 graphs


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return Several(tmp_path_factory.mktemp("shown"))


def write_table(path):
    """A table some of whose rows have no performance."""
    space, rng = EnasSpace(3), np.random.default_rng(0)
    dags = list({space.sample(rng): None for _ in range(4 * ROWS)})[:ROWS]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["arch", "performance"])
        for row, dag in enumerate(dags):
            rows.writerow([space.format(dag), "" if row % 5 == 1 else len(dag.edges) / 20])


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    table = tmp_path_factory.mktemp("table") / "t.csv"
    write_table(table)
    small = ["--hidden-dim", "16", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "10", "--protocol-points", "2", "--warmup-steps", "3"]
    few += ["--correlation-weight", "0.1"]  # a term of the whole batch that counts
    sizes = ["--epochs", str(EPOCHS), "--batch-size", str(BATCH), "--train-rows", "47"]
    return ["--data", str(table), "--missing", "keep", *small, *few, *sizes]


@pytest.fixture(scope="module")
def whole(several, flags, tmp_path_factory):
    """A run of two processes, and how it ended."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return RunFolder(out), several.train(*flags, "--out", str(out))


@pytest.fixture(scope="module")
def alone(flags, tmp_path_factory):
    """The same run of one process."""
    out = tmp_path_factory.mktemp("runs") / "alone"
    assert main(["train", *flags, "--out", str(out)]) == 0
    return RunFolder(out)


def curve(folder):
    """Every number of the log but times: (num_epochs, num_numbers)."""
    lines = [{**record.pop("test"), **record} for record in read_log(folder.log)]
    names = [name for name in lines[0] if name not in ("seconds", "graphs_per_s")]
    return np.array([[line[name] for name in names] for line in lines], dtype=float)


def assert_same_bytes(found, expected):
    for name in ("last", "best"):
        assert getattr(found, name).read_bytes() == getattr(expected, name).read_bytes()
    times = ("wall_time_s", "graphs_per_s")
    ours, theirs = (json.loads(folder.metrics.read_text()) for folder in (found, expected))
    assert all(ours[name] == theirs[name] for name in theirs if name not in times)
    assert np.array_equal(curve(found), curve(expected))


def test_two_processes_follow_the_curve_of_one(whole, alone):
    folder, ended = whole
    assert ended.codes == (0, 0), ended.text
    assert curve(folder).shape == (EPOCHS, 13)
    np.testing.assert_allclose(curve(folder), curve(alone), rtol=1e-5)
    ours, theirs = (read_checkpoint(run.last).tensors for run in (folder, alone))
    assert set(ours) == set(theirs)


def test_processes_without_a_graph_of_a_batch_take_their_steps(several, flags, alone, tmp_path):
    one_left = [*flags, "--batch-size", "23"]  # 23, 23 and 1 graphs
    ended = several.train(*one_left, "--out", str(tmp_path / "three"), size=3)
    assert ended.codes == (0, 0, 0), ended.text
    assert main(["train", *one_left, "--out", str(tmp_path / "one")]) == 0
    three, one = (curve(RunFolder(tmp_path / name)) for name in ("three", "one"))
    np.testing.assert_allclose(three, one, rtol=1e-5)


def test_only_the_first_process_writes_and_shows(whole, alone):
    folder, ended = whole
    names = {path.relative_to(folder.path) for path in folder.path.rglob("*")}
    assert names == {path.relative_to(alone.path) for path in alone.path.rglob("*")}
    assert "processes: 2" in ended.shown[0] and "reconstruction" in ended.shown[0]
    assert ended.shown[1] == ""
    found = [json.loads((run.path / "env.json").read_text()) for run in (folder, alone)]
    assert [environment["processes"] for environment in found] == [2, 1]
    assert folder.read_config() == alone.read_config()


def test_two_processes_end_in_the_same_bytes_again(several, flags, whole, tmp_path):
    ended = several.train(*flags, "--out", str(tmp_path / "again"))
    assert ended.codes == (0, 0), ended.text
    assert_same_bytes(RunFolder(tmp_path / "again"), whole[0])


@pytest.mark.parametrize(("name", "number", "rank"), [("SIGTERM", 15, 1), ("SIGINT", 2, 0)])
def test_a_signal_to_one_stops_all_at_that_step(
    several, flags, whole, alone, tmp_path, name, number, rank
):
    folder = RunFolder(tmp_path / "run")
    out = ["--out", str(folder.path)]
    ended = several.train(*flags, *out, event=Event(rank, 4, name))
    assert ended.codes == (128 + number, 128 + number), ended.text
    assert ended.text.count(f"error: interrupted by {name}; the checkpoint is saved") == 1
    assert read_checkpoint(folder.last).facts["step"] == 5
    shutil.copytree(folder.path, tmp_path / "by one")
    ended = several.train(*flags, *out, "--resume")
    assert ended.codes == (0, 0), ended.text
    assert_same_bytes(folder, whole[0])
    if rank:
        assert main(["train", *flags, "--out", str(tmp_path / "by one"), "--resume"]) == 0
        by_one = RunFolder(tmp_path / "by one")
        np.testing.assert_allclose(curve(by_one), curve(alone), rtol=1e-5)


@pytest.mark.parametrize("rank", [0, 1])
def test_when_one_is_killed_the_other_says_so_and_ends(several, flags, whole, tmp_path, rank):
    folder = RunFolder(tmp_path / "run")
    out = ["--out", str(folder.path)]
    ended = several.train(*flags, *out, event=Event(rank, 4, "SIGKILL"))
    assert ended.codes == ((-9, 1) if rank == 0 else (1, -9)), ended.text
    assert ended.lag < 30  # a second or two where the machine has nothing else to do
    assert "expected every process to take the next step" in ended.shown[1 - rank]
    assert "remedy: " in ended.shown[1 - rank]
    assert read_checkpoint(folder.last).facts["step"] == 3  # of the first epoch
    ended = several.train(*flags, *out, "--resume")
    assert ended.codes == (0, 0), ended.text
    assert_same_bytes(folder, whole[0])


@pytest.mark.end_to_end
def test_torchrun_goes_on_after_a_kill(flags, whole, tmp_path):
    folder = RunFolder(tmp_path / "run")
    launch = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
    program = ["-m", "tests.train.several", *flags, "--out", str(folder.path), "--resume"]
    done = subprocess.run(
        [sys.executable, "-m", *launch, *program],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NGAE_TEST_DEATH": "1 4 SIGKILL", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "resumed at step 3 of 9" in done.stderr
    assert_same_bytes(folder, whole[0])


def assert_told_once(ended, code, text):
    assert set(ended.codes) == {code}, ended.text
    assert ended.text.count("error: ") == 1, ended.text
    assert text in ended.text


def test_what_all_find_wrong_is_told_once(several, flags, whole, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text('arch,performance\n"[[1], [2, 0], [3, 0, 1]]",high\n')
    ended = several.train("--data", str(broken), "--out", str(tmp_path / "run"))
    assert_told_once(ended, 3, "broken.csv:2:28: expected a finite number, found 'high'")
    taken = several.train(*flags, "--out", str(whole[0].path))
    assert_told_once(taken, 4, "expected a free folder, found a run")
    wild = [*flags, "--out", str(tmp_path / "wild")]
    ended = several.train(*wild, event=Event(1, 4, "nan"))
    assert_told_once(ended, 1, "epoch 2, step 2: expected finite terms")
    assert str(tmp_path / "wild" / "checkpoints") in ended.shown[0]
    assert several.train(*flags, "--device", "cuda:0").text.count("expected cuda, a GPU") == 1


@pytest.mark.parametrize("rank", [0, 1])
def test_what_one_finds_wrong_is_told_once(several, flags, tmp_path, rank):
    out = ["--out", str(tmp_path / "run")]
    lost = [*flags, *out, "--data", str(tmp_path / "lost.csv")]
    each = [[*flags, *out], lost] if rank else [lost, [*flags, *out]]
    ended = several.train(*each)
    assert_told_once(ended, 3, "lost.csv: expected a file, found nothing of that name")


def test_other_data_and_other_settings_of_one_are_refused(several, flags, tmp_path):
    out = ["--out", str(tmp_path / "run")]
    shorter = tmp_path / "t.csv"
    lines = Path(flags[1]).read_text().splitlines(keepends=True)
    shorter.write_text("".join([lines[0], *lines[2:]]))
    ended = several.train([*flags, *out], [*flags, *out, "--data", str(shorter)])
    assert_told_once(ended, 4, "expected a checkpoint of these data and settings")
    ended = several.train([*flags, *out, "--overwrite"], [*flags, *out, "--seed", "1"])
    assert_told_once(ended, 4, "process 1: expected the settings of the first process")


def test_a_write_that_fails_ends_all(several, flags, tmp_path):
    ended = several.train(*flags, "--out", str(tmp_path / "run"), event=Event(0, 1, "block"))
    assert_told_once(ended, 1, "log.jsonl: expected to write it")
    assert json.loads((tmp_path / "run" / "error.json").read_text())["kind"] == "WriteError"
