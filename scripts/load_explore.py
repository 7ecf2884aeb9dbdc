"""Asks `ngae explore` from many clients at once and says how it bears that.

Each client sends one request after the other, of a kind drawn at random, and checks every answer:
status, form, and that equal questions get equal answers. Requests, errors, and times until the
answer is whole, for each kind; threads, memory and processor time of the server.

Examples:
  python scripts/load_explore.py runs/digits6-quick-s0
  python scripts/load_explore.py RUN --clients 10 --seconds 3 --idle 200 --json
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Question = tuple[str, str, Any]  # kind, path, body; None: GET
KINDS = {"page": 2, "map": 2, "decode": 8, "row": 4, "interpolate": 2, "search": 1}  # by weight
_SECONDS = 60.0  # that a client waits for an answer
_SETTLED = 5  # questions of each kind, so that answers can be compared


@dataclass
class Tally:
    """What the clients have seen.

    Attributes:
        seconds: Times until the answer was whole, by kind.
        errors: How often what went wrong, by kind and what.
        answers: The first answer to each question.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    errors: Counter[str] = field(default_factory=Counter)
    answers: dict[str, bytes] = field(default_factory=dict)


def questions(width: int, rows: int, seed: int = 0) -> dict[str, list[Question]]:
    """Draw what is asked, by kind.

    Args:
        width: Size of the latent space.
        rows: Rows of the table.
        seed: Of the draws.
    """
    rng = random.Random(seed)

    def point() -> list[float]:
        return [round(rng.gauss(0, 1), 3) for _ in range(width)]

    def body(kind: str) -> Any:
        return {
            "decode": {"x": round(rng.gauss(0, 2), 3), "y": round(rng.gauss(0, 2), 3)},
            "row": {"row": rng.randrange(rows)},
            "interpolate": {"start": point(), "end": point(), "count": 9},
            "search": {"start": point(), "weight": 0.1, "steps": 20, "column": 0},
        }.get(kind)

    paths = {"page": "/", "map": "/map"}
    return {
        kind: [(kind, paths.get(kind, f"/{kind}"), body(kind)) for _ in range(_SETTLED)]
        for kind in KINDS
    }


def ask(port: int, question: Question) -> bytes:
    """Ask once; the body of the answer.

    Raises:
        AssertionError: Another status than 200, or no such answer.
        OSError: No connection, or none any more.
    """
    kind, path, body = question
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            heads = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), heads)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    assert response.status == 200, f"status {response.status}"
    if kind == "page":
        assert content.startswith(b"<!"), "no page"
    else:
        _check(kind, body, json.loads(content))
    return content


def _check(kind: str, body: Any, answer: Any) -> None:
    if kind == "interpolate":
        assert len(answer) == body["count"], "another number of points"
        assert answer[0]["z"] == body["start"] and answer[-1]["z"] == body["end"], "other ends"
    elif kind == "decode":
        gap = abs(answer["x"] - body["x"]) + abs(answer["y"] - body["y"])
        assert gap < 1e-6, "another place"
    elif kind == "row":
        assert answer["neighbour"]["distance"] >= 0, "no neighbour"
    elif kind == "search":
        assert len(answer) == 11, "another number of points"
    else:
        assert answer["table"]["total"] > 0, "no rows"


def load(port: int, clients: int, seconds: float, width: int, rows: int) -> Tally:
    """Let `clients` ask for `seconds`."""
    asked, tally, lock = questions(width, rows), Tally(), threading.Lock()
    kinds = random.Random(0).choices(list(KINDS), list(KINDS.values()), k=997)
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        rng = random.Random(number)
        while time.monotonic() < end:
            question = rng.choice(asked[rng.choice(kinds)])
            begun = time.perf_counter()
            try:
                content, fault = ask(port, question), ""
            except (AssertionError, OSError, http.client.HTTPException, ValueError) as error:
                content, fault = b"", f"{type(error).__name__} {error}"
            passed = time.perf_counter() - begun
            with lock:
                if not fault and tally.answers.setdefault(repr(question), content) != content:
                    fault = "another answer than before"
                if fault:
                    tally.errors[f"{question[0]}: {fault}"] += 1
                else:
                    tally.seconds[question[0]].append(passed)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


@contextmanager
def serving(run: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start `ngae explore` on a run; its process and its port."""
    words = [sys.executable, "-m", "ngae.explore", str(run), "--no-browser", "--port", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        for line in process.stderr or ():
            said += line
            match = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if match:
                break
        else:
            sys.exit(f"expected a server, found:\n{said}")
        yield process, int(match[1])
    finally:
        process.terminate()
        process.wait()


class Watch:
    """Looks at a process twice a second.

    Attributes:
        threads: At their most.
        memory: MiB, each time.
        processor: Seconds of all its threads, from the beginning to the last look.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.threads, self.processor = pid, 0, 0.0
        self.memory: list[float] = []
        self._begun = self._spent()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.5):
            text = Path(f"/proc/{self.pid}/status").read_text()
            found = dict(re.findall(r"^(Threads|VmRSS):\s+(\d+)", text, re.MULTILINE))
            self.threads = max(self.threads, int(found["Threads"]))
            self.memory.append(int(found["VmRSS"]) / 1024)
            self.processor = self._spent() - self._begun

    def _spent(self) -> float:
        spent = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def grown(self) -> float:
        """MiB from the end of the first fifth, when every kind was asked, to the end."""
        return self.memory[-1] - self.memory[len(self.memory) // 5]


def report(tally: Tally, watch: Watch, seconds: float) -> dict[str, Any]:
    """Sum up, times in milliseconds."""
    kinds = {}
    for kind, times in tally.seconds.items():
        wrong = sum(n for what, n in tally.errors.items() if what.startswith(f"{kind}:"))
        cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [float("nan")] * 99
        kinds[kind] = {
            "requests": len(times), "errors": wrong,
            "p50_ms": round(1e3 * cuts[49], 1), "p99_ms": round(1e3 * cuts[98], 1),
        }  # fmt: skip
    total = sum(len(times) for times in tally.seconds.values())
    return {
        "kinds": kinds, "errors": dict(tally.errors), "per_second": round(total / seconds, 1),
        "threads": watch.threads, "mebibytes": round(max(watch.memory)),
        "grown": round(watch.grown, 1),
        "processor_ms": round(1e3 * watch.processor / max(total, 1), 1),
    }  # fmt: skip


def shown(found: dict[str, Any]) -> str:
    """Lay out a report for reading."""
    lines = ["kind          requests  errors  p50 ms  p99 ms"]
    for kind, row in found["kinds"].items():
        numbers = (
            f"{row['requests']:>8}  {row['errors']:>6}  {row['p50_ms']:>6}  {row['p99_ms']:>6}"
        )
        lines.append(f"{kind:<12}  {numbers}")
    lines.append(
        f"{found['per_second']} requests a second; at most {found['threads']} threads and "
        f"{found['mebibytes']} MiB in the server, {found['grown']} MiB more than after a fifth of "
        f"the time; {found['processor_ms']} ms of processor time a request"
    )
    return "\n".join([*lines, *(f"{n} x {what}" for what, n in found["errors"].items())])


def main(argv: Sequence[str] | None = None) -> int:
    """Serve, ask, report; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--clients", type=int, default=50, help="that ask at once (default: 50)")
    parser.add_argument("--seconds", type=float, default=60.0, help="(default: 60)")
    parser.add_argument("--idle", type=int, default=0, help="connections that say nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(argv)
    with serving(given.run) as (process, port):
        watch = Watch(process.pid)
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(given.idle)]
        overview = json.loads(ask(port, ("map", "/map", None)))
        answer = json.loads(ask(port, ("row", "/row", {"row": 0})))
        rows = overview["table"]["total"]
        tally = load(port, given.clients, given.seconds, len(answer["z"]), rows)
        for connection in idle:
            connection.close()
        watch.stop()
    found = report(tally, watch, given.seconds)
    print(json.dumps(found, indent=2) if given.json else shown(found))
    return 1 if tally.errors else 0


if __name__ == "__main__":
    sys.exit(main())
