"""Whatever a decoder writes under the rules of NAS-Bench-101 and 201 is in the space."""

import numpy as np
import pytest
import torch

from ngae.dags import Dags
from ngae.models import ModelConfig
from ngae.models.decoder import Decoder
from ngae.spaces.nasbench101 import NasBench101Space
from ngae.spaces.nasbench201 import NasBench201Space

LATENT = 6


def decoded(space, seed, *, stochastic, sharp, count=3000):
    torch.manual_seed(seed)
    config = ModelConfig(hidden_dim=12, latent_dim=LATENT, head_dim=14)
    decoder = Decoder(space.rules, config)
    with torch.no_grad():
        for name, weight in decoder.named_parameters():
            if name.startswith(("type_", "edge_")):
                weight.mul_(sharp)
        decoder.type_out.bias[space.rules.end_type] -= 2
    z = torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed)) * 2
    found = decoder.sample(z, seed=seed, stochastic=stochastic)
    return Dags.from_padded(found.node_type.numpy(), found.adjacency.numpy())


@pytest.mark.parametrize("sharp", [1.0, 6.0])
@pytest.mark.parametrize("stochastic", [True, False])
def test_every_decoded_cell_of_nas_bench_101_is_valid(stochastic, sharp):
    space = NasBench101Space()
    sizes, edges = set(), set()
    for seed in range(3):
        dags = decoded(space, seed, stochastic=stochastic, sharp=sharp)
        assert sum(map(space.is_valid, dags)) == 3000
        sizes |= set(np.diff(dags.graph_ptr).tolist())
        edges |= set(np.diff(dags.edge_ptr).tolist())
    assert max(edges) == 9
    assert max(sizes) == 7
    if stochastic:
        assert sizes == set(range(2, 8))
        assert edges == set(range(1, 10))


@pytest.mark.parametrize("sharp", [1.0, 6.0])
@pytest.mark.parametrize("stochastic", [True, False])
def test_every_decoded_cell_of_nas_bench_201_is_valid(stochastic, sharp):
    space = NasBench201Space()
    seen = set()
    for seed in range(3):
        dags = decoded(space, seed, stochastic=stochastic, sharp=sharp)
        assert sum(map(space.is_valid, dags)) == 3000
        seen |= set(dags.hashes())
    assert len(seen) > 100
