"""The native ops in a forked child: one thread must not enter OpenMP."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os
import numpy as np
import torch
from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.ops import DagGruParameters, DecoderParameters, PredictorParameters
from ngae.ops import adam_step, ascend, dag_gru, decode, gather_rows, grouped_linear, linear
from ngae.ops import pair_scores
from ngae.rules import DecodeRules
from ngae.threads import small_torch

def weights(*shapes):
    return [torch.ones(shape) / 64 for shape in shapes]

gru = DagGruParameters(*weights((192, 2), 192, (192, 64), 192, (64, 64), 64, (64, 64)))
type_head = weights((64, 64), (3, 64, 8), (3, 64), (2, 64), 2)
edge_head = weights((64, 64), (64, 64), (3, 64, 8), (3, 64), (3, 64, 8), (3, 64), 64, 1)
decoder = DecoderParameters(gru, *type_head, *edge_head)
batch = GraphBatch.pack([Dag((0, 0), ((0, 1),))] * 400)
initial = torch.zeros(400, 64, requires_grad=True)
z = torch.zeros(300, 8)
allowed = np.array([[True, False], [True, True], [False, True]])
edges = np.triu(np.ones((3, 3), np.uint8), 1)
degrees = np.zeros(2, np.int32), np.full(2, 3, np.int32)
rules = DecodeRules(0, 1, allowed, edges, *degrees, "free")

predictor = PredictorParameters(*weights((64, 8), 64, (64, 64), 64, (1, 64), 1, 1))
rows = torch.arange(400)

def compute():
    h = dag_gru(batch, gru, initial)
    (gradient,) = torch.autograd.grad(h.sum(), initial)
    graphs = decode(z, initial[:300].detach(), decoder, rules, seed=0)
    y = linear(gather_rows(h, rows), gru.w_gate)
    (dy,) = torch.autograd.grad(pair_scores(y, y, gru.b_gate, rows, rows).sum(), h)
    points = ascend(z, [predictor], step_size=0.1, keep=[20])
    weight = torch.ones(500_000)
    adam_step([weight], [weight / 2], [weight * 0], [weight * 0], step=1, lr=0.1, clip=1.0)
    layers = grouped_linear(y, gru.w_hh.view(3, 64, 64), gru.b_hh.view(3, 64))
    return [h, gradient, *graphs, dy, points, weight, layers]

torch.set_num_threads(2)
expected = compute()
def forked():
    child = os.fork()
    if child == 0:
        torch.set_num_threads(1)
        same = all(torch.equal(a, b) for a, b in zip(compute(), expected, strict=True))
        os._exit(0 if same else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print(forked())
with small_torch():
    print(forked())
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
    assert result.stdout.split() == ["0", "0"]
