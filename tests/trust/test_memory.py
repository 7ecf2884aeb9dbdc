"""Training holds no more memory the longer it goes on.

A thousand steps; `NGAE_STEPS=10000` takes as many as the documentation speaks of.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trust.steps import EVERY, growth

STEPS = int(os.environ.get("NGAE_STEPS", "1000"))


@pytest.mark.end_to_end
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_stays_the_same_from_a_tenth_of_the_steps_on():
    done = subprocess.run(
        [sys.executable, "-m", "tests.trust.steps", str(STEPS)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    resident = json.loads(done.stdout)
    assert len(resident) == STEPS // EVERY
    assert growth(resident, max(STEPS // 10, 3 * EVERY)) < 0.01
