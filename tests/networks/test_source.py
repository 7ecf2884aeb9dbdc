"""Written networks run where there is no ngae, and compute what the built ones do."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ngae.dag import Dag
from ngae.errors import GraphError, UsageError
from ngae.networks.graph_config import GraphConfig
from ngae.networks.source import assigned, listed, total
from ngae.networks.source_modules import expression
from ngae.spaces import Cell, Chain, space_named
from ngae.spaces.nasbench101 import NasBench101Space
from ngae.spaces.nasbench201 import NasBench201Space
from ngae.spaces.nasbenchgraph import NasBenchGraphSpace

ROOT = Path(__file__).parents[2]
EDGES = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 0, 3, 3], [1, 2, 3, 0, 5, 6, 4, 6, 3, 5]])


class Mixed(Chain):
    operations = {
        "conv": lambda: nn.Sequential(
            nn.Conv2d(4, 4, (3, 1), padding="same", bias=False, padding_mode="reflect"),
            nn.BatchNorm2d(4, momentum=None),
            nn.LeakyReLU(0.3),
        ),
        "norm": lambda: nn.GroupNorm(2, 4, eps=1e-3),
        "pool": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        "gelu": lambda: nn.GELU("tanh"),
        "id": nn.Identity,
    }
    length, least_length = 6, 2
    input_shape = (4, 6, 6)

    def head(self):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def _small(space, **sizes):
    return space.resized(**sizes)


def _images(*shape):
    return lambda rng: (torch.randn(3, *shape, generator=rng),)


CASES = {
    "enas6": (space_named("enas6"), _images(1, 8, 8)),
    "enas2-12": (
        space_named("enas2-12").resized(channels=4, image_size=6, image_channels=3),
        _images(3, 6, 6),
    ),
    "nas-bench-101": (
        NasBench101Space().resized(stem_channels=7, num_stacks=2, cells_per_stack=2),
        _images(3, 9, 9),
    ),
    "nas-bench-101, one cell": (
        NasBench101Space().resized(stem_channels=8, num_stacks=1, cells_per_stack=1),
        _images(3, 5, 5),
    ),
    "nas-bench-201": (
        NasBench201Space().resized(channels=4, cells=1, image_size=8, num_classes=5),
        _images(3, 8, 8),
    ),
    "nas-bench-graph": (
        NasBenchGraphSpace(GraphConfig(6, 3, 8, 0, 1, 2)),
        lambda rng: (torch.randn(7, 6, generator=rng), EDGES),
    ),
    "nas-bench-graph, layers before": (
        NasBenchGraphSpace(GraphConfig(6, 3, 8, 1, 0, 4, 0.1)),
        lambda rng: (torch.randn(7, 6, generator=rng), EDGES),
    ),
    "recurrent": (
        space_named("recurrent").resized(vocabulary=9, input_dim=5, hidden_dim=5, num_layers=2),
        lambda rng: (torch.randint(9, (6, 3), generator=rng),),
    ),
    "recurrent, tied": (
        space_named("recurrent").resized(
            vocabulary=9, input_dim=5, hidden_dim=7, num_layers=3, tied=True
        ),
        lambda rng: (torch.randint(9, (6, 3), generator=rng),),
    ),
    "own cell": (space_named(f"{ROOT / 'examples' / 'own_space.py'}:ConvCell"), _images(3, 6, 6)),
    "own chain": (Mixed(), _images(4, 6, 6)),
}


def made(source):
    """Run a module's text and return its names."""
    scope = {"__name__": "written"}
    exec(compile(source, "written.py", "exec"), scope)
    return scope


@pytest.mark.parametrize("name", CASES)
def test_written_networks_compute_what_built_ones_do(name):
    space, draw = CASES[name]
    rng, generator = np.random.default_rng(3), torch.Generator().manual_seed(3)
    for _ in range(4):
        dag = space.sample(rng)
        source = dag.to_source()
        torch.manual_seed(1)
        built = dag.to_torch()
        torch.manual_seed(1)
        written = made(source)["network"]()
        assert type(written).__module__ == "written" or name.startswith("own")
        assert list(written.state_dict()) == list(built.state_dict())
        written.load_state_dict(built.state_dict())
        inputs = draw(generator)
        for training in (True, False):  # statistics of batch norm move in the same way
            built.train(training)
            written.train(training)
            torch.manual_seed(2)
            wanted = built(*inputs)
            torch.manual_seed(2)
            assert torch.equal(written(*inputs), wanted)
        assert {k: v.tolist() for k, v in written.state_dict().items()} == {
            k: v.tolist() for k, v in built.state_dict().items()
        }


@pytest.mark.parametrize("name", CASES)
def test_sources_name_their_architecture_and_keep_the_width(name):
    space, _ = CASES[name]
    dag = space.sample(np.random.default_rng(8))
    source = dag.to_source()
    assert source.startswith('"""A network of the search space ')
    assert made(source)["ARCHITECTURE"] == space.format(dag)
    assert [line for line in source.splitlines() if len(line) > 100] == []
    assert "import ngae" not in source
    assert "from ngae" not in source


@pytest.mark.end_to_end
def test_sources_run_where_there_is_no_ngae(tmp_path):
    texts = [space.sample(np.random.default_rng(0)).to_source() for space, _ in CASES.values()]
    for i, text in enumerate(texts):
        (tmp_path / f"network_{i}.py").write_text(text)
    (tmp_path / "all.py").write_text(
        "import runpy, sys\n"
        "sys.modules['ngae'] = None\n"
        f"for i in range({len(texts)}):\n"
        "    runpy.run_path(f'network_{i}.py', None, '__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "all.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(texts)
    assert lines[1] == "output (2, 10)"
    space = CASES["enas6"][0]
    params = int(space.complexity([space.sample(np.random.default_rng(0))])[0, 0])
    assert lines[0] == f"{params} parameters"


def test_a_cell_is_written_out_edge_by_edge():
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
    source = NasBench201Space().parse(text).to_source()
    assert '"0": relu_conv_bn(channels, channels, 3),  # 0 -> 1: nor_conv_3x3' in source
    assert "        h2 = h1\n" in source
    assert '        h3 = self.operations["3"](h0) + self.operations["5"](h2)\n' in source
    nothing = NasBench201Space().of([0] * 6).to_source()
    assert "self.operations = nn.ModuleDict({})" in nothing
    assert "h3 = torch.zeros_like(h0)" in nothing


def test_networks_that_cannot_be_written_are_named():
    class Odd(nn.Module):
        def forward(self, x):
            return x

    def space(**attributes):
        return type("Space", (Cell,), {"max_operations": 2, "operations": {}} | attributes)()

    def write(space):
        return space.parse("a(0) output(1)").to_source()

    shared = nn.Linear(2, 2)
    hooked = nn.ReLU()
    hooked.register_forward_hook(lambda *_: None)
    lines = [
        (space(operations={"a": Odd}), UsageError, "node 1: expected a module of torch.nn, found"),
        (space(operations={"a": lambda: hooked}), UsageError, "ReLU with hooks"),
        (space(operations={"a": lambda: nn.LSTM(2, 2)}), UsageError, "nothing of its args"),
        (
            space(operations={"a": lambda: shared}, stem=lambda self: shared),
            UsageError,
            "expected weights of its own",
        ),
        (
            space(operations={"a": nn.ReLU}, combine=lambda self, inputs: inputs[0]),
            UsageError,
            "found a `combine` of one's own",
        ),
        (space(operations=("a",)), GraphError, "found names alone"),
        (
            space(operations={"a": lambda: nn.Linear(2, 2, dtype=torch.float64)}),
            UsageError,
            "node 1: weight: expected torch.float32, found torch.float64",
        ),
        (
            space(
                operations={"a": nn.ReLU},
                stem=lambda self: nn.Sequential(nn.BatchNorm1d(2, affine=False).half()),
            ),
            UsageError,
            "stem.0: running_mean: expected torch.float32, found torch.float16",
        ),
    ]
    for owner, error, message in lines:
        with pytest.raises(error, match=message):
            write(owner)
    with pytest.raises(UsageError, match="backend torch, found torch_geometric"):
        NasBenchGraphSpace(backend="torch_geometric").parse("0-0-0-0;gcn-gcn-gcn-gcn").to_source()
    with pytest.raises(GraphError, match="of a search space, found none"):
        Dag((0, 1), ((0, 1),)).to_source()


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.Conv2d(3, 8, 3), "nn.Conv2d(3, 8, 3)"),
        (nn.Conv2d(3, 9, (3, 5), 2, groups=3), "nn.Conv2d(3, 9, (3, 5), stride=2, groups=3)"),
        (nn.Conv1d(3, 8, 1, bias=False), "nn.Conv1d(3, 8, 1, bias=False)"),
        (nn.MaxPool2d(3, 1), "nn.MaxPool2d(3, stride=1)"),
        (nn.BatchNorm2d(4, affine=False), "nn.BatchNorm2d(4, affine=False)"),
        (nn.LayerNorm(4, bias=False), "nn.LayerNorm((4,), bias=False)"),
        (nn.Dropout(), "nn.Dropout()"),
        (nn.Dropout(0.0), "nn.Dropout(p=0.0)"),
        (nn.Identity(), "nn.Identity()"),
        (nn.Sequential(nn.ReLU(inplace=True)), "nn.Sequential(nn.ReLU(inplace=True))"),
    ],
)
def test_modules_are_written_as_the_calls_that_make_them(module, text):
    assert expression(module, "place", 90) == text
    assert repr(made(f"from torch import nn\nmade = {text}")["made"]) == repr(module)


def test_names_end_no_comment_and_no_docstring():
    names = ('a"""', "b\\", "c\x00", "#d")
    space = type('"""', (Cell,), {"operations": dict.fromkeys(names, nn.ReLU)})()
    dag = space.parse("".join(f"{name}({i}) " for i, name in enumerate(names)) + "output(4)")
    scope = made(dag.to_source())
    assert scope["ARCHITECTURE"] == space.format(dag)
    assert scope["network"]()(torch.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]


def test_long_lines_are_broken():
    assert assigned("A", "x" * 10) == ["A = 'xxxxxxxxxx'"]
    assert assigned("A", "x" * 100) == ["A = (", f"    '{'x' * 88}'", f"    '{'x' * 12}'", ")"]
    assert listed("f(", ["a", "b"], ")", 4) == "    f(a, b)"
    assert listed("f(", ["a  # one", "b"], ")", 4) == "    f(\n        a,  # one\n        b,\n    )"
    long = [f"term_{i:03}" for i in range(12)]
    assert total(long[:2], 0, "y = ") == "y = term_000 + term_001"
    assert total(long, 0, "y = ").splitlines()[:3] == ["y = (", "    term_000", "    + term_001"]
    assert eval(total(["1"] * 40, 0, "").strip()) == 40
