import collections
import json
import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from counting import SPACE, Counting, Misbehaving, architectures, value_of

from ngae.errors import DataError, RefusedError, UsageError
from ngae.oracles import Table
from ngae.oracles.base import Answer, BudgetExhaustedError, UnknownArchitectureError
from ngae.oracles.ledger import Ledger, Recorded, answer_of


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_repeated_architecture_is_evaluated_and_paid_once(tmp_path, evaluations):
    ledger = Ledger(budget=2)
    oracle = Recorded(Counting(tmp_path / "n"), ledger)
    one, other, third = architectures(3)
    first = oracle.query(one)
    assert (first.performance, first.detail) == (value_of(one), {"test_accuracy": 0.5})
    assert oracle.query(one) == first
    oracle.query(other)
    assert oracle.queries == 2
    with pytest.raises(BudgetExhaustedError, match="at most 2"):
        oracle.query(third)
    assert oracle.query(one) == first
    assert evaluations(tmp_path / "n") == [one.canonical_hash, other.canonical_hash]
    assert (oracle.name, oracle.space) == ("counting", SPACE)


def test_events_are_written_before_and_after_an_evaluation(tmp_path):
    path = tmp_path / "deep" / "ledger.jsonl"
    dag = architectures(1)[0]
    seen = []

    class Looking(Counting):
        def query(self, dag):
            seen.extend(event["event"] for event in events(path))
            return super().query(dag)

    with Ledger(path) as ledger:
        Recorded(Looking(tmp_path / "n"), ledger).query(dag)
    assert seen == ["opened", "asked"]
    opened, asked, answered = events(path)
    assert opened == {"event": "opened", "version": 1, "oracle": "counting, enas3"}
    assert asked["hash"] == answered["hash"] == dag.canonical_hash
    assert asked["architecture"]["node_types"] == list(dag.node_types)
    assert (answered["performance"], answered["complexity"]) == (value_of(dag), {"params": 1.0})


def test_answers_and_budget_are_there_after_a_restart(tmp_path, evaluations):
    dags = architectures(4)
    deeds = {dags[1].canonical_hash: "diverge"}
    with Ledger(tmp_path / "l", budget=3) as ledger:
        oracle = Recorded(Misbehaving(tmp_path / "n", deeds), ledger)
        before = [oracle.query(dag) for dag in dags[:3]]
    with Ledger(tmp_path / "l", budget=3) as ledger:
        oracle = Recorded(Misbehaving(tmp_path / "n", deeds), ledger)
        again = [oracle.query(dag) for dag in dags[:3]]
        with pytest.raises(BudgetExhaustedError):
            oracle.query(dags[3])
    assert (again[0], again[2]) == (before[0], before[2])
    assert (again[1].status, again[1].error) == ("failed", "the loss is nan")
    assert math.isnan(again[1].performance)
    assert len(evaluations(tmp_path / "n")) == 3


def test_errors_are_tried_again_and_then_recorded(tmp_path, evaluations):
    dag = architectures(1)[0]
    oracle = Recorded(Misbehaving(tmp_path / "n", {dag.canonical_hash: "error"}), Ledger(retries=2))
    answer = oracle.query(dag)
    assert answer.error == "RuntimeError: out of memory (after 3 attempts)"
    assert oracle.query(dag) is answer
    assert len(evaluations(tmp_path / "n")) == 3
    assert oracle.queries == 1


def test_refusals_are_told_and_cost_nothing(tmp_path, make_table):
    table = make_table(3, SPACE)
    with Ledger(tmp_path / "l", budget=3) as ledger:
        oracle = Recorded(Table(table), ledger)
        unknown = next(d for d in architectures(50) if d.canonical_hash not in table.hashes)
        for _ in range(3):
            with pytest.raises(UnknownArchitectureError):
                oracle.query(unknown)
        assert oracle.queries == 0
        oracle.query(table.dags[0])
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.used == 1
        assert ledger.unanswered(SPACE) == []


def test_an_answer_that_is_not_finite_has_failed(tmp_path):
    class Odd(Counting):
        def query(self, dag):
            return Answer(math.inf, {"ms": 2.0}, 1.0, {"x": math.nan})

    dag = architectures(1)[0]
    for _ in range(2):
        with Ledger(tmp_path / "l") as ledger:
            answer = Recorded(Odd(tmp_path / "n"), ledger).query(dag)
            assert answer.error == "expected a finite performance, found inf"
            assert (answer.complexity, answer.cost_s) == ({"ms": 2.0}, 1.0)
            assert math.isnan(answer.detail["x"])


def test_an_interrupt_takes_the_attempt_back(tmp_path):
    class Interrupted(Counting):
        def query(self, dag):
            raise KeyboardInterrupt

    dag = architectures(1)[0]
    with Ledger(tmp_path / "l", retries=0) as ledger:
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                Recorded(Interrupted(tmp_path / "n"), ledger).query(dag)
        assert ledger.used == 0
    with Ledger(tmp_path / "l", retries=0) as ledger:
        assert Recorded(Counting(tmp_path / "n"), ledger).query(dag).ok


def test_a_torn_last_line_is_cut_with_a_note(tmp_path):
    path = tmp_path / "l"
    dags = architectures(2)
    with Ledger(path) as ledger:
        oracle = Recorded(Counting(tmp_path / "n"), ledger)
        before = [oracle.query(dag) for dag in dags]
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for cut in (1, 20, len(last) - 1):
        path.write_bytes(whole[:-cut])
        with Ledger(path) as ledger:
            assert [f"{path}:5: a last line of {len(last) - cut} bytes" in n for n in ledger.notes]
            assert len(ledger.notes) == 1
            assert ledger.answer(dags[0]) == before[0]
            assert ledger.unanswered(SPACE) == [dags[1]]
            assert Recorded(Counting(tmp_path / "n"), ledger).query(dags[1]) == before[1]
            assert ledger.used == 2
        assert all(event["event"] for event in events(path))
    with Ledger(path) as ledger:
        assert ledger.notes == ()


def _asked(**values):
    event = {"event": "asked", "hash": "a", "attempt": 1, "architecture": {}}
    return json.dumps({**event, **values})


def _known(**values):
    event = {"event": "known", "hash": "a", "architecture": {}, "performance": 1.0}
    facts = {"complexity": {"params": 3, "macs": None}, "cost_s": 1, "detail": {}, "error": ""}
    return json.dumps({**event, **facts, **values})


def test_events_of_every_kind_are_read(tmp_path):
    path = tmp_path / "l"
    lines = ['{"event": "opened", "version": 1, "oracle": "x"}', _known(), _known(cost_s=None)]
    path.write_text("".join(line + "\n" for line in [*lines, _known(performance=None)]))
    with Ledger(path) as ledger:
        first, second, third = map(answer_of, ledger.events[1:])
    assert (first.performance, first.cost_s, first.complexity["params"]) == (1.0, 1, 3.0)
    assert math.isnan(first.complexity["macs"])
    assert math.isnan(second.cost_s)
    assert (third.ok, third.error) == (False, "")


def test_an_answer_is_none_that_failed_and_a_failed_one_has_no_performance(tmp_path):
    path = tmp_path / "l"
    for event, performance in (("answered", "null"), ("failed", "1")):
        path.write_text(
            '{"event": "opened", "version": 1, "oracle": "x"}\n' + _asked() + "\n"
            f'{{"event": "{event}", "hash": "a", "performance": {performance}, "complexity": {{}}, '
            '"cost_s": 0, "detail": {}, "error": ""}\n'
        )
        with pytest.raises(DataError, match="l:3: expected an event of a ledger"):
            Ledger(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "expected an event of a ledger, found 'nonsense'"),
        ("[1]", "expected an event"),
        ('{"event": "asked"}', "expected an event"),
        ('{"event": "sung", "hash": "0"}', "expected an event"),
        ('{"event": "withdrawn", "hash": "00"}', "expected an answer to what was asked"),
        ("[" * 100_000, "expected an event"),
        (_asked(hash=[]), "expected an event"),
        (_asked(attempt=True), "expected an event"),
        (_asked(attempt=-1), "expected an event"),
        (_asked(attempt=2), "expected attempt 1, found 2"),
        (_asked(architecture=[]), "expected an event"),
        (_known(performance="1"), "expected an event"),
        (_known(performance=10**400), "expected an event"),
        (_known(complexity={"params": "1"}), "expected an event"),
        (_known(complexity={"params": {}}), "expected an event"),
        (_known(complexity=[]), "expected an event"),
        (_known(detail={"params": [1]}), "expected an event"),
        (_known(cost_s="1"), "expected an event"),
        (_known(error=None), "expected an event"),
        (_known(event="answered", architecture=None), "expected an event"),
        ('{"event": "opened", "version": 1, "oracle": "x"}', "opened once"),
    ],
)
def test_other_files_are_refused_and_left_alone(tmp_path, line, message):
    path = tmp_path / "l"
    with Ledger(path) as ledger:
        Recorded(Counting(tmp_path / "n"), ledger).query(architectures(1)[0])
    content = path.read_text() + line + "\n" + '{"torn'
    path.write_text(content)
    with pytest.raises(DataError, match=f"l:4: .*{message}"):
        Ledger(path)
    assert path.read_text().startswith(content[:-6])


def test_a_folder_is_no_ledger(tmp_path):
    with pytest.raises(UsageError, match=f"--ledger {tmp_path}: expected a file, found a folder"):
        Ledger(tmp_path)


def test_a_ledger_belongs_to_one_oracle(tmp_path, make_table):
    with Ledger(tmp_path / "l") as ledger:
        Recorded(Counting(tmp_path / "n"), ledger)
        with pytest.raises(RefusedError, match=r"expected the oracle \(counting, enas3\)"):
            Recorded(Table(make_table(3, SPACE)), ledger)
    with Ledger(tmp_path / "t") as ledger:
        Recorded(Table(make_table(3, SPACE)), ledger)
        with pytest.raises(RefusedError, match="table, made, accuracy"):
            Recorded(Table(make_table(4, SPACE)), ledger)


def test_a_second_ledger_on_one_file_is_refused(tmp_path):
    path = tmp_path / "l"
    code = f"from ngae.oracles.ledger import Ledger; Ledger({str(path)!r})"
    with Ledger(path):
        with pytest.raises(RefusedError, match="another process writing to it") as caught:
            Ledger(path)
        assert caught.value.exit_code == 4
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "RefusedError" in done.stderr
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    ledger = Ledger(tmp_path / "l")
    reading, writing = os.pipe()
    started, start = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.write(start, b"s")
        os.read(reading, 1)
        os._exit(0)
    assert os.read(started, 1) == b"s"
    ledger.close()
    again = Ledger(tmp_path / "l")
    assert os.waitpid(child, os.WNOHANG) == (0, 0)  # it lives, and does not hold the lock
    assert again.used == 0
    again.close()
    for end in (writing, reading, started, start):
        os.close(end)
    os.waitpid(child, 0)


def test_wrong_use_is_refused():
    with pytest.raises(UsageError, match="retries: expected a number from 0, found -1"):
        Ledger(retries=-1)
    ledger = Ledger()
    dag = architectures(1)[0]
    ledger.ask(dag)
    ledger.settle(dag, Answer(1.0, {}, 0.0))
    with pytest.raises(UsageError, match="expected an architecture without an answer"):
        ledger.ask(dag)


def test_nothing_is_lost_or_paid_twice_whenever_it_is_killed(tmp_path, evaluations):
    path, counts = tmp_path / "l", tmp_path / "n"
    program = [sys.executable, str(Path(__file__).parent / "counting.py"), str(path), str(counts)]
    rng = random.Random(0)
    answered, kills = set(), 0
    for _ in range(60):
        process = subprocess.Popen(program, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        before = len(evaluations(counts))
        more = rng.randrange(10)  # and a little later: a busy machine gets as far as an idle one
        while process.poll() is None and len(evaluations(counts)) < before + more:
            time.sleep(0.001)
        try:
            process.wait(rng.uniform(0, 0.01))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.wait()
        process.stdout.close()
        assert not answered & set(evaluations(counts)[before:])
        lines = path.read_bytes().split(b"\n")[:-1]
        found = [json.loads(line) for line in lines]
        answered = {e["hash"] for e in found if e["event"] in ("answered", "failed")}
        if len(answered) == 60:
            break
    assert kills >= 3
    assert len(answered) == 60
    assert max(collections.Counter(evaluations(counts)).values()) <= 3
    with Ledger(path) as ledger:
        assert (ledger.used, ledger.unanswered(SPACE)) == (60, [])
        answers = {dag: ledger.answer(dag) for dag in architectures(60)}
    # On a busy machine one architecture may be hit by three kills: then, and only then, it failed.
    failed = [answer.error for answer in answers.values() if not answer.ok]
    asked = collections.Counter(event["hash"] for event in found if event["event"] == "asked")
    assert failed == ["no answer after 3 attempts"] * len(failed)
    assert all(a.ok or asked[dag.canonical_hash] == 3 for dag, a in answers.items())
    assert all(a.performance == value_of(dag) for dag, a in answers.items() if a.ok)
    assert len(failed) < 10


def test_what_kills_the_process_fails_in_the_end(tmp_path, evaluations):
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from counting import *\n"
        "dag = architectures(1)[0]\n"
        f"oracle = Misbehaving({str(tmp_path / 'n')!r}, {{dag.canonical_hash: 'kill'}})\n"
        f"print(Recorded(oracle, Ledger({str(tmp_path / 'l')!r}, retries=2)).query(dag).error)\n"
    )
    shown = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        for _ in range(4)
    ]
    assert [done.returncode for done in shown] == [-9, -9, -9, 0]
    assert shown[3].stdout == "no answer after 3 attempts\n"
    assert len(evaluations(tmp_path / "n")) == 3
