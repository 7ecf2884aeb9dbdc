"""Decoding on a real device under rules of all kinds: the CPU's graphs."""

from __future__ import annotations

import pytest
import torch

from ngae.models import ModelConfig
from ngae.models.decoder import Decoder
from tests.random_rules import CASES, END, faults, random_rules

pytestmark = pytest.mark.gpu

SAMPLES = 1000


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_random_rules(cuda_device, case, stochastic):
    rules = random_rules(*case)
    torch.manual_seed(case[0])
    decoder = Decoder(rules, ModelConfig(hidden_dim=70, latent_dim=6, head_dim=40))
    with torch.no_grad():
        for name, weight in decoder.named_parameters():
            if name.startswith(("type_", "edge_")):
                weight.mul_(3)
        decoder.type_out.bias[END] -= 2
    z = 2 * torch.randn(SAMPLES, 6, generator=torch.Generator().manual_seed(1))
    expected = decoder.sample(z, seed=5, stochastic=stochastic)
    found = decoder.to(cuda_device).sample(z.to(cuda_device), seed=5, stochastic=stochastic)
    differ = torch.zeros(SAMPLES, dtype=torch.bool)
    for one, other in zip(found, expected, strict=True):
        differ |= (one.cpu() != other).reshape(SAMPLES, -1).any(dim=1)
    assert differ.float().mean() < 0.01  # those within rounding of a threshold
    graphs = zip(found.node_type.cpu().numpy(), found.adjacency.cpu().numpy(), strict=True)
    for types, edges in graphs:
        assert faults(rules, types, edges) == []
