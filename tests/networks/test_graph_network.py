import sys

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from ngae.errors import GraphError, MissingExtraError, UsageError
from ngae.networks import graph_layers
from ngae.networks.graph_config import OPERATIONS, GraphConfig, graph_parameters
from ngae.networks.graph_network import GraphNetwork

CONFIG = GraphConfig(num_features=5, num_classes=3, hidden_dim=8, heads=2, dropout=0.0)
# Undirected edges 0-1, 0-2, 1-2, 2-3, a loop at 3, and node 4 alone.
EDGES = torch.tensor([[0, 1, 0, 2, 1, 2, 2, 3, 3], [1, 0, 2, 0, 2, 1, 3, 2, 3]])
DENSE = torch.zeros(5, 5, dtype=torch.float64).index_put(
    (EDGES[1], EDGES[0]), torch.ones((), dtype=torch.float64)
)
NUMBERS = {name: number for number, name in enumerate(OPERATIONS)}


def numbers(text):
    return tuple(NUMBERS[name] for name in text.split("-"))


def features(seed=0, width=5):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, width, generator=generator, dtype=torch.float64)


def scaled(adjacency):
    degree = adjacency.sum(dim=1)
    root = torch.where(degree > 0, degree, torch.inf).rsqrt()
    return root[:, None] * adjacency * root


def expected(name, layer, x):
    weight = dict(layer.named_parameters())
    plain = DENSE * (1 - torch.eye(5, dtype=torch.float64))
    loops = plain + torch.eye(5, dtype=torch.float64)

    def near(matrix):
        return matrix @ x @ weight["near.weight"].T

    if name == "gcn":
        return scaled(loops) @ x @ weight["map.weight"].T + weight["bias"]
    if name in ("gin", "fc"):
        near_too = DENSE @ x if name == "gin" else 0
        return (x + near_too) @ weight["map.weight"].T + weight["map.bias"]
    own = x @ weight["own.weight"].T
    if name == "cheb":
        return own - near(scaled(plain)) + weight["bias"]
    if name == "sage":
        mean = DENSE / DENSE.sum(dim=1, keepdim=True).clamp(min=1)
        return own + near(mean) + weight["near.bias"]
    if name == "graph":
        return own + near(DENSE) + weight["near.bias"]
    return torch.relu(own + near(scaled(DENSE)) + weight["bias"])


@pytest.mark.parametrize("name", ["gcn", "gin", "cheb", "sage", "arma", "graph", "fc"])
def test_convolutions_follow_their_formulas_on_a_dense_matrix(name):
    torch.manual_seed(0)
    network = GraphNetwork((0, 1, 2, 3), numbers(f"{name}-skip-skip-skip"), CONFIG)
    layer = network.double().layers[0]
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    assert_close(layer(features(), EDGES), expected(name, layer, features()))


def test_attention_is_a_softmax_over_the_neighbours_and_oneself():
    torch.manual_seed(0)
    layer = graph_layers.GatConv(5, 8, 2).double()
    x = features()
    mapped = (x @ layer.map.weight.T).view(5, 2, 4)
    rows = []
    for node in range(5):
        near = sorted({*EDGES[0][EDGES[1] == node].tolist(), node})
        score = (mapped[near] * layer.source).sum(2) + (mapped[node] * layer.target).sum(1)
        weight = functional.leaky_relu(score, 0.2).softmax(dim=0)
        rows.append((weight[..., None] * mapped[near]).sum(0).flatten())
    assert_close(layer(x, EDGES), torch.stack(rows) + layer.bias)


def test_forward_follows_the_skeleton():
    torch.manual_seed(0)
    network = GraphNetwork((0, 1, 1, 0), numbers("skip-gcn-fc-gin"), CONFIG).double().train()
    x = features()

    def normed(h, place):
        return torch.relu(functional.batch_norm(h, None, None, training=True))

    h2 = network.layers[1](x, EDGES)
    h3 = network.layers[2](x, EDGES)
    h4 = network.layers[3](x, EDGES)
    joined = torch.relu(torch.cat([h2, h3, h4], dim=1))
    assert_close(network(x, EDGES), network.post(network.join(joined)))
    deep = GraphNetwork((0, 1, 2, 2), numbers("gcn-fc-skip-gin"), CONFIG).double().train()
    h1 = deep.layers[0](x, EDGES)
    h2 = deep.layers[1](normed(h1, 1), EDGES)
    joined = torch.cat([normed(h2, 2), deep.layers[3](normed(h2, 3), EDGES)], dim=1)
    assert_close(deep(x, EDGES), deep.post(deep.join(torch.relu(joined))))


def test_skips_of_the_input_are_not_joined_unless_alone():
    assert GraphNetwork((0, 0, 0, 1), numbers("skip-gcn-fc-gin"), CONFIG).joined == (2, 3, 4)
    assert GraphNetwork((0, 1, 0, 0), numbers("skip-skip-fc-gin"), CONFIG).joined == (3, 4)
    alone = GraphNetwork((0, 0, 0, 0), numbers("skip-skip-skip-skip"), CONFIG)
    assert alone.joined == (0,)
    assert alone(features().float(), EDGES).shape == (5, 3)


@pytest.mark.parametrize("pre", [0, 1])
@pytest.mark.parametrize("post", [0, 1])
def test_counts_are_those_of_the_built_networks(pre, post):
    config = GraphConfig(7, 3, 8, pre, post, heads=2)
    rng = np.random.default_rng(0)
    links = np.stack([rng.integers(k + 1, size=60) for k in range(4)], axis=1)
    operations = rng.integers(len(OPERATIONS), size=(60, 4))
    operations[:20, 0] = operations[:20, 1] = NUMBERS["skip"]
    operations[0] = NUMBERS["skip"]
    with torch.device("meta"):
        built = [
            sum(p.numel() for p in GraphNetwork(tuple(li), tuple(op), config).parameters())
            for li, op in zip(links.tolist(), operations.tolist(), strict=True)
        ]
    assert graph_parameters(links, operations, config).tolist() == built


@pytest.mark.parametrize(
    ("links", "operations", "message"),
    [
        ((0, 0, 1), (0, 0, 0, 0), "links: expected 4, found 3"),
        ((0, 2, 1, 0), (0, 0, 0, 0), "operation 1: expected an input from 0 to 1, found 2"),
        ((0, 1, 1, 0), (0, 0, 9, 0), "operation 2: expected a number from 0 to 8, found 9"),
    ],
)
def test_lists_that_are_no_architecture_are_named(links, operations, message):
    with pytest.raises(GraphError, match=message):
        GraphNetwork(links, operations, CONFIG)


def test_settings_are_checked():
    with pytest.raises(UsageError, match="hidden_dim: expected a multiple of 4 heads, found 6"):
        GraphConfig(hidden_dim=6)
    with pytest.raises(UsageError, match="pre_layers: expected an integer from 0 to 1, found 2"):
        GraphConfig(pre_layers=2)
    with pytest.raises(UsageError, match="dropout: expected 0 <= p < 1, found 1"):
        GraphConfig(dropout=1.0)
    for dropout in ("0.5", False, None, float("nan")):
        with pytest.raises(UsageError, match=f"expected 0 <= p < 1, found {dropout!r}"):
            GraphConfig(dropout=dropout)
    assert GraphConfig(dropout=0).dropout == 0
    with pytest.raises(UsageError, match=r"expected one of cora, .*, found 'reddit'"):
        GraphConfig.of("reddit")
    with pytest.raises(UsageError, match="backend: expected one of torch, torch_geometric"):
        GraphNetwork((0, 0, 0, 0), (0, 0, 0, 0), CONFIG, "dgl")


def test_a_missing_package_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(MissingExtraError, match="needs the package torch_geometric") as caught:
        GraphNetwork((0, 0, 0, 0), (0, 0, 0, 0), CONFIG, "torch_geometric")
    assert caught.value.remedy == "pip install 'ngae[graph]'"


# Names of our parameters and of torch-geometric's; those of arma are transposed and stacked there.
SAME = {
    "gat": {"map.weight": "lin.weight", "source": "att_src", "target": "att_dst", "bias": "bias"},
    "gcn": {"map.weight": "lin.weight", "bias": "bias"},
    "gin": {"map.weight": "nn.weight", "map.bias": "nn.bias"},
    "cheb": {"own.weight": "lins.0.weight", "near.weight": "lins.1.weight", "bias": "bias"},
    "sage": {
        "near.weight": "lin_l.weight",
        "near.bias": "lin_l.bias",
        "own.weight": "lin_r.weight",
    },
    "arma": {
        "near.weight": "init_weight",
        "own.weight": "root_weight",
        "later.weight": "weight",
        "bias": "bias",
    },
    "graph": {
        "near.weight": "lin_rel.weight",
        "near.bias": "lin_rel.bias",
        "own.weight": "lin_root.weight",
    },
}


@pytest.mark.parametrize("name", SAME)
def test_layers_of_the_package_compute_the_same(name):
    pytest.importorskip("torch_geometric", reason="torch-geometric is not installed")
    torch.manual_seed(0)
    links, operations = (0, 1, 1, 2), numbers(f"{name}-fc-skip-skip")
    ours = GraphNetwork(links, operations, CONFIG)
    theirs = GraphNetwork(links, operations, CONFIG, "torch_geometric")
    own, other = (dict(n.layers[0].named_parameters()) for n in (ours, theirs))
    assert len(own) == len(other) == len(SAME[name])
    with torch.no_grad():
        for parameter, twin in SAME[name].items():
            values = own[parameter].T if own[parameter].dim() == 2 and name == "arma" else None
            values = own[parameter] if values is None else values
            other[twin].copy_(values.reshape(other[twin].shape))
    rest = {k: v for k, v in ours.state_dict().items() if not k.startswith("layers.0")}
    theirs.load_state_dict(rest, strict=False)
    x = features().float()
    assert_close(theirs(x, EDGES), ours(x, EDGES))


def communities(seed=0, size=40):
    """Two communities with many edges inside and few between; features say little."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(2 * size) % 2
    inside = labels[:, None] == labels
    chance = torch.where(inside, 0.2, 0.02)
    half = torch.rand(2 * size, 2 * size, generator=generator).triu(1) > 1 - chance.triu(1)
    edges = (half | half.T).nonzero().T
    x = torch.randn(2 * size, 8, generator=generator)
    x[:, 0] += labels - 0.5
    return x, edges, labels


def test_training_tells_two_communities_apart_and_follows_the_seed():
    x, edges, labels = communities()
    train = torch.arange(len(x)) < len(x) // 2

    def run():
        torch.manual_seed(0)
        config = GraphConfig(8, 2, 16, pre_layers=0, post_layers=1, dropout=0.2)
        network = GraphNetwork((0, 0, 1, 2), numbers("gcn-sage-gat-skip"), config)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        for _ in range(40):
            optimizer.zero_grad()
            functional.cross_entropy(network(x, edges)[train], labels[train]).backward()
            optimizer.step()
        scores = network.eval()(x, edges)
        return scores, float((scores.argmax(1) == labels)[~train].float().mean())

    first, second = run(), run()
    assert torch.equal(first[0], second[0])
    assert first[1] >= 0.85


def test_gradients_reach_every_weight_that_is_used():
    network = GraphNetwork((0, 1, 2, 2), numbers("gat-arma-cheb-gin"), CONFIG)
    network(features().float(), EDGES).square().sum().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    # The input is not normalised, and a second layer of arma does not exist.
    assert without == ["layers.1.later.weight", "norms.0.weight", "norms.0.bias"]
