"""The numbers of `log.jsonl` for TensorBoard, written as the epochs end. Needs the extra `tb`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ngae.errors import MissingExtraError
from ngae.train.folder import RunFolder, read_log
from ngae.train.loop import Step, Trainer
from ngae.train.session import Observer

FOLDER = "tensorboard"  # in the run folder
_EVENTS = "events.out.tfevents.*"


class Observers:
    """Tells several observers, one after the other."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self.observers = observers

    def started(self, trainer: Trainer, resumed: bool) -> None:
        """Tell that training begins or goes on."""
        for each in self.observers:
            each.started(trainer, resumed)

    def stepped(self, step: Step) -> None:
        """Tell that one step is done."""
        for each in self.observers:
            each.stepped(step)

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """Tell that one epoch is done."""
        for each in self.observers:
            each.epoch_ended(record)

    def evaluating(self, stage: str, share: float) -> None:
        """Tell how far the evaluation is."""
        for each in self.observers:
            each.evaluating(stage, share)


class EventLog:
    """Writes events of a run into its folder; an observer.

    When a run starts or goes on, the events are written anew from `log.jsonl`: no epoch is
    missing and none is there twice, whenever the run was cut off and whether or not it was
    watched before.

    Args:
        folder: The run folder.
        make: Makes the writer, see `event_log`.
    """

    def __init__(self, folder: RunFolder, make: Callable[[str], Any]) -> None:
        self.folder = folder
        self.make = make
        self.writer: Any = None

    def started(self, trainer: Trainer, resumed: bool) -> None:
        """Write the epochs that are behind us, and drop what was written before."""
        path = self.folder.path / FOLDER
        for old in path.glob(_EVENTS):
            old.unlink()
        self.writer = self.make(str(path))
        for record in read_log(self.folder.log):
            self._write(record)
        self.writer.flush()

    def stepped(self, step: Step) -> None:
        """Write nothing: the log has a line an epoch."""

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """Write the numbers of an epoch."""
        self._write(record)
        self.writer.flush()

    def evaluating(self, stage: str, share: float) -> None:
        """Write nothing."""

    def close(self) -> None:
        """Let go of the file."""
        if self.writer is not None:
            self.writer.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        for tag, value in scalars(record):
            self.writer.add_scalar(tag, value, record["epoch"])


def scalars(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a line of the log by name, `test/pearson_r` of an inner one."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{inner}", number) for inner, number in scalars(value))
        elif isinstance(value, int | float) and name != "epoch":
            yield name, float(value)


@contextmanager
def event_log(folder: RunFolder) -> Iterator[EventLog]:
    """Give an observer that writes events into a run's folder; closes it.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboard", "tb", "--tensorboard") from error
    log = EventLog(folder, SummaryWriter)
    try:
        yield log
    finally:
        log.close()
