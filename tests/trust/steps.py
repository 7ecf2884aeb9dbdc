"""Takes training steps on a small table and says how much memory the process holds on the way.

`python -m tests.trust.steps 10000` prints JSON: bytes resident after each hundredth step.
"""

import gc
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from ngae.data import DataConfig
from ngae.data.records import Dataset
from ngae.train.folder import RunFolder
from ngae.train.interrupt import Interrupted
from ngae.train.session import Silence, run_training
from tests.trust.same import table
from tests.trust.works import small

EVERY = 100
ROWS = 330  # 30 of them for the test; 30 steps an epoch
PAGE = 4096


class Watch(Silence):
    """Notes the resident memory, and ends the training after a number of steps."""

    def __init__(self, steps):
        self.steps, self.done, self.resident = steps, 0, []

    def stepped(self, step):
        self.done += 1
        if self.done % EVERY == 0:
            gc.collect()
            self.resident.append(resident())
            print(self.done, self.resident[-1], file=sys.stderr, flush=True)
        if self.done == self.steps:
            raise Interrupted(2)


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def measured(steps):
    """Bytes resident after each hundredth of `steps` steps, with all that a run does between."""
    watch = Watch(steps)
    config = small(epochs=steps)
    data = Dataset(table(ROWS), np.arange(30, ROWS), np.arange(30), DataConfig(), ())
    with tempfile.TemporaryDirectory() as folder, suppress(Interrupted):
        run_training(config, data, RunFolder(Path(folder) / "run"), observer=watch)
    return watch.resident


def growth(resident, first):
    """How much the memory grew from step `first` on, as a share: the last fifth's median."""
    begin = resident[first // EVERY - 1]
    return float(np.median(resident[-max(1, len(resident) // 5) :])) / begin - 1


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
