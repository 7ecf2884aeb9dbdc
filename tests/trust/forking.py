"""A process that has imported everything, has one thread, and forks a child for each order.

Orders come as lines of JSON; of each child it is told how it ended and how many calls that write
to the disk it came to.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (negative: a signal), calls, seconds, what it printed."""

    code: int
    calls: int
    seconds: float
    shown: str


class Forks:
    """Starts the process, and gives it orders; a context."""

    def __enter__(self):
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.trust.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **threads},
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, work, *arguments, kill_at=0, where="before", after_s=None):
        """Do a work in a child, which is killed at a call, or after some seconds, or never."""
        order = [work, [str(a) for a in arguments], kill_at, where, after_s]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))

    def kill(self, rng: random.Random, whole, work, *arguments):
        """Kill a child at a random moment of what `whole` did: at a call or at a time."""
        if rng.random() < 0.3:
            return self.run(work, *arguments, after_s=rng.uniform(0, whole.seconds))
        where = rng.choice(("before", "half", "after"))
        return self.run(work, *arguments, kill_at=rng.randint(1, whole.calls), where=where)


def _child(counter, work, arguments, kill_at, where):
    from tests.trust import kills, works

    works.quiet(SHOWN)
    kills.arm(counter, kill_at, where)
    try:
        os._exit(works.WORKS[work](*arguments))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


def _serve():
    import torch

    from tests.trust import kills, works

    torch.set_num_threads(1)
    os.sched_getaffinity = lambda _: {0}  # by which hashing chooses its threads
    works.warm_up(os.path.dirname(SHOWN))
    assert len(os.listdir("/proc/self/task")) == 1  # a child has no other one
    counter = kills.Counter()
    for line in sys.stdin:
        work, arguments, kill_at, where, after_s = json.loads(line)
        started = time.perf_counter()
        child = os.fork()
        if child == 0:
            _child(counter, work, arguments, kill_at, where)
        if after_s is not None:
            time.sleep(after_s)
            os.kill(child, signal.SIGKILL)  # one that has ended waits to be asked for
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seconds = time.perf_counter() - started
        shown = Path(SHOWN).read_text(errors="replace") if os.path.exists(SHOWN) else ""
        print(json.dumps([code, int(counter), seconds, shown]), flush=True)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        SHOWN = os.path.join(folder, "shown")
        _serve()
