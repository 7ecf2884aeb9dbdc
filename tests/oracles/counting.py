"""Oracles that other processes import: they count in a file what they evaluate, or misbehave."""

import os
import signal
import sys
import time
from pathlib import Path

from ngae.errors import MissingExtraError, TrainingError
from ngae.oracles.base import Answer
from ngae.oracles.ledger import Ledger, Recorded
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


def architectures(count):
    import numpy as np

    rng = np.random.default_rng(0)
    found = {}
    while len(found) < count:
        dag = SPACE.sample(rng)
        found.setdefault(dag.canonical_hash, dag)
    return list(found.values())


def value_of(dag):
    return sum(dag.node_types) / 100 + len(dag.edges) / 1000


class Counting:
    """Appends a line to a file at the start of each evaluation."""

    name = "counting"
    space = SPACE

    def __init__(self, path, pause_s=0.0):
        self.path, self.pause_s = str(path), pause_s
        self.queries = 0

    def query(self, dag):
        with open(self.path, "a") as file:
            file.write(dag.canonical_hash + "\n")
        time.sleep(self.pause_s)
        return Answer(value_of(dag), {"params": 1.0}, self.pause_s, {"test_accuracy": 0.5})


class Misbehaving(Counting):
    """Does to the architectures with given hashes what is said of them."""

    def __init__(self, path, deeds, pause_s=0.0):
        super().__init__(path, pause_s)
        self.deeds = deeds

    def query(self, dag):
        answer = super().query(dag)
        deed = self.deeds.get(dag.canonical_hash)
        if deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if deed == "kill once":
            marker = Path(self.path + "." + dag.canonical_hash)
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if deed == "hang":
            time.sleep(600)
        if deed == "error":
            raise RuntimeError("out of memory\nsecond line")
        if deed == "lack":
            raise MissingExtraError("reels", "film", "a film")
        if deed == "diverge":
            raise TrainingError("the loss is nan")
        return answer


def main():
    """Answer everything with a ledger; killed at any moment by the test."""
    ledger, counts = sys.argv[1:]
    with Ledger(ledger, retries=2) as kept:
        oracle = Recorded(Counting(counts, 0.004), kept)
        print("started", flush=True)
        for dag in architectures(60):
            oracle.query(dag)


if __name__ == "__main__":
    main()
