"""Where an instruction of a library stands in its sources."""

import re
import shutil
import subprocess
from pathlib import Path

OWN = str(Path(__file__).parent / "include")


class Places:
    """Turns what the emulation writes ("file:line" or "+offset symbol") into names and lines.

    Offsets are looked up by addr2line; without it the offset and a symbol remain.
    """

    def __init__(self, library: Path) -> None:
        self._library = library
        self._known: dict[str, list[tuple[str, str]]] = {}

    def line(self, text: str) -> str:
        """ "file:line" of an access or call, "" for none."""
        if text == "-":
            return ""
        if not text.startswith("+"):
            return text.rsplit("/", 1)[-1]
        # The address is where the call returns to: one byte before it is within the call.
        frames = self._frames(int(text.split()[0], 16) - 1)
        outside = [place for _, place in frames if not place.startswith(OWN)]
        return outside[0].rsplit("/", 1)[-1] if outside else self._unknown(text)

    def function(self, text: str) -> str:
        """Name of the kernel that begins at an offset."""
        if text == "-":
            return "host"
        frames = self._frames(int(text.split()[0], 16))
        if not frames:
            return self._unknown(text)
        name = frames[-1][0]
        name = re.sub(r"\(anonymous namespace\)::|^void ", "", name)
        return re.split(r"[<(+]", name)[0].rsplit("::", 1)[-1]

    def _unknown(self, text: str) -> str:
        """What `addr2line -e` takes where it is there, and the nearest exported symbol."""
        offset, symbol = text.split()
        return f"{self._library.name}{offset} ({symbol})"

    def _frames(self, offset: int) -> list[tuple[str, str]]:
        """Function and "file:line", the innermost inlined call first."""
        tool = shutil.which("addr2line")
        if tool is None:
            return []
        key = hex(offset)
        if key not in self._known:
            command = [tool, "-f", "-C", "-i", "-e", str(self._library), key]
            lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
            frames = zip(lines[::2], lines[1::2], strict=False)
            self._known[key] = [(f, p.split(" (")[0]) for f, p in frames if not p.startswith("??")]
        return self._known[key]
