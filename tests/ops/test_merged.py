"""The merged forms of a batch: the same states and gradients through fewer nodes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from ngae.batch import GraphBatch
from ngae.ops import DagGruParameters, dag_gru, gather_rows

MakeBatch = Callable[..., GraphBatch]
MakeParameters = Callable[..., DagGruParameters]


def through_merged(batch: GraphBatch, parameters: DagGruParameters) -> Tensor:
    assert batch.merged is not None
    return gather_rows(dag_gru(batch.merged.batch, parameters), batch.merged.node_to_merged)


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.usefixtures("backend")
def test_the_same_states_and_gradients(
    index: bool, backward: bool, make_batch: MakeBatch, make_parameters: MakeParameters
) -> None:
    batch = make_batch(60, max_nodes=4).with_merged()
    batch = batch.reverse() if backward else batch
    parameters = make_parameters(6, index=index)
    weights = [weight for weight in parameters if weight is not None]
    dh = torch.linspace(-1, 1, batch.num_nodes * 6, dtype=torch.float64).view(-1, 6)
    results = []
    for op in (through_merged, dag_gru):
        h = op(batch, parameters)
        results.append([h, *torch.autograd.grad(h, weights, dh)])
    for found, expected in zip(*results, strict=True):
        assert_close(found, expected)
