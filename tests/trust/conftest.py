"""A disk that gets full or read-only: a real one where this user may mount it."""

import errno
import os
import subprocess
import tempfile

import pytest


class Mounted:
    """A file system of 256 kB."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(path)]
        self.works = subprocess.run(mounting, capture_output=True).returncode == 0

    def fill(self):
        with (self.path / "filler").open("wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def free(self):
        (self.path / "filler").unlink()

    def freeze(self):
        subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)

    def end(self):
        subprocess.run(["umount", "-l", str(self.path)], check=True)


class Pretended:
    """The same for users who may not mount: the system's answers are made up."""

    def __init__(self, path, monkeypatch):
        self.path = path
        self.patch = monkeypatch

    def _refuse(self, owner, name, number):
        def refuse(*arguments, **named):
            raise OSError(number, os.strerror(number))

        self.patch.setattr(owner, name, refuse)

    def fill(self):
        self._refuse(os, "fsync", errno.ENOSPC)

    def free(self):
        self.patch.undo()

    def freeze(self):
        self._refuse(tempfile, "mkstemp", errno.EROFS)

    def end(self):
        self.patch.undo()


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A small disk with `path`, `fill`, `free` and `freeze`."""
    disk = Mounted(tmp_path / "disk")
    if not disk.works:
        disk = Pretended(disk.path, monkeypatch)
    yield disk
    disk.end()
