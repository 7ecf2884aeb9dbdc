import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ngae.data.records import Table
from ngae.errors import GraphError, UsageError
from ngae.oracles.base import BudgetExhaustedError, EvaluationError
from ngae.oracles.command import Command
from ngae.oracles.command_output import parse_output
from ngae.oracles.config import OracleConfig
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.registry import oracle_named
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
DAG = SPACE.parse("[[2], [0, 1], [5, 0, 1]]")


def program(code, *arguments, **settings):
    return Command([sys.executable, "-c", code, *arguments], SPACE, **settings)


def test_the_architecture_comes_on_stdin_and_in_a_file():
    code = (
        "import json, os, sys\n"
        "given = json.load(sys.stdin)\n"
        "assert given == json.load(open(sys.argv[1][5:]))\n"
        "assert given['architecture'] == '[[2], [0, 1], [5, 0, 1]]'\n"
        "print('training ...')\n"
        "print(json.dumps({'performance': len(given['edges']),"
        " 'complexity': {'ms': 1.5, 'macs': 7},"
        " 'detail': {'test': 0.25, 'seed': int(os.environ['NGAE_SEED'])}}))\n"
        "print()\n"
    )
    answer = program(code, "path={arch}", seed=3).query(DAG)
    assert answer.performance == len(DAG.edges)
    assert answer.complexity == {"params": SPACE.complexity([DAG])[0, 0], "macs": 7, "ms": 1.5}
    assert answer.detail == {"test": 0.25, "seed": 3}
    assert answer.cost_s > 0


def test_no_shell_reads_the_arguments():
    text = "$(rm -rf x); `y` *"
    code = f"import sys; print(int(sys.argv[1] == {text!r}))"
    assert program(code, text).query(DAG).performance == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0.5", (0.5, {}, {})),
        ("-3", (-3.0, {}, {})),
        ("1e-3", (0.001, {}, {})),
        ('{"performance": 1}', (1.0, {}, {})),
        ('{"performance": 0.5, "detail": {"t": 2}}', (0.5, {}, {"t": 2.0})),
        ('{"complexity": {"ms": 0.1}, "performance": 0.5}', (0.5, {"ms": 0.1}, {})),
    ],
)
def test_answers(line, expected):
    assert tuple(parse_output(line)) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "expected an answer in the last line of stdout, found nothing"),
        ("accuracy: 0.5", "expected a number or an object in JSON, found accuracy: 0.5"),
        ("0.5 0.6", "expected a number or an object in JSON"),
        ("0,5", "expected a number or an object in JSON"),
        ("NaN", "expected finite numbers, found NaN"),
        ("-Infinity", "expected finite numbers, found -Infinity"),
        ("nan", "expected a number or an object in JSON"),
        ("1e999", "expected a finite number as performance, found inf"),
        ("1" + "0" * 400, "expected a finite number as performance"),
        ("1" * 5000, "expected a number or an object in JSON"),
        ("true", "expected a number as performance, found True"),
        ("null", "expected a number as performance, found None"),
        ('"0.5"', "expected a number as performance, found 0.5"),
        ("[0.5]", r"expected a number as performance, found \[0.5\]"),
        ("{}", "expected the key performance"),
        ('{"accuracy": 1}', "expected keys from performance, complexity, detail, found accuracy"),
        ('{"performance": 1, "loss": 2}', "found loss"),
        ('{"performance": 1, "performance": 2}', "expected each key once, found performance"),
        ('{"performance": "1"}', "expected a number as performance"),
        ('{"performance": NaN}', "expected finite numbers, found NaN"),
        ('{"performance": 1, "complexity": 3}', "expected numbers by name in complexity, found 3"),
        (
            '{"performance": 1, "complexity": {"ms": null}}',
            "a number as complexity: ms, found None",
        ),
        ('{"performance": 1, "detail": {"t": 1e999}}', "a finite number as detail: t, found inf"),
        ('{"performance": 1, "detail": {"t": {"u": 1}}}', "expected a number as detail: t"),
        ("[" * 100000, "expected a number or an object in JSON"),
        ("x" * 500, r"found x{77}\.\.\.$"),
    ],
)
def test_other_outputs_are_refused(line, message):
    with pytest.raises(EvaluationError, match=message):
        parse_output(line)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit(3)", "expected exit code 0, found 3"),
        ("import os; os.kill(os.getpid(), 11)", "expected exit code 0, found signal 11"),
        ("pass", "expected an answer in the last line of stdout, found nothing"),
        ("print(0.5); print('done')", "found done"),
        ("print(0.5); raise SystemExit('no memory')", "found 1; stderr ends with:\nno memory"),
    ],
)
def test_failures_are_explained(code, message):
    with pytest.raises(EvaluationError) as caught:
        program(code).query(DAG)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"command {Path(sys.executable).name}: ")


def test_the_end_of_stderr_is_shown():
    code = "import sys; sys.stderr.write('x' * 5000 + 'é' * 1500 + 'end'); raise SystemExit(1)"
    with pytest.raises(EvaluationError) as caught:
        program(code).query(DAG)
    tail = str(caught.value).split("stderr ends with:\n")[1]
    assert tail == "x" * 497 + "é" * 1500 + "end"


def test_a_program_that_fails_runs_again(tmp_path):
    code = (
        "import sys, pathlib\n"
        f"count = pathlib.Path({str(tmp_path / 'n')!r})\n"
        "count.write_text(count.read_text() + 'x' if count.exists() else 'x')\n"
        "if len(count.read_text()) < 3: raise SystemExit(1)\n"
        "print(0.75)\n"
    )
    assert program(code, retries=2).query(DAG).performance == 0.75
    (tmp_path / "n").unlink()
    oracle = program(code, retries=1, budget=1)
    with pytest.raises(EvaluationError, match=r"\(after 2 attempts\)"):
        oracle.query(DAG)
    with pytest.raises(BudgetExhaustedError):
        oracle.query(DAG)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_time_out_ends_all_that_was_started(tmp_path):
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "sys.stderr.write('waiting'); sys.stderr.flush()\n"
        "time.sleep(600)\n"
    )
    start = time.monotonic()
    with pytest.raises(EvaluationError, match=r"no end within 1\.5 s; stderr ends with:\nwaiting"):
        program(code, timeout_s=1.5).query(DAG)
    assert time.monotonic() - start < 10
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    end = time.monotonic() + 5
    while any(map(_alive, pids)) and time.monotonic() < end:
        time.sleep(0.01)
    assert len(pids) == 2
    assert not any(map(_alive, pids))


def test_what_goes_on_in_the_background_is_not_waited_for():
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)'])\n"
        "print(0.5)\n"
    )
    start = time.monotonic()
    assert program(code).query(DAG).performance == 0.5
    assert time.monotonic() - start < 7


def test_wrong_use_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a program and its arguments, found 'true'"):
        Command("true", SPACE)
    with pytest.raises(UsageError, match=r"expected a program and its arguments, found \(\)"):
        Command((), SPACE)
    plain = tmp_path / "plain.py"
    plain.write_text("print(1)")
    for name in ("no-such-program", str(plain)):
        with pytest.raises(UsageError, match="expected a program that can be run") as caught:
            Command([name], SPACE)
        assert "executable" in caught.value.remedy
    for settings in ({"timeout_s": 0}, {"timeout_s": float("nan")}, {"retries": -1}):
        with pytest.raises(UsageError, match="expected a number"):
            Command(["true"], SPACE, **settings)
    oracle = program("print(1)")
    with pytest.raises(GraphError):
        oracle.query(EnasSpace(2).parse("[[0], [1, 1]]"))
    assert oracle.queries == 0


def test_on_the_command_line(tmp_path):
    table = Table(
        "t", SPACE, (DAG,), np.ones(1), np.ones((1, 1)), "p", ("c",), np.ones(1, int), "x"
    )
    judge = tmp_path / "judge me.py"
    judge.write_text(
        f"#!{sys.executable}\nimport json, sys\nprint(len(json.load(open(sys.argv[1]))))"
    )
    os.chmod(judge, 0o755)
    config = OracleConfig(oracle_timeout=20, oracle_retries=1)
    oracle = oracle_named(f"command '{judge}' {{arch}}", table, config)
    assert (oracle.argv, oracle.timeout_s, oracle.retries) == ((str(judge), "{arch}"), 20, 1)
    assert oracle.query(DAG).performance == 5
    for text in ("command", "command ", "command 'x"):
        with pytest.raises(UsageError):
            oracle_named(text, table)


def test_a_failure_is_recorded(tmp_path):
    with Ledger(tmp_path / "l") as ledger:
        oracle = Recorded(program("raise SystemExit(9)"), ledger)
        assert "expected exit code 0, found 9" in oracle.query(DAG).error
    opened = json.loads((tmp_path / "l").read_text().splitlines()[0])
    assert "SystemExit(9)" in opened["oracle"]
