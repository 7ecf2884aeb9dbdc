"""What is counted for an estimate is what is launched."""

import torch

from bench.gpu_estimate import backward_kernels, forward_kernels
from bench.graphs import graph_batch
from ngae.ops import _library, dag_gru_cuda

from .cases import parameters


def test_kernels_are_counted_as_launched(engine):
    batch = graph_batch("enas", 8).merge(1, True)[0]
    weights = parameters(5, True, types=8)
    graph = _library.graph_tensors(batch)
    engine.check(False)
    before = engine.launches
    _, saved = dag_gru_cuda.forward(*graph, *weights, None, False)
    forward = engine.launches - before
    dag_gru_cuda.backward(torch.ones(batch.num_nodes, 5), *graph, *weights, saved, False, False)
    backward = engine.launches - before - forward
    assert forward == len(list(forward_kernels(batch, 5)))
    assert backward == sum(kernel.level >= 0 for kernel in backward_kernels(batch, 5))
