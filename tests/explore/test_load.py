"""Many who ask at once: right answers, a bounded number of threads, room for who asks."""

import json
import os
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ngae.explore import server as serving
from ngae.explore.one_thread import OneThread
from scripts.load_explore import KINDS, Watch, load, questions, report


def test_ten_clients_get_right_answers(server):
    explorer, said = server.explorer, list(server.log.__self__)
    tally = load(server.port, 10, 2.0, explorer.width, len(explorer.rows))
    assert tally.errors == {}
    assert server.log.__self__ == said
    assert all(tally.seconds[kind] for kind in KINDS)
    for question in questions(explorer.width, len(explorer.rows))["row"]:
        told = json.loads(tally.answers[repr(question)])
        assert told["z"] == explorer.rows.mean[question[2]["row"]].tolist()
        assert told["hash"] == explorer.at_row(question[2]["row"])["hash"]


def test_the_report_counts_requests_and_errors(server):
    tally = load(server.port, 2, 0.3, 1, 1)  # points of another width
    wrong = sum(tally.errors.values())
    assert all(what.endswith("AssertionError status 400") for what in tally.errors)
    told = {"threads": 3, "memory": [5.0, 7.4, 6.0], "grown": 1.04, "processor": 2.0}
    found = report(tally, type("Watch", (), told)(), 0.3)
    assert sum(row["errors"] for row in found["kinds"].values()) == wrong
    assert found["kinds"]["page"]["requests"] == len(tally.seconds["page"])
    assert (found["threads"], found["mebibytes"], found["grown"]) == (3, 7, 1.0)
    total = sum(row["requests"] for row in found["kinds"].values())
    assert found["processor_ms"] == round(2000 / max(total, 1), 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_process_is_watched():
    watch = Watch(os.getpid())
    held = bytearray(b"x" * (64 << 20))
    end = time.monotonic() + 30
    while len(watch.memory) < 3 and time.monotonic() < end:
        sum(range(100_000))
    watch.stop()
    assert watch.threads >= 2 and watch.processor > 0
    assert watch.memory[-1] > len(held) / (1 << 20)
    assert watch.grown == watch.memory[-1] - watch.memory[len(watch.memory) // 5]


def _held(server, count):
    """Wait until the server holds that many connections, or fewer."""
    end = time.monotonic() + 20
    while len(server._held) > count and time.monotonic() < end:
        time.sleep(0.01)
    return len(server._held)


def test_connections_that_say_nothing_make_room(server, client):
    most = serving._MOST_AT_ONCE
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for _ in range(most + 30)
        ]
        for one in silent[most // 2 :]:
            one.sendall(b"GET / HTTP/1.1\r\n")  # begins, and says no more
        assert client.ask("GET", "/map").status == 200
        assert _held(server, most) <= most
        silent[0].settimeout(20)
        assert silent[0].recv(10) == b""  # the oldest was let go
        assert client.post("/row", {"row": 0}).status == 200
    assert _held(server, 0) == 0


def test_where_all_have_asked_the_next_is_told_so(server, client, monkeypatch):
    monkeypatch.setattr(serving, "_MOST_AT_ONCE", 1)
    busy, end = threading.Event(), threading.Event()
    blocker = threading.Thread(
        target=server.explorer._alone.do, args=(lambda: (busy.set(), end.wait(20)),)
    )
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(client.post("/row", {"row": 1})))
    blocker.start()
    busy.wait(20)
    waiting.start()
    try:
        while not any(server._held.values()):
            time.sleep(0.01)
        refused = client.ask("GET", "/map")  # without a body, which a refusal would cut off
        assert refused.status == 503
        assert refused.heads["Retry-After"] == "1"
        assert refused.value == {"error": "too many requests at once"}
    finally:
        end.set()
        waiting.join()
        blocker.join()
    assert answers[0].status == 200
    assert _held(server, 0) == 0


def test_one_thread_does_one_thing_after_the_other():
    alone, seen = OneThread(), []

    def work(number):
        seen.append((number, threading.get_ident()))
        return number

    threads = [threading.Thread(target=alone.do, args=(lambda n=n: work(n),)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for number, _ in seen) == list(range(20))
    assert len({ident for _, ident in seen}) == 1
    assert alone.do(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        alone.do(lambda: 1 / 0)
    assert alone.do(lambda: 6) == 6
