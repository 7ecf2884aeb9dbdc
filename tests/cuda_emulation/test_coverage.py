"""The tests of this folder execute the kernels; conftest.py puts this file's tests last."""

import shutil

import pytest

from .build import HERE
from .coverage import coverage

pytestmark = pytest.mark.skipif(shutil.which("gcov") is None, reason="no gcov")


def test_lines_that_ran_are_told_from_others(planted, planted_library, tmp_path):
    lines = (HERE / "faulty.cu").read_text().splitlines()
    (fault,) = [i for i, text in enumerate(lines, 1) if text.endswith("// fault: null_pointer")]
    (never,) = [i for i, text in enumerate(lines, 1) if text.endswith("// never executed")]
    arrays = planted.guard(planted.empty(1, 64)), planted.empty(1, 64), planted.empty(1, 64)
    planted.call("faulty_run", "null_pointer", 0, arrays[0], 1, 64, *arrays[1:])
    found = coverage(planted_library, planted, tmp_path)["tests/cuda_emulation/faulty.cu"]
    assert fault in found.executed and never in found.missed
    assert 0 < found.share < 1


def test_kernels_are_executed(project_library, project_emulator, whole_folder_ran, tmp_path):
    found = coverage(project_library, project_emulator, tmp_path)
    assert {f"cuda/{path.name}" for path in project_library.kernels} <= set(found)
    low = {
        p: f"{c.share:.0%}, missed {sorted(c.missed)}" for p, c in found.items() if c.share < 0.95
    }
    assert not low
