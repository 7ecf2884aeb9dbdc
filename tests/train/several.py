"""Trainings by several processes: each forked from one that has imported everything.

`python -m tests.train.several FLAGS` is `python -m ngae.train FLAGS` of a process that
`NGAE_TEST_DEATH` may tell to kill itself, for launchers that start programs.
"""

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass

import torch._dynamo  # noqa: F401 - takes seconds; torch's optimisers import it
from torch.distributed import TCPStore

import ngae.commands.training
import ngae.train.meeting  # noqa: F401 - what each process would import
from ngae.cli import main
from ngae.train.loop import Trainer

LONGEST_S = 200.0


@dataclass(frozen=True)
class Event:
    """Something that happens to a process before it takes a step (from 0)."""

    rank: int
    step: int
    kind: str  # the name of a signal; nan: of a weight; block: the log cannot be written

    def happen(self, trainer):
        if self.kind == "nan":
            next(trainer.model.parameters()).data.fill_(float("nan"))
        elif self.kind == "block":
            trainer.folder.log.mkdir()
        else:
            os.kill(os.getpid(), getattr(signal, self.kind))


@dataclass(frozen=True)
class Ended:
    """How processes ended: exit codes, what each printed, seconds between first and last end."""

    codes: tuple[int, ...]
    shown: tuple[str, ...]
    lag: float

    @property
    def text(self):
        return "".join(self.shown)


class Several:
    """Runs `ngae train` by several processes, and waits for them.

    Args:
        folder: For what they print.
    """

    def __init__(self, folder):
        self.folder = folder
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.train.several"])

    def train(self, *flags, size=2, event=None):
        """Train; `flags` is a list for all, or as many lists as there are processes."""
        each = flags if isinstance(flags[0], list) else [list(flags)] * size
        store = TCPStore("127.0.0.1", 0, is_master=True)  # torchrun has one, too
        paths = [self.folder / f"shown{rank}" for rank in range(size)]
        processes = [
            self.context.Process(
                target=_process, args=(rank, size, store.port, each[rank], str(paths[rank]), event)
            )
            for rank in range(size)
        ]
        for process in processes:
            process.start()
        ends = _ends(processes)
        del store
        codes = tuple(process.exitcode for process in processes)
        return Ended(codes, tuple(path.read_text() for path in paths), max(ends) - min(ends))


def _ends(processes):
    """When each process ended; those that do not are killed."""
    begin, ends = time.monotonic(), {}
    while len(ends) < len(processes):
        for process in processes:
            if process not in ends and process.exitcode is not None:
                ends[process] = time.monotonic()
        if time.monotonic() - begin > LONGEST_S:
            for process in processes:
                process.kill()
                process.join()
            raise AssertionError("the processes hang")
        time.sleep(0.01)
    return ends.values()


def _process(rank, size, port, flags, path, event):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    place = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", OMP_NUM_THREADS="1")
    os.environ.update(TORCHELASTIC_USE_AGENT_STORE="True", TORCHELASTIC_RESTART_COUNT="0")
    if event is not None and event.rank == rank:
        arm(event)
    sys.exit(main(["train", *flags]))


def arm(event):
    """Let an event happen to this process."""
    step = Trainer._step

    def stepping(trainer, rows):
        if trainer.step == event.step:
            event.happen(trainer)
        step(trainer, rows)

    Trainer._step = stepping


if __name__ == "__main__":
    rank, step, kind = os.environ["NGAE_TEST_DEATH"].split()
    is_first_try = os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0"
    if is_first_try and os.environ["RANK"] == rank:
        arm(Event(int(rank), int(step), kind))
    sys.exit(main(["train", *sys.argv[1:]]))
