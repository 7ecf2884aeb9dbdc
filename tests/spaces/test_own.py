"""`Cell`, `Chain` and spaces of one's own: text, masks, costs, networks, training."""

import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ngae.dag import Dag
from ngae.data import load
from ngae.errors import GraphError, ParseError, UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.networks.counts import count
from ngae.spaces import Cell, Chain, space_named

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_space.py"


class Names(Cell):
    operations = ("a", "b", "c")
    max_operations, max_edges = 4, 7


class TwoInputs(Cell):
    operations = ("a", "b")
    max_operations, min_operations, max_inputs = 6, 2, 2


class Layers(Chain):
    operations = {"lin": lambda: nn.Linear(4, 4), "relu": nn.ReLU, "id": nn.Identity}
    length, least_length = 5, 2
    input_shape = (4,)


class Row(Chain):
    operations = ("a", "b")
    length, skips = 3, False


class Averaged(Layers):
    """Networks of one's own: the mean of the inputs, counted one by one."""

    def combine(self, inputs):
        return torch.stack(inputs).mean(dim=0)


SPACES = [Names(), TwoInputs(), Layers(), Row(), space_named(f"{EXAMPLE}:ConvCell")]


def _model(space, seed=0):
    config = ModelConfig(hidden_dim=12, latent_dim=6, head_dim=12, predictor_dim=8)
    scaler = TargetScaler.fit(np.array([[0.0], [1.0]]))
    model = NGAEModel(space, config, scaler, scaler, seed)
    with torch.no_grad():
        for name, weight in model.decoder.named_parameters():
            if name.startswith(("type_", "edge_")):
                weight.mul_(3)
    return model


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name.split(":")[1])
def test_drawn_architectures_survive_their_text(space):
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(300)]
    for dag in drawn:
        assert space.parse(space.format(dag)) == dag
    sizes = {len(dag) for dag in drawn}
    assert sizes == set(range(space.fewest_operations + 2, space.max_nodes + 1)) - (
        {2} if "Conv" in space.name else set()
    )
    assert len(set(drawn)) > (6 if space.name.endswith("Row") else 60)


@pytest.mark.parametrize("space", SPACES[:4], ids=lambda space: space.name.split(":")[1])
def test_decoded_architectures_are_valid(space):
    z = 2 * torch.randn(2000, 6, generator=torch.Generator().manual_seed(1))
    for seed in range(2):
        dags = _model(space, seed).decode(z, stochastic=True)
        assert all(dag.space is space for dag in dags)


def test_what_a_space_refuses_counts_as_invalid():
    space = SPACES[4]
    z = 2 * torch.randn(500, 6, generator=torch.Generator().manual_seed(1))
    for dag in _model(space).decode(z, stochastic=True):
        has_conv = any(space.node_type_names[t].startswith("conv") for t in dag.node_types)
        assert (dag.space is space) == has_conv


@pytest.mark.parametrize(
    ("text", "expected", "found", "column"),
    [
        ("", "a node such as conv(0,1)", "the end of the text", 1),
        ("a(0) b", "a node such as conv(0,1)", "'b'", 6),
        ("a(0) d(1)", "one of input, output, a, b, c", "'d'", 6),
        ("a(0) b(2)", "a node from 0 to 1", "2", 8),
        ("a(0) b(0,1,0)", "each node once", "0 twice", 8),
    ],
)
def test_broken_texts_are_named(text, expected, found, column):
    with pytest.raises(ParseError) as caught:
        Names().parse(text)
    error = caught.value
    assert (error.expected, error.found, error.column) == (expected, found, column)


@pytest.mark.parametrize(
    ("space", "text", "message"),
    [
        (Names(), "a(0) output(0,1) output(2)", "node 2: expected type 2..4, found 1"),
        (Names(), "a(0) b(0)", "node 2: expected type output, found 3"),
        (Names(), "a(0) b(0) output(2)", "node 1: expected a successor, found none"),
        (Names(), "a(0) b(0,1) c(0,1,2) output(0,3)", "at most 7 edges, found 8"),
        (Names(), "a(0) a(1) a(2) a(3) a(4) output(5)", "expected 2 to 6 nodes, found 7"),
        (TwoInputs(), "a(0) a(0,1) a(0,1,2) output(3)", "node 3: expected at most 2 inputs"),
        (TwoInputs(), "a(0) output(1)", "expected 4 to 8 nodes, found 3"),
        (Row(), "a(0) a(0,1) a(2) output(3)", "node 2: expected an edge from node 1 alone"),
        (Layers(), "id(0) id(0) output(2)", "node 2: expected an edge from node 1, found none"),
        (Layers(), "id(0) id(1) output(1,2)", "node 3: expected an edge from node 2 alone"),
        (SPACES[4], "skip(0) output(1)", "expected what `accepts` accepts"),
    ],
)
def test_architectures_outside_are_named(space, text, message):
    with pytest.raises(GraphError, match=message.replace("(", r"\(")):
        space.parse(text)


@pytest.mark.parametrize("space", [Layers(), Averaged(), SPACES[4]])
def test_costs_are_those_of_the_built_network(space):
    rng = np.random.default_rng(1)
    dags = [space.sample(rng) for _ in range(12)]
    found = space.complexity(dags)
    shape = (1, *space.input_shape)
    expected = [count(dag.to_torch(), shape) for dag in dags]
    np.testing.assert_array_equal(found, np.array(expected))
    assert space.complexity([]).shape == (0, 2)


def test_networks_follow_the_edges():
    space = Layers()
    network = space.parse("relu(0) id(0,1) output(2)").to_torch()
    x = torch.tensor([[-1.0, 2.0, 0.0, 3.0]])
    assert network(x).tolist() == [[-1.0, 4.0, 0.0, 6.0]]
    assert Averaged().parse("relu(0) id(0,1) output(2)").to_torch()(x).tolist() == [
        [-0.5, 2.0, 0.0, 3.0]
    ]


def test_sizes_are_drawn_evenly():
    """Also where few of the large graphs keep the limit of edges."""

    class Tight(Cell):
        operations = ("a", "b")
        max_operations, max_edges = 8, 9

    rng = np.random.default_rng(0)
    counts = np.bincount([len(Tight().sample(rng)) - 2 for _ in range(900)], minlength=9)
    assert counts.min() > 60


def test_resized_spaces_count_anew():
    @dataclasses.dataclass(frozen=True)
    class Width:
        width: int = 4

    class Sized(Cell):
        operations = {"id": nn.Identity}
        network = Width()

        def stem(self):
            return nn.Linear(3, self.network.width)

    space = Sized()
    dag = space.parse("id(0) output(1)")
    assert space.complexity([dag]).tolist() == [[16]]
    assert space.resized(width=8).complexity([dag]).tolist() == [[32]]
    assert sum(p.numel() for p in dag.to_torch(width=8).parameters()) == 32


def test_names_alone_build_nothing():
    assert Names().complexity_names == ()
    with pytest.raises(GraphError, match="operations with modules, found names alone"):
        Names().build(Names().parse("a(0) output(1)"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operations": ()}, "operations: expected at least one name"),
        ({"operations": ("a", "a")}, "expected each name once, found 'a' twice"),
        ({"operations": ("a b",)}, "expected names without blanks"),
        ({"operations": ("input",)}, "'input' twice"),
        ({"operations": "conv"}, "operations: expected at least one name, found 'conv'"),
        ({"operations": {"relu": nn.ReLU()}}, "relu: expected a function that makes a module"),
        ({"operations": ("a",), "max_inputs": 0}, "max_inputs: expected from 1, found 0"),
        ({"operations": ("a",), "min_operations": 7}, "fewest <= most operations, found 7 and 5"),
        ({"operations": ("a",), "min_operations": -1}, "found -1 and 5"),
        ({"operations": ("a",), "max_edges": 3, "min_operations": 1}, "max_edges or min_operat"),
    ],
)
def test_descriptions_that_cannot_be_kept_are_refused(changes, message):
    with pytest.raises(GraphError, match=message):
        type("Bad", (Cell,), changes)()


def test_the_example_is_short():
    lines = EXAMPLE.read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) < 30


def test_spaces_are_found_by_module_and_by_file(tmp_path, monkeypatch):
    (tmp_path / "my_space_module.py").write_text(
        "from ngae.spaces import Cell\n"
        "class Mine(Cell):\n    operations = ('a', 'b')\n"
        "class Sized(Cell):\n    operations = ('a',)\n"
        "    def __init__(self, n):\n        self.max_operations = n\n        super().__init__()\n"
        "three = Sized(3)\nnumber = 3\n"
        "class Halfway(Cell):\n    operations = ('a',)\n    def __init__(self):\n        pass\n"
    )
    (tmp_path / "broken_file.py").write_text("class Mine(")
    (tmp_path / "data_file.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from ngae.spaces import Cell\n@dataclass\nclass Size:\n    width: int = 3\n"
        "class Mine(Cell):\n    operations = ('a',)\n"
    )
    monkeypatch.chdir(tmp_path)
    try:
        assert space_named("my_space_module:Mine").name == "my_space_module:Mine"
        assert space_named("my_space_module:three").max_nodes == 5
        assert space_named("my_space_module.py:Mine").node_type_names[2:] == ("a", "b")
        assert space_named("data_file.py:Mine").name == "data_file.py:Mine"
        for name, message in [
            ("my_space_module:Other", "a search space called Other, found nothing of that name"),
            ("my_space_module:number", "found int"),
            ("my_space_module:Sized", "found TypeError"),
            ("no_such_module:Mine", "a module that can be imported"),
            (":Mine", "expected module:Name or file.py:Name"),
            ("..up:Mine", "expected module:Name or file.py:Name"),
            ("broken_file.py:Mine", "expected a search space, found SyntaxError"),
            ("my_space_module:Halfway", "one without a name"),
            ("none.py:Mine", "expected a file, found nothing of that name"),
        ]:
            with pytest.raises(UsageError, match=message) as caught:
                space_named(name)
            if "Other" in name:
                assert caught.value.remedy == "spaces of the module: Mine, Sized, three, Halfway"
    finally:
        for name in ("my_space_module", "data_file"):
            sys.modules.pop(name, None)


@pytest.mark.end_to_end
def test_a_table_of_ones_own_trains_and_searches(tmp_path):
    """No change but `--data` and `--space`: costs are computed from the built networks."""
    from ngae.commands import search, train

    space = SPACES[4]
    rng = np.random.default_rng(0)
    dags = {space.sample(rng).canonical_hash: space.sample(rng) for _ in range(300)}
    rows = {dag.canonical_hash: dag for dag in dags.values()}.values()
    table = tmp_path / "mine.csv"
    table.write_text(
        "arch,performance\n"
        + "".join(f'"{space.format(d)}",{sum(d.node_types) / len(d)}\n' for d in rows)
    )
    run = tmp_path / "run"
    common = ["--data", str(table), "--space", f"{EXAMPLE}:ConvCell"]
    assert train.main([*common, "--quick", "--out", str(run)]) == 0
    assert search.main([str(run), "--budget", "8"]) == 4  # no folder makes code run
    assert search.main([str(run), "--budget", "8", "--space", f"{EXAMPLE}:ConvCell"]) == 0
    data = load(str(table), space=f"{EXAMPLE}:ConvCell")
    assert data.table.complexity_names == ("params", "macs")
    best = next((run / "search").glob("*/best.py"))
    scope: dict = {}
    exec(compile(best.read_text(), str(best), "exec"), scope)
    assert scope["network"]()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_text_in_the_dag_form_is_read_for_any_space():
    dag = Dag((0, 2, 1), ((0, 1), (1, 2)))
    assert Names().parse_value(dag.as_dict()).space.name.endswith("Names")


def test_a_space_of_a_file_is_found_again_by_another_process(tmp_path):
    (tmp_path / "somebodys.py").write_text(
        "from ngae.spaces import Chain\n\n\nclass Row(Chain):\n"
        "    operations = ('a', 'b')\n    length = 3\n"
    )
    space = space_named(f"{tmp_path}/somebodys.py:Row")
    dag = space.sample(np.random.default_rng(0))
    same = pickle.loads(pickle.dumps(dag))
    assert type(same.space) is type(space)  # the file is run once
    code = (
        "import pickle, sys\n"
        "dag = pickle.load(sys.stdin.buffer)\n"
        "print(dag.space.name, dag.canonical_hash, dag.space.is_valid(dag))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(dag), capture_output=True, check=True
    )
    assert found.stdout.decode().split() == [space.name, dag.canonical_hash, "True"]
