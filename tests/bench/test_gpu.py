"""`bench.gpu` and `bench/gpu.sh` as far as they go without a GPU: the same code on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench import gpu, work

CPU = torch.device("cpu")
TINY = [
    work.propagation("forward + backward", "enas", 16, 3, "cpu"),
    work.train_step(16, 3, "cpu"),
    work.encode("enas", 16, 3, "cpu"),
    work.decode(16, 3, "cpu"),
]


@pytest.mark.parametrize("case", TINY, ids=lambda case: case.name)
def test_rows_of_a_case(case):
    rows = gpu.measure(case, CPU, warm_up=1, rounds=2)
    assert [row.variant for row in rows] == ["float32", "torch", "bf16", "torch, bf16"]
    for ours, plain in zip(rows[::2], rows[1::2], strict=True):
        assert ours.ratio == pytest.approx(plain.seconds / ours.seconds)
        assert plain.ratio is None
        assert ours.value == pytest.approx(case.amount / ours.seconds)


def test_the_sizes():
    names = [case.name for case in gpu.cases("cpu")]
    assert len(names) == len(set(names)) == 9 * 2 + 9 + 3 * 2 + 1
    for hidden in (256, 501, 512):
        for batch in (32, 512, 4096):
            assert f"propagation forward + backward, enas, hidden {hidden}, batch {batch}" in names
            assert f"train step, hidden {hidden}, batch {batch}" in names


def test_the_command_writes_machine_and_rows(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bench.gpu.cases", lambda device, *sizes: TINY[2:3])
    assert gpu.main(["--device", "cpu", "--quick", "--json", str(tmp_path / "gpu.json")]) == 0
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert written["machine"]["device"] == "cpu"
    assert written["machine"]["torch"] == torch.__version__
    assert [row["variant"] for row in written["rows"]] == [
        "float32",
        "torch",
        "bf16",
        "torch, bf16",
    ]
    assert written["failed"] == []
    assert "encode, enas, hidden 16, batch 3" in capsys.readouterr().out


def test_a_wrong_answer_fails_after_all_are_written(tmp_path, monkeypatch, capsys):
    def wrong(case, device, rounds):
        raise AssertionError("part 0 differs")

    monkeypatch.setattr("bench.gpu.cases", lambda device, *sizes: TINY)
    monkeypatch.setattr("bench.gpu.measure", wrong)
    assert gpu.main(["--device", "cpu", "--json", str(tmp_path / "gpu.json")]) == 1
    assert "4 of 4 cases failed: " in capsys.readouterr().err
    failed = json.loads((tmp_path / "gpu.json").read_text())["failed"]
    assert failed == [f"{case.name}: part 0 differs" for case in TINY]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_the_script_says_what_it_needs():
    script = Path(gpu.__file__).with_name("gpu.sh")
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["sh", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "expected a torch that sees a GPU" in done.stderr
    assert gpu.main(["--device", "cuda"]) == 4
