"""What downloads show: sizes; a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from ngae import console

STEP = 64 << 20  # bytes between two lines, where the length is not known


def size_text(count: int) -> str:
    """Write a number of bytes for reading, in two or three digits: 499 MB, 1.7 MB, 246 kB."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            value = count / unit
            return f"{value:.1f} {name}" if value < 9.95 else f"{value:.0f} {name}"
    return f"{count} B"


class Bar:
    """Shows how far one file is, on stderr.

    Args:
        name: What is fetched.
        unit: What is counted: bytes, B, or something else.
    """

    def __init__(self, name: str, unit: str = "B") -> None:
        self.name = name
        self.unit = unit
        self.bar: Any = None
        self.shown = -1

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def moved(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` bytes are here."""
        if sys.stderr.isatty():
            self._move_bar(done, total)
            return
        step = done * 10 // total if total else done // STEP
        if step > self.shown:
            self.shown = step
            end = f" of {self._shown(total)}" if total else ""
            console.say(f"{self.name}: {self._shown(done)}{end}{self._unit}")

    def say(self, text: str) -> None:
        """Print a message beside the bar."""
        if self.bar is not None:
            self.bar.clear()
        console.say(text)

    def _shown(self, count: int) -> str:
        return f"{count / 1e6:.1f}" if self.unit == "B" else f"{count:,}"

    @property
    def _unit(self) -> str:
        return " MB" if self.unit == "B" else f" {self.unit}"

    def _move_bar(self, done: int, total: int | None) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(
                total=total, desc=self.name, unit=self.unit, unit_scale=True, dynamic_ncols=True
            )
        self.bar.total = total
        self.bar.update(done - self.bar.n)
