"""Networks of other sizes than their space's own."""

import numpy as np
import pytest
import torch

from ngae.errors import UsageError
from ngae.spaces import space_named

SIZES = {
    "enas6": ({"num_classes": 7, "channels": 4}, (2, 1, 8, 8)),
    "nas-bench-101": ({"num_classes": 7, "stem_channels": 8, "cells_per_stack": 1}, (2, 3, 32, 32)),
    "nas-bench-201": ({"num_classes": 7, "channels": 4, "cells": 1}, (2, 3, 32, 32)),
}


@pytest.mark.parametrize("name", SIZES)
def test_networks_take_other_sizes(name):
    sizes, shape = SIZES[name]
    space = space_named(name)
    dag = space.sample(np.random.default_rng(0))
    network = dag.to_torch(**sizes)
    assert network(torch.zeros(shape)).shape == (2, 7)
    resized = space.resized(**sizes)
    params = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert resized.complexity([dag])[0, 0] == params
    assert space.complexity([dag])[0, 0] != params
    assert dag.space is space


@pytest.mark.parametrize("name", [*SIZES, "nas-bench-graph", "recurrent"])
def test_unknown_sizes_are_named(name):
    space = space_named(name)
    dag = space.sample(np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"expected one of the sizes .*num_|hidden_dim"):
        dag.to_torch(depth=3)
