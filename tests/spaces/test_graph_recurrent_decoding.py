"""What a decoder of random sharp weights writes is in the space, always."""

import csv
import gzip
import os
from pathlib import Path

import pytest
import torch

from ngae.models import ModelConfig
from ngae.models.decoder import Decoder
from ngae.models.ngae import decoded_dags
from ngae.spaces.nasbenchgraph import NasBenchGraphSpace
from ngae.spaces.recurrent import TYPES, RecurrentSpace

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
CORA = DATA / "nas-bench-graph" / "cora.csv.gz"
SPACES = {
    "graph": NasBenchGraphSpace(),
    "recurrent": RecurrentSpace(),
    "recurrent 4": RecurrentSpace(4),
    "recurrent 6": RecurrentSpace(6),
    "recurrent 40": RecurrentSpace(40),
}


def decoded(space, seed, *, sharp, stochastic, count=1000):
    torch.manual_seed(seed)
    decoder = Decoder(space.rules, ModelConfig(hidden_dim=12, latent_dim=6, head_dim=14))
    with torch.no_grad():
        for name, weight in decoder.named_parameters():
            if name.startswith(("type_", "edge_")):
                weight.mul_(sharp)
        if len(space.rules.type_allowed) > 10:
            decoder.type_out.bias[space.rules.end_type] -= 2
    z = torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) * 2
    return decoded_dags(decoder.sample(z, seed=seed, stochastic=stochastic), space)


@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_all_is_valid_and_has_a_text(space, stochastic):
    hashes = set()
    for seed in range(3):
        for dag in decoded(space, seed, sharp=4.0, stochastic=stochastic):
            assert space.is_valid(dag)
            if dag.canonical_hash not in hashes:
                hashes.add(dag.canonical_hash)
                again = space.parse(space.format(dag))
                assert again.canonical_hash == dag.canonical_hash
    assert len(hashes) > (3 if space.max_nodes < 5 or not stochastic else 50), len(hashes)


def test_decoded_cells_use_all_that_there_is():
    space = SPACES["recurrent"]
    seen = set()
    for seed in range(4):
        for dag in decoded(space, seed, sharp=2.0, stochastic=True, count=400):
            seen |= set(dag.node_types)
    assert seen == set(range(len(TYPES)))


@pytest.mark.skipif(not CORA.exists(), reason="the NAS-Bench-Graph tables are not here")
def test_every_decoded_graph_network_has_its_row():
    space = SPACES["graph"]
    with gzip.open(CORA, "rt") as file:
        texts = [f"{row['links']};{row['ops']}" for row in csv.DictReader(file)]
    known = set(space.parse_many(texts).hashes())
    alone = space.parse("0-1-2-3;skip-skip-skip-skip").canonical_hash
    dags = [
        dag
        for seed in range(3)
        for dag in decoded(space, seed, sharp=1.0, stochastic=True, count=700)
    ]
    found = [space.canonical(dag).canonical_hash for dag in dags]
    assert set(found) <= known | {alone}
    assert len(set(found)) > 500
