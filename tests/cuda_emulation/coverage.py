"""Which lines of the kernels the emulation has executed, by GCC's own counters."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .build import ROOT, Library
from .emulator import Emulator


@dataclass(frozen=True)
class Coverage:
    """Lines of one file that hold code: executed at least once, and never."""

    executed: frozenset[int]
    missed: frozenset[int]

    @property
    def share(self) -> float:
        """Executed lines over all lines, from 0 to 1."""
        return len(self.executed) / max(1, len(self.executed) + len(self.missed))


def coverage(library: Library, emulator: Emulator, folder: Path) -> dict[str, Coverage]:
    """What was executed since the library was loaded, or since the last call.

    Args:
        library: what `emulator` runs.
        emulator: in this process.
        folder: an empty one, for the counters.

    Returns:
        By path from the root of the project: every .cu file of the library, and each header in
        cuda/ that one of them executes code of. A line counts as executed where it was in any
        file that includes it and for any template arguments.
    """
    os.environ["GCOV_PREFIX"] = str(folder)
    emulator.write_coverage()
    del os.environ["GCOV_PREFIX"]
    counts: dict[str, dict[int, int]] = {}
    for item in library.kernels.values():
        _add_counts(_gcov(item, folder), counts)
    return {
        path: Coverage(
            frozenset(line for line, count in lines.items() if count),
            frozenset(line for line, count in lines.items() if not count),
        )
        for path, lines in counts.items()
    }


def _gcov(item: Path, folder: Path) -> list[dict]:
    """gcov's report on one object; the compiler's notes must lie beside the counters."""
    counters = folder / item.relative_to("/").with_suffix(".gcda")
    if not counters.exists():
        raise RuntimeError(f"coverage: no counters at {counters}")
    shutil.copy(item.with_suffix(".gcno"), counters.parent)
    command = ["gcov", "--json-format", "--stdout", str(counters)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout)["files"]


def _add_counts(files: list[dict], counts: dict[str, dict[int, int]]) -> None:
    for file in files:
        path = Path(file["file"])
        if path.suffix not in (".cu", ".cuh") or not path.is_relative_to(ROOT):
            continue
        lines = counts.setdefault(str(path.relative_to(ROOT)), {})
        for line in file["lines"]:
            number = line["line_number"]
            lines[number] = max(lines.get(number, 0), line["count"])
