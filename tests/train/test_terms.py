"""Sums of the objective's terms: by hand, read when due, and what a late reading finds."""

from __future__ import annotations

import math
import signal

import pytest
import torch

from ngae.errors import TrainingError
from ngae.models.loss import Terms
from ngae.train.folder import RunFolder
from ngae.train.interrupt import Interrupted
from ngae.train.loop import Trainer
from ngae.train.session import Silence, run_training
from ngae.train.terms import TermSums, steps_between_readings, values_of

CPU = torch.device("cpu")


def terms_of(*values):
    return Terms(*(torch.tensor(value, requires_grad=True) for value in values))


def test_sums_by_hand():
    sums = TermSums(CPU, 3)
    for step in (5, 6):
        terms = terms_of(1.0, 2.0, 3.0, 0.5, 0.25, 0.125)
        sums.add(step, values_of(torch.tensor(float(step)), terms))
    assert (sums.unread, sums.is_due) == (range(5, 7), False)
    sums.add(7, values_of(torch.tensor(0.0), terms_of(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)))
    assert (sums.unread, sums.is_due) == (range(5, 8), True)
    assert sums.read() == [11.0, 3.0, 5.0, 7.0, 2.0, 1.5, 1.25]
    assert (len(sums.unread), sums.is_due) == (0, False)
    assert (sums.sums.dtype, sums.sums.requires_grad) == (torch.float64, False)
    sums.clear()
    assert sums.read() == [0.0] * 7


def test_sums_of_before_a_term_existed():
    sums = TermSums(CPU, 1)
    sums.restore(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], dtype=torch.float64))
    assert sums.read() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_stays_so(bad):
    sums = TermSums(CPU, 3)
    for step, value in enumerate((1.0, bad, -bad, 1.0)):
        sums.add(step, values_of(torch.tensor(1.0), terms_of(1.0, value, 1.0, 1.0, 1.0, 1.0)))
    finite = [math.isfinite(value) for value in sums.read()]
    assert finite == [True, True, False, True, True, True, True]


def test_the_cpu_reads_each_step():
    assert steps_between_readings(CPU) == 1
    assert steps_between_readings(torch.device("cuda")) == 50
    assert steps_between_readings(torch.device("meta")) == 50


@pytest.fixture
def read_late(monkeypatch):
    """Return a function that makes trainings read their terms every so many steps."""

    def late(every):
        monkeypatch.setattr("ngae.train.loop.steps_between_readings", lambda device: every)

    return late


class _StopAt(Silence):
    def __init__(self, steps):
        self.left = steps

    def stepped(self, step):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("every", [2, 3, 50])
def test_a_late_reading_changes_no_byte(tmp_path, data, config, read_late, every):
    at_once, late, parts = (RunFolder(tmp_path / name) for name in ("at_once", "late", "parts"))
    run_training(config, data, at_once)
    read_late(every)
    run_training(config, data, late)
    with pytest.raises(Interrupted):
        run_training(config, data, parts, observer=_StopAt(7))
    run_training(config, data, parts, resume=True)
    for folder in (late, parts):
        assert folder.last.read_bytes() == at_once.last.read_bytes()
        assert folder.best.read_bytes() == at_once.best.read_bytes()


class _Poison(Silence):
    """Spoils the encoder after a number of steps."""

    def __init__(self, folder, steps):
        self.folder = folder
        self.left = steps
        self.kept = None

    def started(self, trainer, resumed):
        self.trainer = trainer

    def stepped(self, step):
        self.left -= 1
        if self.left == 0:
            self.kept = self.folder.last.read_bytes() if self.folder.last.exists() else None
            with torch.no_grad():
                for parameter in self.trainer.model.encoder.parameters():
                    parameter.fill_(float("nan"))


class _PoisonThenStop(_Poison):
    def stepped(self, step):
        super().stepped(step)
        if self.left == -1:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("every", "after", "kind", "message"),
    [
        (1, 6, _Poison, "epoch 2, step 2: "),
        (2, 6, _Poison, "epoch 2, steps 1 to 2: "),
        (3, 6, _Poison, "epoch 2, steps 1 to 3: "),
        (3, 8, _Poison, "epoch 2, steps 4 to 5: "),  # read at the end of an epoch
        (50, 7, _Poison, "epoch 2, steps 1 to 5: "),
        (50, 2, _Poison, "epoch 1, steps 1 to 5: "),
        (50, 6, _PoisonThenStop, "epoch 2, steps 1 to 2: "),  # read before an interrupt saves
    ],
)
def test_a_late_reading_names_the_steps_and_keeps_the_checkpoint(
    tmp_path, data, config, read_late, every, after, kind, message
):
    read_late(every)
    folder = RunFolder(tmp_path / "run")
    poison = kind(folder, after)
    with pytest.raises(TrainingError, match=message + ".*kl = nan") as caught:
        run_training(config, data, folder, observer=poison)
    if poison.kept is None:
        assert "none was written yet" in str(caught.value)
        assert not folder.last.exists()
    else:
        assert folder.last.read_bytes() == poison.kept


def test_progress_shows_the_last_known_mean(tmp_path, data, config, read_late):
    class Watch(Silence):
        def __init__(self):
            self.seen = []

        def stepped(self, step):
            self.seen.append(step.objective)

    each, late = Watch(), Watch()
    run_training(config, data, RunFolder(tmp_path / "each"), observer=each)
    read_late(2)
    run_training(config, data, RunFolder(tmp_path / "late"), observer=late)
    known = each.seen
    assert late.seen[:7] == [None, known[1], known[1], known[3], known[3], known[4], known[6]]


def test_a_run_goes_on_on_another_device(tmp_path, data, config, changed):
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    run_training(config, data, whole)
    with pytest.raises(Interrupted):
        run_training(config, data, parts, observer=_StopAt(7))
    moved = changed(config, "train", device="cpu")
    assert moved != config
    run_training(moved, data, parts, resume=True)
    assert parts.read_config() == moved
    ours, theirs = (Trainer(moved, data, folder) for folder in (whole, parts))
    assert (ours.resume(), theirs.resume()) == (True, True)
    for name, weight in theirs.model.state_dict().items():
        assert torch.equal(weight, ours.model.state_dict()[name])
