"""Events for TensorBoard against the log that they are written from."""

import signal
import sys

import numpy as np
import pytest

from ngae.cli import main
from ngae.train.folder import RunFolder, append_log, read_log
from ngae.train.interrupt import Interrupted
from ngae.train.session import Silence, run_training
from ngae.train.tensorboard import EventLog, Observers, event_log, scalars

REASON = "tensorboard (60 MB with what it needs) is the extra tb, and not in the extra test"


class _Memory:
    """A writer that keeps what it is given, by folder."""

    def __init__(self, path, kept):
        self.events = kept.setdefault(path, [])
        self.events.clear()

    def add_scalar(self, tag, value, step):
        self.events.append((tag, value, step))

    def flush(self):
        pass

    def close(self):
        pass


class _StopAfter(Silence):
    """Interrupts in the second step after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def stepped(self, step):
        if (step.epoch, step.step) == (self.epoch + 1, 2):
            signal.raise_signal(signal.SIGTERM)


def _expected(folder):
    return [
        (tag, value, line["epoch"]) for line in read_log(folder.log) for tag, value in scalars(line)
    ]


def test_the_numbers_of_a_line_have_names():
    line = {"epoch": 2, "lr": 0.5, "kl": None, "test": {"pearson_r": 1, "text": "a"}}
    assert list(scalars(line)) == [("lr", 0.5), ("test/pearson_r", 1.0)]


def test_a_run_that_goes_on_repeats_no_epoch_and_lacks_none(config, data, tmp_path):
    kept, folder = {}, RunFolder(tmp_path / "a")

    def log():
        return EventLog(folder, lambda path: _Memory(path, kept))

    with pytest.raises(Interrupted):
        run_training(config, data, folder, observer=Observers([_StopAfter(1), log()]))
    (events,) = kept.values()
    assert {step for *_, step in events} == {1}
    append_log(folder.log, {**read_log(folder.log)[0], "epoch": 2})  # ahead of the checkpoint
    run_training(config, data, folder, resume=True, observer=log())
    assert list(kept) == [str(tmp_path / "a" / "tensorboard")]
    assert events == _expected(folder)
    tags = [tag for tag, *_ in events]
    assert tags == 3 * tags[: len(tags) // 3]
    assert {"objective", "kl", "lr", "test/reconstruction", "test/pearson_r"} < set(tags)


def test_events_are_read_back_with_the_values_of_the_log(config, data, tmp_path):
    pytest.importorskip("tensorboard", reason=REASON)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = RunFolder(tmp_path / "a")
    with pytest.raises(Interrupted), event_log(folder) as log:
        run_training(config, data, folder, observer=Observers([_StopAfter(2), log]))
    with event_log(folder) as log:
        run_training(config, data, folder, resume=True, observer=log)
    (file,) = (folder.path / "tensorboard").iterdir()
    found = EventAccumulator(str(file))
    found.Reload()
    expected = _expected(folder)
    assert set(found.Tags()["scalars"]) == {tag for tag, *_ in expected}
    for tag in found.Tags()["scalars"]:
        wanted = [(step, value) for name, value, step in expected if name == tag]
        events = [(event.step, event.value) for event in found.Scalars(tag)]
        assert [step for step, _ in events] == [1, 2, 3]
        np.testing.assert_array_equal(
            np.array(events), np.float32(wanted)  # events are single precision
        )  # fmt: skip


TINY = (
    "[[0], [4, 1], [1, 0, 1]], 0.5\n[[1], [4, 1], [1, 0, 1]], 0.6\n[[2], [4, 1], [1, 0, 1]], 0.7\n"
)


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    (tmp_path / "t.txt").write_text(TINY)
    flags = ["--data", str(tmp_path / "t.txt"), "--out", str(tmp_path / "a"), "--tensorboard"]
    assert main(["train", *flags]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2:] == [
        "error: --tensorboard needs the package tensorboard, which is not installed",
        "remedy: pip install 'ngae[tb]'",
    ]
    assert not (tmp_path / "a").exists()


def test_the_flag_writes_events(tmp_path):
    pytest.importorskip("tensorboard", reason=REASON)
    (tmp_path / "t.txt").write_text(TINY)
    small = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "5", "--protocol-points", "2", "--epochs", "1"]
    flags = ["--data", str(tmp_path / "t.txt"), "--out", str(tmp_path / "a"), *small, *few]
    assert main(["train", *flags, "--tensorboard"]) == 0
    (file,) = (tmp_path / "a" / "tensorboard").iterdir()
    assert file.stat().st_size > 500
    assert main(["train", *flags, "--overwrite"]) == 0
    assert not (tmp_path / "a" / "tensorboard").exists()
