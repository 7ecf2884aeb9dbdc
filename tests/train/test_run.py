import dataclasses
import json
import signal

import numpy as np
import pytest
import torch

from ngae.errors import RefusedError, TrainingError, UsageError
from ngae.report.runs import standings
from ngae.threads import native_threads
from ngae.train.folder import RunFolder, cut_log, read_log
from ngae.train.interrupt import Interrupted, watching
from ngae.train.loop import Trainer
from ngae.train.session import Silence, run_training


class _StopAt(Silence):
    """Sends this process a signal after a number of steps."""

    def __init__(self, steps, number):
        self.left = steps
        self.number = number

    def stepped(self, step):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(self.number)


class _Threads(Silence):
    """Notes by how many threads torch and the native ops compute; raises after some steps."""

    def __init__(self, steps):
        self.seen = []
        self.steps = steps

    def stepped(self, step):
        self.seen.append((torch.get_num_threads(), native_threads()))
        if len(self.seen) == self.steps:
            raise ValueError("stop")


def _weights(folder):
    return folder.last.read_bytes()


@pytest.mark.parametrize(("ops", "of_torch"), [("cpp", 1), ("torch", 3)])
def test_while_training_the_native_ops_have_the_threads(
    tmp_path, data, config, monkeypatch, ops, of_torch
):
    monkeypatch.setenv("NGAE_OPS", ops)
    before, threads = torch.get_num_threads(), _Threads(3)
    torch.set_num_threads(3)
    try:
        with pytest.raises(ValueError, match="stop"):
            run_training(config, data, RunFolder(tmp_path / ops), observer=threads)
        assert threads.seen == [(of_torch, 3)] * 3
        assert torch.get_num_threads() == native_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("steps", [2, 5, 7, 15])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_in_the_same_bytes(tmp_path, data, config, steps, number):
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    expected = run_training(config, data, whole)
    with pytest.raises(Interrupted) as caught:
        run_training(config, data, parts, observer=_StopAt(steps, number))
    assert caught.value.exit_code == 128 + number
    assert _weights(parts) != _weights(whole) or steps == 15
    finished = run_training(config, data, parts, resume=True)
    assert _weights(parts) == _weights(whole)
    assert parts.best.read_bytes() == whole.best.read_bytes()
    assert [record["epoch"] for record in read_log(parts.log)] == [1, 2, 3]
    for name in ("reconstruction", "prior", "published_protocol", "performance", "complexity"):
        assert finished.metrics[name] == expected.metrics[name]


def test_training_lowers_every_term_and_writes_the_folder(tmp_path, data, config, changed):
    folder = RunFolder(tmp_path / "run")
    config = changed(config, "train", epochs=60, lr=1e-2)
    finished = run_training(config, data, folder)
    log = read_log(folder.log)
    for name in ("objective", "nodes", "edges", "performance", "complexity"):
        assert log[-1][name] < 0.8 * log[0][name], name
    names = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*.*")}
    assert names == {
        ".lock", "config.json", "env.json", "data.json", "log.jsonl", "metrics.json",
        "latents.npz", "checkpoints/last.safetensors", "checkpoints/best.safetensors",
    }  # fmt: skip
    assert json.loads(folder.metrics.read_text())["prior"]["validity"] == 1.0
    assert folder.read_config() == config
    latents = np.load(folder.path / "latents.npz", allow_pickle=False)
    kinds = ("mean", "performance", "complexity")
    assert set(latents.files) == {f"{part}_{kind}" for part in ("train", "test") for kind in kinds}
    assert latents["train_mean"].shape == (48, 4)
    assert finished.model.training is False


def test_seeds_decide(tmp_path, data, config, changed):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_training(changed(config, "train", seed=seed), data, RunFolder(tmp_path / name))
    a, b, c = (_weights(RunFolder(tmp_path / name)) for name in "abc")
    assert a == b
    assert a != c


def test_a_folder_with_a_run_is_refused_unless_told(tmp_path, data, config, changed):
    folder = RunFolder(tmp_path / "run")
    run_training(config, data, folder)
    before = {path: path.read_bytes() for path in folder.path.rglob("*.*")}
    with pytest.raises(RefusedError, match="expected a free folder, found a run"):
        run_training(config, data, folder)
    other = changed(config, "train", lr=0.5)
    with pytest.raises(RefusedError, match=r"train\.lr: 0\.0 -> 0\.5"):
        run_training(other, data, folder, resume=True)
    assert {path: path.read_bytes() for path in folder.path.rglob("*.*")} == before
    run_training(other, data, folder, overwrite=True)
    assert folder.read_config() == other


def test_a_folder_in_use_or_with_other_files_is_refused(tmp_path, data, config):
    folder = RunFolder(tmp_path / "run")
    with (
        folder.claimed(config, resume=False, overwrite=False),
        pytest.raises(RefusedError, match="another process"),
    ):
        run_training(config, data, folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("text")
    with pytest.raises(RefusedError, match="found other files"):
        run_training(config, data, RunFolder(tmp_path / "mine"))


@pytest.mark.parametrize("spoil", ["truncate", "other data"])
def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path, data, config, make_table, spoil):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(Interrupted):
        run_training(config, data, folder, observer=_StopAt(7, signal.SIGINT))
    if spoil == "truncate":
        folder.last.write_bytes(folder.last.read_bytes()[:100])
    else:
        data = type(data)(
            make_table(60, data.space, seed=9), data.train_rows, data.test_rows, data.config, ()
        )
    before = folder.last.read_bytes()
    with pytest.raises(RefusedError, match=r"last\.safetensors: expected"):
        run_training(config, data, folder, resume=True)
    assert folder.last.read_bytes() == before


@pytest.mark.parametrize(
    ("part", "term"), [("performance", "performance"), ("decoder", "nodes"), ("encoder", "kl")]
)
def test_nan_names_the_term_and_keeps_the_checkpoint(tmp_path, data, config, part, term):
    folder = RunFolder(tmp_path / "run")

    class Poison(Silence):
        def started(self, trainer, resumed):
            self.trainer = trainer

        def epoch_ended(self, record):
            self.kept = folder.last.read_bytes()
            with torch.no_grad():
                for parameter in getattr(self.trainer.model, part).parameters():
                    parameter.fill_(float("nan"))

    poison = Poison()
    with pytest.raises(TrainingError, match=f"epoch 2, step 1: .*{term} = nan") as caught:
        run_training(config, data, folder, observer=poison)
    assert "last.safetensors" in str(caught.value)
    assert folder.last.read_bytes() == poison.kept


def test_learning_rate_rises_then_falls_to_zero(tmp_path, data, config):
    trainer = Trainer(config, data, RunFolder(tmp_path))
    rates = []
    for step in range(trainer.total_steps + 1):
        trainer.step = step
        rates.append(trainer._learning_rate())
    peak = config.train.peak_lr(len(data.train))
    assert rates[0] == pytest.approx(peak / 3, rel=1e-3)
    assert max(rates) == rates[2]
    assert rates[-1] == pytest.approx(0)


def test_signals_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with watching() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.received == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_that_failed_says_why_until_it_goes_on(config, data, changed, tmp_path):
    folder = RunFolder(tmp_path / "a")
    wild = changed(config, "train", lr=1e30, clip=1e30, warmup_steps=0)
    with pytest.raises(TrainingError):
        run_training(wild, data, folder)
    (found,) = standings(tmp_path)
    assert found.state == "failed"
    assert "expected finite terms" in found.note
    run_training(config, data, folder, overwrite=True)
    assert standings(tmp_path)[0].state == "finished"
    assert not folder.failure.exists()


def test_nothing_is_learned_from_test_answers(tmp_path, data, config):
    """Both checkpoints, bytes and all, are the same whatever the test rows' targets are."""
    rng = np.random.default_rng(0)
    table, judged = data.table, data.test_rows
    performance, complexity = table.performance.copy(), table.complexity.copy()
    performance[judged] = rng.normal(100, 50, len(judged))
    complexity[judged] = rng.normal(-1e9, 1e8, complexity[judged].shape)
    corrupted = dataclasses.replace(
        data,
        table=dataclasses.replace(table, performance=performance, complexity=complexity),
    )
    honest, other = RunFolder(tmp_path / "honest"), RunFolder(tmp_path / "other")
    expected = run_training(config, data, honest).metrics
    found = run_training(config, corrupted, other).metrics
    for name in ("last", "best"):
        assert getattr(honest, name).read_bytes() == getattr(other, name).read_bytes()
    assert found["performance"]["rmse"] > 50 > 1 > expected["performance"]["rmse"]
    for name in ("reconstruction", "prior", "published_protocol", "latent"):
        assert found[name] == expected[name]
    performance[data.train_rows[0]] += 1
    changed = dataclasses.replace(data, table=dataclasses.replace(table, performance=performance))
    run_training(config, changed, RunFolder(tmp_path / "changed"))
    assert _weights(RunFolder(tmp_path / "changed")) != _weights(honest)


@pytest.mark.parametrize(
    "line", [b"[1]", b'{"objective": 2}', b'{"epoch": true}', b'{"epoch": 2', b"\xff", b"[" * 9999]
)
def test_a_log_ends_where_it_is_no_log(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"epoch": 1}\n' + line + b'\n{"epoch": 3}\n')
    assert read_log(path) == [{"epoch": 1}]
    cut_log(path, 1)
    assert path.read_bytes() == b'{"epoch": 1}\n'


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("[" * 2000, RefusedError, "expected settings in JSON: maximum recursion"),
        ("[1]", RefusedError, "expected settings in JSON, found list"),
        ('{"train": 3}', UsageError, r"\[train\]: expected settings by name, found 3"),
        ('{"train": null}', UsageError, r"\[train\]: expected settings by name, found None"),
    ],
)
def test_settings_of_a_run_that_are_none_are_named(tmp_path, text, kind, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(kind, match=message):
        RunFolder(tmp_path).read_config()
