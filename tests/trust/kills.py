"""Calls that write to the disk, counted, and a SIGKILL at one of them.

A kill in the middle of a call leaves half of what the call was to write, as a machine that loses
its power does.
"""

import io
import mmap
import os
import signal
import struct

_CALLS = ("write", "fsync", "replace", "unlink", "mkdir", "ftruncate", "chmod", "open")


class Counter:
    """A number that parent and child share, whatever ends the child."""

    def __init__(self):
        self._memory = mmap.mmap(-1, 8)

    def __int__(self):
        return struct.unpack("q", self._memory[:8])[0]

    def set(self, value):
        self._memory[:8] = struct.pack("q", value)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def _writes(name, arguments):
    """Whether a call may change the disk."""
    if name == "open":
        return bool(arguments[1] & (os.O_CREAT | os.O_TRUNC))
    if name == "io.open":
        return any(letter in (arguments[1] if len(arguments) > 1 else "r") for letter in "wax+")
    return True


def _do_half(name, call, arguments):
    """Write a half: of the bytes, of an unfinished file, of the last line of one that grows."""
    if name == "write":
        call(arguments[0], arguments[1][: len(arguments[1]) // 2])
    elif name == "fsync":
        path = os.readlink(f"/proc/self/fd/{arguments[0]}")
        if os.path.isdir(path):
            return
        with open(path, "rb") as file:
            content = file.read()
        begin = content.rfind(b"\n", 0, -1) + 1 if path.endswith(".jsonl") else 0
        os.truncate(path, begin + (len(content) - begin) // 2)


def arm(counter, kill_at, where):
    """Count the calls of this process from here on, and kill it at the one that is named.

    Args:
        counter: Gets the number of the newest call, from 1.
        kill_at: The call, or 0 for none.
        where: before, half or after.
    """
    counter.set(0)

    def counted(name, call):
        def counting(*arguments, **named):
            if not _writes(name, arguments):
                return call(*arguments, **named)
            number = int(counter) + 1
            counter.set(number)
            if number == kill_at and where == "before":
                die()
            if number == kill_at and where == "half":
                _do_half(name, call, arguments)
                die()
            result = call(*arguments, **named)
            if number == kill_at:
                die()
            return result

        return counting

    for name in _CALLS:
        setattr(os, name, counted(name, getattr(os, name)))
    io.open = counted("io.open", io.open)
