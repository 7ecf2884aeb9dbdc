"""`ngae search` without a run, and with a history, as a user types it."""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngae.api import NGAE
from ngae.cli import main
from ngae.commands import graph_model, starting
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
JUDGE = ["--oracle", "command ./judge.py {arch}"]
COLUMNS = ["--space", "enas3", "--performance-col", "acc"]

# The command with a small model of few graphs; killed when as many trials are written.
SMALL = """
import functools, os, signal, sys
from ngae.api import NGAE
from ngae.cli import main
from ngae.commands import graph_model, starting
from ngae.search.folder import SearchFolder

graph_model.NGAE = functools.partial(
    NGAE, hidden_dim=8, latent_dim=4, head_dim=8, predictor_dim=8, epochs=1, prior_points=10,
    protocol_points=2,
)
starting._GRAPHS = 300
add, added = SearchFolder.add, []

def cut_off(self, trial):
    add(self, trial)
    added.append(trial)
    if len(added) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

SearchFolder.add = cut_off
sys.exit(main(["search", *sys.argv[2:]]))
"""


@pytest.fixture
def folder(table_file, monkeypatch):
    """The folder of the made-up table, with a program that judges and counts."""
    folder = table_file.parent
    monkeypatch.chdir(folder)
    judge = folder / "judge.py"
    judge.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "given = json.load(open(sys.argv[1]))\n"
        "open('evaluated', 'a').write(given['architecture'] + '\\n')\n"
        "print(len(given['edges']) / 20 + sum(given['node_types']) / 100)\n"
    )
    os.chmod(judge, 0o755)
    return folder


def killed(at, *flags):
    command = [sys.executable, "-c", SMALL, str(at), *flags]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.fixture
def small(monkeypatch, capsys):
    """The command of SMALL in this process: its exit code and messages."""
    sizes = {"hidden_dim": 8, "latent_dim": 4, "head_dim": 8, "predictor_dim": 8, "epochs": 1}
    made = functools.partial(NGAE, **sizes, prior_points=10, protocol_points=2)
    monkeypatch.setattr(graph_model, "NGAE", made)
    monkeypatch.setattr(starting, "_GRAPHS", 300)
    return lambda *flags: (main(["search", *flags]), capsys.readouterr().err)


def trials(folder):
    return [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]


def rows_of(path):
    """Hash and performance by row of a table with the columns arch and acc."""
    import csv

    with open(path) as file:
        found = list(csv.DictReader(file))
    return {SPACE.parse(row["arch"]).canonical_hash: row["acc"] for row in found}


def test_a_table_answers_from_nothing_known(folder, capsys):
    flags = ["--table", "t.csv", *COLUMNS, "--report-col", "test", "--strategy", "evolution"]
    assert main(["search", *flags, "--oracle", "table", "--budget", "60"]) == 0
    shown = capsys.readouterr()
    out = folder / "runs" / "search-t-evolution-b60-s0"
    assert len(trials(out)) == 60
    assert "oracle: table; 0 known rows; folder: runs/search-t-evolution-b60-s0" in shown.err
    assert "trained once" not in shown.err
    last = [line for line in shown.err.splitlines() if line.startswith("query ")][-1]
    assert "/60: best 0.59, regret 0, hypervolume " in last
    assert "seconds: model " in shown.err
    seconds = json.loads((out / "result.json").read_text())["seconds"]
    assert seconds["model"] > 0 < seconds["oracle"]


def test_labelled_rows_of_a_table_are_known(folder, capsys):
    head, *rows = (folder / "t.csv").read_text().splitlines()
    bare = [",".join([*row.split(",")[:-3], "", "", "1"]) for row in rows[20:]]
    (folder / "few.csv").write_text("\n".join([head, *rows[:20], *bare]) + "\n")
    flags = ["--table", "few.csv", *COLUMNS, "--strategy", "random", "--budget", "30", *JUDGE]
    assert main(["search", *flags, "--out", "a"]) == 0
    assert "60 rows, 20 of them with a performance" in capsys.readouterr().err
    known = [key for key, acc in rows_of("few.csv").items() if acc]
    assert len(known) == 20
    assert not {trial["hash"] for trial in trials(folder / "a")} & set(known)


def test_a_history_beside_a_table(folder, capsys):
    lines = (folder / "t.csv").read_text().splitlines()
    (folder / "h.csv").write_text("\n".join(lines[:16]) + "\n")
    flags = ["--table", "t.csv", *COLUMNS, "--oracle", "table", "--strategy", "random"]
    assert main(["search", *flags, "--budget", "60", "--history", "h.csv", "--out", "a"]) == 0
    assert "note: h.csv: 15 known answers" in capsys.readouterr().err
    asked = {trial["hash"] for trial in trials(folder / "a")}
    assert len(asked) == 45
    assert not asked & set(rows_of("h.csv"))
    again = ["--history", "h.csv,a/trials.jsonl", "--out", "b", "--budget", "60"]
    assert main(["search", *flags, *again]) == 4
    assert "search: expected at least one new architecture" in capsys.readouterr().err


def test_a_space_alone_needs_no_model_for_some_strategies(folder, capsys):
    flags = ["--space", "enas3", "--strategy", "local", "--budget", "9", *JUDGE]
    assert main(["search", *flags]) == 0
    out = folder / "runs" / "search-enas3-local-b9-s0"
    assert len({trial["hash"] for trial in trials(out)}) == 9
    assert not (out / "model").exists()
    assert "trained once" not in capsys.readouterr().err


@pytest.mark.end_to_end
@pytest.mark.parametrize("source", [["--space", "enas3"], ["--table", "t.csv", *COLUMNS]])
def test_the_same_command_goes_on_after_a_kill_with_the_same_model(folder, small, source):
    head, *rows = (folder / "t.csv").read_text().splitlines()
    few = [",".join([*row.split(",")[:-3], "", "", "1"]) for row in rows]
    (folder / "t.csv").write_text("\n".join([head, *few]) + "\n")
    (folder / "h.csv").write_text("\n".join([head, *rows[:6]]) + "\n")
    history = ["--history", "h.csv", *([] if "t.csv" in source else ["--performance-col", "acc"])]
    flags = [*source, *history, *JUDGE, "--budget", "12", "--initial", "8", "--num-starts", "16"]
    code, shown = small(*flags, "--out", "whole")
    assert code == 0, shown
    assert "graphs, without any answer, is trained once: 1 epochs, about 1 min" in shown
    (folder / "evaluated").unlink()
    assert killed(7, *flags, "--out", "parts") == -signal.SIGKILL
    weights = Path("model", "checkpoints", "last.safetensors")
    before = (folder / "parts" / weights).stat().st_mtime_ns
    code, shown = small(*flags, "--out", "parts")
    assert code == 0, shown
    assert "trained once" not in shown
    assert "a search that was cut off goes on" in shown
    assert (folder / "parts" / weights).stat().st_mtime_ns == before
    assert (folder / "parts" / weights).read_bytes() == (folder / "whole" / weights).read_bytes()
    found, wanted = (
        [(t["hash"], t["performance"]) for t in trials(folder / name)]
        for name in ("parts", "whole")
    )
    assert found == wanted
    evaluated = (folder / "evaluated").read_text().splitlines()
    assert len(evaluated) == len(set(evaluated)) == 12
    assert not {key for key, _ in found} & set(rows_of("h.csv"))
    (folder / "h.csv").write_text("\n".join([head, *rows[:5]]) + "\n")
    (folder / "parts" / "result.json").unlink()
    code, shown = small(*flags, "--out", "parts")
    assert code == 4
    assert "found an unfinished search of other settings" in shown


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--table", "t.csv", *COLUMNS], 2, "--oracle: expected who answers beside a table, found"),
        (["--space", "enas3"], 2, "--oracle: expected who answers beside a space, found none"),
        (["--space", "enas3", "--oracle", "table"], 2, "beside a space, found table"),
        (["--space", "enas3", "--oracle", "predicted"], 2, "beside a space, found predicted"),
        (["--space", "enas", *JUDGE], 2, "space: expected one of enas<layers>"),
        (["--space", "nas-bench-graph", "--oracle", "train"], 2, "expected networks of nas-bench"),
        (["--table", "t.csv", *JUDGE], 3, "expected a column performance"),
        (["--table", "gone.csv", *JUDGE], 3, "gone.csv: expected a file, found nothing"),
        (["--table", "t.csv", "--seeds", "2"], 2, "--seeds: expected --benchmark beside it"),
        (["--benchmark", "table", "--history", "t.csv"], 2, "--history: expected none beside"),
        (["run", "--history", "t.csv", "--join", "x"], 2, "--join: expected --benchmark beside it"),
        (["--space", "enas3", *JUDGE, "--history", "gone.csv"], 3, "gone.csv: expected a file, fo"),
        (["--space", "enas3", *JUDGE, "--guide", "predictors"], 2, "predictors: expected a RUN"),
    ],
)
def test_wrong_flags_end_with_their_code(folder, capsys, flags, code, message):
    assert main(["search", *flags]) == code
    assert message in capsys.readouterr().err
    assert not Path("runs").exists()


def test_a_run_reads_a_history_by_its_own_columns(folder, capsys):
    sizes = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "10", "--protocol-points", "2", "--epochs", "1", "--out", "run"]
    assert main(["train", "--data", "t.csv", *COLUMNS, *sizes, *few]) == 0
    rng = np.random.default_rng(9)
    known = rows_of("t.csv")
    new = [d for d in (SPACE.sample(rng) for _ in range(80)) if d.canonical_hash not in known][:5]
    lines = [f'"{SPACE.format(dag)}",0.9' for dag in dict.fromkeys(new)]
    (folder / "h.csv").write_text("\n".join(["arch,acc", *lines]) + "\n")
    flags = ["search", "run", *JUDGE, "--strategy", "random", "--budget", "8", "--history", "h.csv"]
    assert main(flags) == 0
    count = len(set(new))
    assert f"{60 + count} known rows" in capsys.readouterr().err
    (folder / "h.csv").write_text("\n".join(["net,value", *lines]) + "\n")
    assert main([*flags, "--overwrite", "--performance-col", "value"]) == 3
    assert "expected a column arch" in capsys.readouterr().err
    columns = ["--arch-col", "net", "--performance-col", "value"]
    assert main([*flags, "--overwrite", *columns]) == 0
