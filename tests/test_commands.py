"""The commands as a user types them, in one process each where the process matters."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngae.cli import _COMMANDS, main
from ngae.oracles import registry, shared_weights
from ngae.spaces.enas import EnasSpace
from ngae.spaces.registry import space_named

SPACE = EnasSpace(3)
SMALL = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
FEW = ["--prior-points", "30", "--protocol-points", "5"]


def _table(path, rows=80):
    rng = np.random.default_rng(0)
    dags = list({SPACE.sample(rng): None for _ in range(3 * rows)})[:rows]
    lines = [f"{SPACE.format(dag)}, {len(dag.edges) / 20}\n" for dag in dags]
    path.write_text("".join(lines))
    return path


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A finished tiny run, in the working folder."""
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "t.txt")
    assert main(["train", "--data", "t.txt", "--epochs", "2", *SMALL, *FEW]) == 0
    return tmp_path / "runs" / "t-ngae-s0"


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "search",
        "evaluate",
        "data",
        "export",
        "report",
        "explore",
        "reproduce",
        "status",
        "completion",
        "doctor",
        "baselines.dvae",
    ],
)
def test_help_is_quick_and_needs_no_torch(command):
    code = (
        f"import sys; sys.argv = ['x', '--help']\n"
        f"import runpy\n"
        f"try: runpy.run_module('ngae.{command}', run_name='__main__')\n"
        f"except SystemExit as e: assert not e.code, e.code\n"
        f"assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "example" in done.stdout


@pytest.mark.parametrize("command", list(_COMMANDS))
def test_usage_names_the_command_as_it_is_typed(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: ngae {command} ")


def test_the_list_of_commands(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "\n  data        list, get, check, convert, sample and describe tables\n" in shown
    assert "train" in shown
    assert main(["tarin"]) == 2
    assert "found 'tarin'" in capsys.readouterr().err
    assert main(["--version"]) == 0


def test_train_says_what_it_does_and_what_is_next(run, capsys):
    shown = capsys.readouterr()
    for text in (
        "ops ", "data: t.txt, space enas3, 72 training and 8 test rows", "parameters",
        "epoch 2/2", "left", "next: python -m ngae.search runs/t-ngae-s0",
    ):  # fmt: skip
        assert text in shown.err
    assert "prior: validity" in shown.out
    assert "100.00 %" in shown.out
    assert main(["train", "--config", str(run / "config.json")]) == 4
    assert "found a run" in capsys.readouterr().err
    code = main(["train", "--config", str(run / "config.json"), "--overwrite", "--json"])
    assert code == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["prior"] == json.loads((run / "metrics.json").read_text())["prior"]


def test_evaluate_gives_the_numbers_of_the_run(run, capsys):
    capsys.readouterr()
    assert main(["evaluate", str(run), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    before = json.loads((run / "metrics.json").read_text())
    for name in ("reconstruction", "prior", "published_protocol", "performance", "complexity"):
        assert again[name] == before[name]
    assert main(["evaluate", "nowhere"]) == 4
    assert "expected a run folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate", "search"])
def test_a_run_is_read_onto_a_device(run, capsys, command):
    flags = ["--budget", "2", "--oracle", "predicted"] if command == "search" else []
    assert main([command, str(run), "--device", "cpu", *flags]) == 0
    assert "device cpu" in capsys.readouterr().err
    assert main([command, str(run), "--device", "nowhere", *flags]) == 4
    assert "--device: expected auto, cpu or a device of this machine" in capsys.readouterr().err


OWN_SPACE = """
from ngae.spaces import Cell
class Mine(Cell):
    operations = ("a", "b")
"""


def _own_table(folder, monkeypatch):
    """A file with a space, and a table of its architectures that names the space."""
    (folder / "sub").mkdir(parents=True)
    monkeypatch.chdir(folder)
    Path("sub/own.py").write_text(OWN_SPACE)
    space, rng = space_named("sub/own.py:Mine"), np.random.default_rng(0)
    dags = list({space.sample(rng): None for _ in range(200)})[:60]
    rows = [{"arch": dag.as_dict(), "performance": len(dag.edges) / 20} for dag in dags]
    Path("sub/t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--data", "sub/t.jsonl", "--space", "sub/own.py:Mine", "--complexity-col", "none"]


def test_a_run_is_found_from_another_folder(tmp_path, monkeypatch, capsys):
    flags = _own_table(tmp_path / "here", monkeypatch)
    assert main(["train", *flags, "--epochs", "1", *SMALL, *FEW, "--out", "run"]) == 0
    assert capsys.readouterr().err.endswith("ngae.search run --space sub/own.py:Mine\n")
    saved = json.loads(Path("run/config.json").read_text())["data"]
    assert saved["data"] == str(tmp_path / "here" / "sub" / "t.jsonl")
    assert saved["space"] == str(tmp_path / "here" / "sub" / "own.py:Mine")
    assert main(["train", *flags, "--epochs", "1", *SMALL, *FEW, "--out", "run", "--resume"]) == 0
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    named = ["--space", "here/sub/own.py:Mine"]
    assert main(["evaluate", "here/run", *named, "--json"]) == 0
    metrics = json.loads((tmp_path / "here" / "run" / "metrics.json").read_text())
    assert json.loads(capsys.readouterr().out)["prior"] == metrics["prior"]


def test_checkpoints_do_not_depend_on_where_the_files_lie(tmp_path, monkeypatch):
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b" / "c"):
        flags = _own_table(folder, monkeypatch)
        flags[1] = str(folder / flags[1])
        assert main(["train", *flags, "--epochs", "1", *SMALL, *FEW, "--out", "run"]) == 0
        contents.append(Path("run/checkpoints/last.safetensors").read_bytes())
    assert contents[0] == contents[1]


def test_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "t.txt")
    assert main(["train", "--data", "t.txt", "--dry-run", "--preset", "paper"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["model"]["hidden_dim"] == 501
    assert "M parameters" in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["t.txt"]


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--hidden-dim", "0"], 2, "--hidden-dim: expected a number from 1, found 0"),
        (["--data", "digits9"], 2, "found neither a known name nor a file"),
        (["--data", "gone.txt"], 3, "gone.txt: expected a file"),
        (["--config", "gone.toml"], 2, "gone.toml"),
        (["--device", "cuda:7"], 4, "expected auto, cpu or a device of this machine"),
        (["--resume", "--overwrite"], 2, "found both"),
        (["--nvt", "7"], 2, "--nvt: expected 6"),
    ],
)
def test_wrong_flags_end_with_their_code(tmp_path, monkeypatch, capsys, flags, code, message):
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "t.txt")
    flags = flags if "--data" in flags else ["--data", "t.txt", *flags]
    assert main(["train", *flags]) == code
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert not (tmp_path / "runs").exists()


PUBLISHED = (
    "--data-name t.txt --data-type ENAS --nvt 6 --save-appendix _DVAE --save-interval 100 "
    "--sample-number 20 --reprocess --keep-old --model DVAE --continue-from 100 --hs 10 --nz 5 "
    "--bidirectional --predictor --lr 1e-4 --epochs 300 --batch-size 32 --infer-batch-size 64 "
    "--no-cuda --seed 1"
)


def test_a_command_line_of_the_published_code_is_understood(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "t.txt")
    assert main(["train", "--dry-run", *PUBLISHED.split()]) == 0
    settings = json.loads(capsys.readouterr().out)
    assert settings["model"]["hidden_dim"] == 10 and settings["model"]["latent_dim"] == 5
    assert settings["train"]["epochs"] == 300 and settings["train"]["device"] == "cpu"
    assert settings["evaluate"]["evaluate_batch_size"] == 64


@pytest.mark.parametrize("flag", ["--no-test", "--small-train", "--all-gpus", "--data-type=BN"])
def test_published_flags_that_would_change_the_result_are_refused(flag, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", flag])
    assert ended.value.code == 2
    assert flag.split("=")[0] in capsys.readouterr().err


def test_search_writes_trials_front_and_best(run, capsys):
    capsys.readouterr()
    flags = ["--budget", "12", "--num-starts", "16", "--steps", "5", "--oracle", "predicted"]
    assert main(["search", str(run), *flags]) == 0
    folder = run / "search" / "gradient-b12-s0"
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [trial["number"] for trial in trials] == list(range(12))
    assert len({trial["hash"] for trial in trials}) == 12
    best = json.loads((folder / "best.json").read_text())
    assert best["performance"] == max(trial["performance"] for trial in trials)
    assert (folder / "best.svg").read_text().startswith("<svg")
    assert "Pareto front" in capsys.readouterr().out
    assert main(["search", str(run), *flags]) == 4
    assert "found a search" in capsys.readouterr().err
    assert main(["search", str(run), *flags, "--overwrite", "--json"]) == 0
    again = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [trial["hash"] for trial in again] == [trial["hash"] for trial in trials]
    assert main(["export", str(folder / "best.json"), str(run / "b.dot")]) == 0
    assert (run / "b.dot").read_text().startswith("digraph")


def test_random_search_is_a_strategy_too(run, monkeypatch):
    few = shared_weights.SharedWeightsConfig(steps=3, networks=1, batch_size=16)
    train = shared_weights.train_shared_weights
    monkeypatch.setattr(shared_weights, "train_shared_weights", lambda space: train(space, few))
    registry._trained.cache_clear()
    flags = ["--strategy", "random", "--budget", "3", "--oracle", "shared-weights"]
    assert main(["search", str(run), *flags]) == 0
    registry._trained.cache_clear()
    assert (run / "search" / "random-b3-s0" / "pareto.csv").exists()


def test_a_quick_run_is_not_in_the_way_of_the_main_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "t.txt")
    assert main(["train", "--data", "t.txt", "--quick"]) == 0
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["t-quick-s0"]


def test_data_commands(tmp_path, capsys):
    path = _table(tmp_path / "t.txt")
    assert main(["data", "check", str(path)]) == 0
    assert "80 rows, space enas3" in capsys.readouterr().out
    assert main(["data", "list"]) == 0
    assert "digits6" in capsys.readouterr().out
    assert main(["data", "formats"]) == 0
    assert main(["doctor"]) == 0
    assert "self-test  ok" in capsys.readouterr().out


LONG = ["--data", "t.txt", "--epochs", "24", *SMALL, *FEW, "--batch-size", "8"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The last checkpoint of a training that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    _table(folder / "t.txt")
    with contextlib.chdir(folder):
        assert main(["train", *LONG, "--out", "whole"]) == 0
    return (folder / "whole" / "checkpoints" / "last.safetensors").read_bytes()


@pytest.mark.end_to_end
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_resume_ends_in_the_same_bytes(tmp_path, whole, number):
    _table(tmp_path / "t.txt")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    train = [sys.executable, "-m", "ngae.train", *LONG]
    process = subprocess.Popen(
        [*train, "--out", "parts"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 3/"):
            break
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "the checkpoint is saved" in rest
    assert "--resume" in rest
    again = [*train, "--out", "parts", "--resume"]
    subprocess.run(again, cwd=tmp_path, check=True, env=environment, capture_output=True)
    assert (tmp_path / "parts" / "checkpoints" / "last.safetensors").read_bytes() == whole
