"""Networks in ONNX compute what they do in torch; skipped where ONNX is not installed."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from ngae.dag import Dag
from ngae.errors import GraphError, MissingExtraError, UsageError
from ngae.networks import onnx_form
from ngae.networks.graph_config import GraphConfig
from ngae.spaces import Cell, Chain, space_named
from ngae.spaces.nasbenchgraph import NasBenchGraphSpace

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
MISSING = [package for package in PACKAGES if find_spec(package) is None]
with_onnx = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
IMAGES = {
    "enas3": (1, 8, 8),
    "nas-bench-101": (3, 8, 8),
    "nas-bench-201": (3, 8, 8),
}
SMALL = {
    "enas3": {},
    "nas-bench-101": {"stem_channels": 6, "num_stacks": 2, "cells_per_stack": 1, "image_size": 8},
    "nas-bench-201": {"channels": 4, "cells": 1, "image_size": 8},
}


class Row(Chain):
    operations = {"lin": lambda: nn.Linear(4, 4), "relu": nn.ReLU}
    length = 3
    input_shape = (4,)


class Shapeless(Cell):
    operations = {"relu": nn.ReLU}


def run(content, inputs):
    """Run a model under onnxruntime on tensors by name."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    values = {name: value.numpy() for name, value in inputs.items()}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, map(torch.from_numpy, session.run(None, values)), strict=True))


def _trained(dag, *inputs):
    """A network that has seen something: statistics of batch norm are not the first ones."""
    network = dag.to_torch()
    with torch.no_grad():
        for _ in range(3):
            network(*inputs)
    return network


@with_onnx
@pytest.mark.parametrize("name", IMAGES)
def test_image_networks_give_equal_scores_at_any_batch(name):
    space = space_named(name).resized(**SMALL[name])
    dag = space.sample(np.random.default_rng(2))
    torch.manual_seed(0)
    network = _trained(dag, torch.randn(8, *IMAGES[name]))
    content = dag.to_onnx(network)
    assert network.training
    images = torch.randn(5, *IMAGES[name])
    outputs = run(content, {"images": images})
    torch.testing.assert_close(outputs, {"scores": network.eval()(images)})


@with_onnx
def test_graph_networks_give_equal_scores_on_any_graph():
    space = NasBenchGraphSpace(GraphConfig(6, 3, 8, 1, 1, 2))
    dag = space.parse("0-0-1-2;gat-cheb-gcn-arma")
    torch.manual_seed(0)
    small = torch.tensor([[0, 1, 2], [1, 2, 0]])
    network = _trained(dag, torch.randn(4, 6), small)
    content = dag.to_onnx(network)
    network.eval()
    for nodes, edges in ((4, small), (9, torch.tensor([[0, 1, 8, 8, 3], [1, 2, 8, 4, 0]]))):
        inputs = {"x": torch.randn(nodes, 6), "edge_index": edges}
        torch.testing.assert_close(
            run(content, inputs), {"scores": network(inputs["x"], inputs["edge_index"])}
        )


@with_onnx
def test_recurrent_networks_make_steps_that_add_up_to_a_sequence():
    space = space_named("recurrent").resized(
        vocabulary=9, input_dim=5, hidden_dim=7, num_layers=2, tied=True
    )
    dag = space.sample(np.random.default_rng(3))
    network = dag.to_torch()
    content = dag.to_onnx(network)
    tokens = torch.randint(9, (4, 3), generator=torch.Generator().manual_seed(0))
    wanted = network(tokens)
    states = [state for layer in network.initial_state(3) for state in layer]
    for token, scores in zip(tokens, wanted, strict=True):
        inputs = {f"state_{i}": state for i, state in enumerate(states)}
        outputs = run(content, {"token": token, **inputs})
        torch.testing.assert_close(outputs["scores"], scores)
        states = [outputs[f"new_state_{i}"] for i in range(len(states))]


@with_onnx
def test_networks_of_ones_own_and_their_files(tmp_path):
    dag = Row().parse("lin(0) relu(0,1) lin(2) output(3)")
    network = dag.to_torch()
    x = torch.randn(7, 4)
    outputs = run(dag.to_onnx(network), {"x": x})
    torch.testing.assert_close(outputs, {"output": network(x)})
    dag.save(tmp_path / "a.onnx")
    assert run((tmp_path / "a.onnx").read_bytes(), {"x": x})["output"].shape == (7, 4)


@with_onnx
def test_what_cannot_be_written_is_named():
    class Refuses(nn.Module):
        def forward(self, x):
            raise ValueError("not today")

    form = onnx_form.OnnxForm(Refuses(), {"x": torch.zeros(2)}, ("y",), {})
    with pytest.raises(UsageError, match=r"expected a network that torch\.onnx.*Refuses"):
        onnx_form.onnx_bytes(form)
    with pytest.raises(UsageError, match="a space with input_shape, found none"):
        Shapeless().parse("relu(0) output(1)").to_onnx()
    with pytest.raises(GraphError, match="of a search space, found none"):
        Dag((0, 1), ((0, 1),)).to_onnx()


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(onnx_form, "_PACKAGES", ("no_such_package_at_all",))
    with pytest.raises(MissingExtraError, match="export to ONNX needs the package") as caught:
        space_named("enas2").parse("[[0], [1, 1]]").to_onnx()
    assert caught.value.remedy == "pip install 'ngae[onnx]'"
