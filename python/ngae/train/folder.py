"""The run folder: who may write to it, and what lies where."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngae.errors import RefusedError, WriteError
from ngae.files import (
    append_line,
    check_form,
    finite,
    naming,
    parse_json,
    remove_parts_of,
    with_version,
    write_json,
    write_text,
)
from ngae.settings import as_written
from ngae.train.config import RunConfig
from ngae.train.interrupt import Interrupted


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run.

    Attributes:
        path: The folder.
    """

    path: Path

    @classmethod
    def named(cls, config: RunConfig, parent: Path = Path("runs")) -> RunFolder:
        """Return the default folder: `runs/<data>-<model>-s<seed>`."""
        data = Path(config.data.data).name.removesuffix(".gz").rsplit(".", 1)[0]
        return cls(parent / f"{data}-{config.train.name}-s{config.train.seed}")

    @property
    def config(self) -> Path:
        """The settings, `config.json`."""
        return self.path / "config.json"

    @property
    def log(self) -> Path:
        """One JSON object an epoch, `log.jsonl`."""
        return self.path / "log.jsonl"

    @property
    def metrics(self) -> Path:
        """The evaluation, `metrics.json`."""
        return self.path / "metrics.json"

    @property
    def last(self) -> Path:
        """The newest checkpoint, with the optimiser's state."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def best(self) -> Path:
        """The weights of the epoch with the lowest training objective."""
        return self.path / "checkpoints" / "best.safetensors"

    @property
    def failure(self) -> Path:
        """Why the last training here failed, `error.json`; none where it did not."""
        return self.path / "error.json"

    def read_config(self) -> RunConfig:
        """Read the settings of the run in this folder.

        Raises:
            RefusedError: There is none, it is not ngae's, or of a later form.
        """
        try:
            sections = parse_json(self.config.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RefusedError(
                f"{self.path}: expected a run folder, found no config.json",
                remedy="python -m ngae.train makes one",
            ) from error
        except (OSError, ValueError) as error:
            raise RefusedError(f"{self.config}: expected settings in JSON: {error}") from error
        if not isinstance(sections, dict):
            raise RefusedError(
                f"{self.config}: expected settings in JSON, found {type(sections).__name__}"
            )
        check_form(sections, self.config)
        return RunConfig.from_sections(as_written(sections), str(self.config))

    def read_trusted_config(self, space: str = "") -> RunConfig:
        """Read the settings to load the run by; its space may be code only if the caller names it.

        Args:
            space: The run's space, where the caller names it, such as `file.py:Name`.

        Raises:
            RefusedError: As `read_config`, or as `DataConfig.trusted`.
        """
        config = self.read_config()
        data = config.data.trusted(space, str(self.config))
        return dataclasses.replace(config, data=data)

    @contextmanager
    def claimed(self, config: RunConfig, *, resume: bool, overwrite: bool) -> Iterator[None]:
        """Hold the folder for one process, with `config` saved in it, its paths absolute.

        Raises:
            RefusedError: Another process holds it, or it holds a run that was neither to be
                resumed nor overwritten, or one with other settings.
            WriteError: The folder cannot be written to.
        """
        config = config.located()
        with naming(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        with held(self.path):
            self._remove_parts()
            if self.config.exists() and not overwrite:
                self._check_resumable(config, resume)
            elif overwrite:
                self._clear()
            elif self._foreign():
                raise RefusedError(
                    f"{self.path}: expected an empty folder or a run, found other files",
                    remedy="choose another folder with --out",
                )
            write_json(self.config, with_version(config.as_dict()))
            self.failure.unlink(missing_ok=True)
            yield

    def check_there(self) -> None:
        """Require that the folder is still the one that was claimed.

        Raises:
            WriteError: It was removed or replaced since then; writing would mix up two runs.
        """
        handle = _HELD.get(self.path.absolute())
        if handle is not None and not _is_same(handle, self.path / LOCK):
            raise WriteError(
                f"{self.path}: expected the folder of this run, found that it was removed or "
                "replaced while the run went on",
                remedy="start the run again",
            )

    @contextmanager
    def telling_failure(self) -> Iterator[None]:
        """Leave `error.json` where the block fails; an interruption or a refusal is no failure."""
        try:
            yield
        except (Interrupted, RefusedError):
            raise
        except Exception as error:
            with suppress(OSError):  # a full disk or a removed folder may be why
                self.check_there()
                write_json(self.failure, {"kind": type(error).__name__, "error": str(error)})
            raise

    def _check_resumable(self, config: RunConfig, resume: bool) -> None:
        if not resume:
            raise RefusedError(
                f"{self.path}: expected a free folder, found a run",
                remedy="pass --resume to go on with it, --overwrite to replace it, or --out",
            )
        saved = self.read_config().located()
        train = dataclasses.replace(saved.train, device=config.train.device)  # may be another
        differences = dataclasses.replace(saved, train=train).differences(config)
        if differences:
            raise RefusedError(
                f"{self.path}: expected the settings of the run to resume, found other ones: "
                + "; ".join(differences),
                remedy="resume with the same settings (--config of that folder), or pass --out",
            )

    def _foreign(self) -> bool:
        return any(entry.name != LOCK for entry in self.path.iterdir())

    def _clear(self) -> None:
        """Remove the run, its settings last: what a kill leaves of it is still a run."""
        for name in _OWN_FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        with naming(self.path):
            for name in _OWN_FILES:
                (self.path / name).unlink(missing_ok=True)

    def _remove_parts(self) -> None:
        """Remove halves of files that a kill left."""
        own = [self.path / name for name in (*_WRITTEN, "config.json")]
        with naming(self.path):
            for path in (*own, self.last, self.best):
                remove_parts_of(path)


LOCK = ".lock"  # held while a process trains here
_WRITTEN = ("metrics.json", "latents.npz", "log.jsonl", "env.json", "data.json", "error.json")
_OWN_FILES = (*_WRITTEN, "report.npz", "report.html", "config.json")
_OWN_FOLDERS = ("checkpoints", "search", "figures", "tensorboard")
_HELD: dict[Path, int] = {}  # handles of the locks that this process holds, by folder


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder by a lock that the system frees when the process ends, however it ends.

    Raises:
        RefusedError: Another process holds it.
        WriteError: The folder cannot be written to.
    """
    import fcntl

    with naming(folder / LOCK):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RefusedError(
                f"{folder}: expected a folder of ours alone, found another process writing to it",
                remedy="wait for it, or choose another folder with --out",
            ) from error
        _HELD[folder.absolute()] = handle
        try:
            yield
        finally:
            del _HELD[folder.absolute()]
    finally:
        os.close(handle)


def _is_same(handle: int, path: Path) -> bool:
    """Whether an open file still stands at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def append_log(path: Path, record: dict[str, Any]) -> None:
    """Add one line of JSON."""
    append_line(path, json.dumps(finite(record)))


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the log; what stands after a line that was cut off by a crash is left out."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = parse_json(line)
        except ValueError:
            break
        if not isinstance(record, dict) or type(record.get("epoch")) is not int:
            break
        records.append(record)
    return records


def cut_log(path: Path, epochs: int) -> None:
    """Keep the lines of the first `epochs` epochs; later ones are trained again."""
    kept = [record for record in read_log(path) if record["epoch"] <= epochs]
    if path.exists():
        write_text(path, "".join(json.dumps(record) + "\n" for record in kept))
