"""Strategies compared where shared weights answer: values, and that nothing is searched twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ngae.data import load

SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_search.py"


def compared(out, *flags):
    command = [sys.executable, SCRIPT, "--budget", "4", "--out", out, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(out, *flags):
    command = [sys.executable, SCRIPT, "--out", out, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 1 and "expected searches of these settings" in done.stderr


@pytest.mark.end_to_end
def test_strategies_are_compared_and_finished_searches_are_kept(tmp_path):
    out = tmp_path / "out.jsonl"
    table = compared(out, "--strategies", "random,evolution:population=2", "--seeds", "2")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {(line["strategy"], line["seed"]) for line in lines} == {
        (name, seed) for name in ("random", "evolution:population=2") for seed in (0, 1)
    }
    assert all(len(line["performance"]) == len(set(line["arch"])) == 4 for line in lines)
    best = [max(line["performance"]) for line in lines if line["strategy"] == "random"]
    assert f"{sum(best) / 2:.5f}" in table
    assert f"best of the table {load('digits6').table.performance.max():.5f}" in table
    before = out.read_bytes()
    assert compared(out, "--strategies", "random", "--seeds", "2") != table
    assert out.read_bytes() == before
    assert refused(out, "--strategies", "random", "--budget", "5")
