"""The native ops in a forked child: one thread must not enter OpenMP."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os
import torch
from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.ops import DagGruParameters, dag_gru

hidden = 64
shapes = [(192, 1), (192,), (192, 64), (192,), (64, 64), (64,), (64, 64)]
parameters = DagGruParameters(*(torch.ones(shape) / 64 for shape in shapes))
batch = GraphBatch.pack([Dag((0, 0), ((0, 1),))] * 400)
torch.set_num_threads(2)
expected = dag_gru(batch, parameters)
child = os.fork()
if child == 0:
    torch.set_num_threads(1)
    os._exit(0 if torch.equal(dag_gru(batch, parameters), expected) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.end_to_end
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_computes_with_one_thread() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "NGAE_OPS": "cpp"},
    )
    assert result.stdout.strip() == "0"
