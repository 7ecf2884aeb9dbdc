"""`decode` under rules of all kinds: by hand; random ones against reference and a slow check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ngae.models import ModelConfig
from ngae.models.decoder import Decoder
from ngae.ops import Decoded, decode, reference_decode
from ngae.rules import DecodeRules
from tests.random_rules import CASES, END, START, TYPES, faults, random_rules

LATENT = 6


def make_decoder(rules: DecodeRules, seed: int) -> Decoder:
    """Random weights whose types and edges are far from even odds."""
    torch.manual_seed(seed)
    decoder = Decoder(rules, ModelConfig(hidden_dim=12, latent_dim=LATENT, head_dim=14)).double()
    with torch.no_grad():
        for name, weight in decoder.named_parameters():
            if name.startswith(("type_", "edge_")):
                weight.mul_(3)
        decoder.type_out.bias[END] -= 2
    return decoder


def sample(
    decoder: Decoder, count: int, *, stochastic: bool, dtype: torch.dtype, reference: bool = False
) -> Decoded:
    generator = torch.Generator().manual_seed(1)
    z = 2 * torch.randn(count, LATENT, generator=generator, dtype=torch.float64)
    decoder = decoder.to(dtype)
    op = reference_decode.decode if reference else decode
    with torch.no_grad():
        initial = decoder._initial(z.to(dtype))
        return op(
            z.to(dtype), initial, decoder._weights(), decoder.rules, seed=5, stochastic=stochastic
        )


# Of the graphs here none stands within rounding of a threshold.
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_reference(
    case: tuple[int, int, int | None], stochastic: bool, dtype: torch.dtype
) -> None:
    decoder = make_decoder(random_rules(*case), case[0])
    found, expected = (
        sample(decoder, 150, stochastic=stochastic, dtype=dtype, reference=reference)
        for reference in (False, True)
    )
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("stochastic", [False, True])
def test_every_graph_keeps_the_rules(case: tuple[int, int, int | None], stochastic: bool) -> None:
    rules = random_rules(*case)
    found = sample(make_decoder(rules, case[0]), 1000, stochastic=stochastic, dtype=torch.float32)
    for types, edges in zip(found.node_type.numpy(), found.adjacency.numpy(), strict=True):
        assert faults(rules, types, edges) == []


def open_rules(**changes: object) -> DecodeRules:
    """Five nodes; types 2, 3, 4 at every place between; all edges free."""
    allowed = np.zeros((5, TYPES), dtype=bool)
    allowed[0, START] = True
    allowed[1:, END] = True
    allowed[1:-1, 2:] = True
    rules = DecodeRules(
        START, END, allowed, np.triu(np.ones((5, 5), dtype=np.uint8), 1), degrees(0, 1, 1, 1, 1),
        degrees(9, 9, 9, 9, 9), "forced",
    )  # fmt: skip
    return replace(rules, **changes)


def degrees(*each: int) -> np.ndarray:
    return np.array(each, dtype=np.int32)


def flags(*each: int) -> np.ndarray:
    return np.array(each, dtype=bool)


NOT_TWICE = ~np.diag([False, False, True, True, False])

BY_HAND = {  # changes of the rules, whether edges are likely, types, sources of each node
    "no edges": ({"min_in_degree": degrees(0, 0, 0, 0, 0)}, False, [2, 2, 2, END],
                 [[], [], [], [0, 1, 2, 3]]),
    "all edges": ({}, True, [2, 2, 2, END], [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]),
    "loose ends stay": ({"min_in_degree": degrees(0, 0, 0, 0, 0),
                         "max_in_degree": degrees(9, 0, 9, 9, 9)}, False, [2, 2, 2, END],
                        [[], [], [], [0, 1, 2, 3]]),
    "others go": ({"max_in_degree": degrees(9, 2, 9, 9, 9)}, True, [2, 2, 2, END],
                  [[0], [0, 1], [0, 1, 2], [2, 3]]),
    "only": ({"loose_ends": "only"}, True, [2, 2, 2, END], [[0], [0, 1], [0, 1, 2], [3]]),
    "inputs that need not feed": (
        {"loose_ends": "only", "must_feed": flags(1, 1, 0, 1, 1),
         "min_in_degree": degrees(0, 1, 0, 1, 1), "max_in_degree": degrees(0, 9, 0, 9, 9)},
        True, [2, 2, 2, END], [[], [], [], [0]]),
    "forced, need not feed": (
        {"must_feed": flags(0, 1, 0, 1, 1), "min_in_degree": degrees(0, 0, 0, 0, 0)},
        False, [2, 2, 2, END], [[], [], [], []]),
    "follows": ({"type_follows": NOT_TWICE}, True, [2, 4, 2, END],
                [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]),
    "three edges": ({"max_edges": 3}, True, [2, 2, END], [[0], [1], [2]]),
    "four edges": ({"max_edges": 4}, True, [2, 2, END], [[0], [0, 1], [2]]),
    "five edges": ({"max_edges": 5}, True, [2, 2, 2, END], [[0], [0, 1], [2], [3]]),
    "six edges": ({"max_edges": 6}, True, [2, 2, 2, END], [[0], [0, 1], [1, 2], [3]]),
    "one edge": ({"max_edges": 1}, True, [END], [[0]]),
    "fed by none": (
        {"max_edges": 3, "min_in_degree": degrees(0, 1, 0, 1, 1),
         "max_in_degree": degrees(9, 9, 0, 9, 9)}, True, [2, 2, END], [[], [], [0, 1, 2]]),
}  # fmt: skip


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, stochastic: bool) -> None:
    """All edges as likely as each other, types 2, 4, 3 in falling order."""
    changes, likely, types, sources = BY_HAND[name]
    rules = open_rules(**changes)
    decoder = make_decoder(rules, 0).float()
    with torch.no_grad():
        decoder.type_out.weight.zero_()
        decoder.type_out.bias.copy_(torch.tensor([0.0, 0.0, 600.0, 200.0, 400.0]))
        decoder.edge_out.weight.zero_()
        decoder.edge_out.bias.fill_(200.0 if likely else -200.0)
    found = sample(decoder, 2, stochastic=stochastic, dtype=torch.float32)
    nodes = len(types) + 1
    assert found.num_nodes.tolist() == [nodes] * 2
    assert found.node_type[0, 1:nodes].tolist() == types
    fed_by = [found.adjacency[0, :, v].nonzero().flatten().tolist() for v in range(1, nodes)]
    assert fed_by == sources


def test_arrays_of_none_are_all_true() -> None:
    rules = open_rules(must_feed=None, type_follows=None)
    assert rules.must_feed.tolist() == [True] * TYPES
    assert rules.type_follows.all() and rules.type_follows.shape == (TYPES, TYPES)
