"""`decode` on the emulated GPU writes the graphs that the CPU engine and the reference write.

Of the samples here none has a probability within rounding of the number drawn.
"""

import numpy as np
import pytest
import torch

from ngae.errors import UsageError
from ngae.ops import DagGruParameters, DecoderParameters, decode, reference_decode
from ngae.ops.decode import _decode_cuda, rule_choices, rule_tensors
from ngae.ops.parameters import Decoded
from ngae.rules import ANY_NUMBER, DecodeRules
from tests.random_rules import CASES, faults, random_rules

from .emulator import ORDERS

LATENT, TYPES = 5, 5
START, END = 0, 1


def make_rules(nodes=6, least=0, most=99, loose_ends=False, only=(), early_end=False):
    """Start, end and three types between; 0 -> 1 forced, 1 -> 3 forbidden.

    `only` are the places that may have type 2 alone; `early_end` lets graphs end at node 1.
    """
    allowed = np.zeros((nodes, TYPES), dtype=bool)
    allowed[0, START] = True
    allowed[1:, END] = True
    allowed[1:-1, 2:] = True
    allowed[1, END] = early_end or nodes == 2
    for place in only:
        allowed[place] = np.arange(TYPES) == 2
    edge = np.triu(np.ones((nodes, nodes), dtype=np.uint8), k=1)
    edge[0, 1] = 2
    if nodes > 3:
        edge[1, 3] = 0
    between = np.array([0, 1, 1, 1, 1])
    return DecodeRules(
        START, END, allowed, edge, (least * between).astype(np.int32),
        (most * between).astype(np.int32), "only" if loose_ends else "free",
    )  # fmt: skip


def make_weights(
    hidden=5, nodes=6, type_z=True, edge_z=True, source_z=True, tables=False, type_dim=7,
    edge_dim=9, end_bias=0.0,
):  # fmt: skip
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator) * 1.5 / shape[-1] ** 0.5

    gru = DagGruParameters(
        w_ih=draw(3 * hidden, TYPES),
        b_ih=draw(3 * hidden),
        w_hh=draw(3 * hidden, hidden),
        b_hh=draw(3 * hidden),
        w_gate=draw(hidden, hidden),
        b_gate=draw(hidden),
        w_map=draw(hidden, hidden),
        gate_index=draw(nodes, hidden) if tables else None,
        map_index=draw(nodes, hidden) if tables else None,
    )
    return DecoderParameters(
        gru=gru,
        type_h=draw(type_dim, hidden),
        type_z=draw(nodes, type_dim, LATENT) if type_z else None,
        type_term=draw(nodes, type_dim),
        type_out=draw(TYPES, type_dim),
        type_out_bias=draw(TYPES) + end_bias * (torch.arange(TYPES) == END),
        edge_u=draw(edge_dim, hidden),
        edge_v=draw(edge_dim, hidden),
        edge_z=draw(nodes, edge_dim, LATENT) if edge_z else None,
        edge_term=draw(nodes, edge_dim),
        source_z=draw(nodes, edge_dim, LATENT) if source_z else None,
        source_term=draw(nodes, edge_dim),
        edge_out=2 * draw(edge_dim),  # with 3 some probabilities are equal in float32 alone
        edge_out_bias=draw(1),
    )


def make_inputs(samples, hidden=5):
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(samples, LATENT, generator=generator)
    return z, torch.randn(samples, hidden, generator=generator)


def double(parameters):
    gru = DagGruParameters(*(None if t is None else t.double() for t in parameters.gru))
    return DecoderParameters(gru, *(None if t is None else t.double() for t in parameters[1:]))


def run(ops, inputs, parameters, rules, *, seed=3, ids=None, stochastic=True, bf16=False, order):
    z, initial = inputs
    ids = torch.arange(len(z)) if ids is None else ids
    return Decoded(
        *ops.run(
            _decode_cuda, z, initial, ids, [*parameters.gru, *parameters[1:]],
            rule_tensors(rules), rule_choices(rules),
            seed - 2**64 if seed >= 2**63 else seed, stochastic, bf16, order=order,
        )
    )  # fmt: skip


def assert_same(one, other):
    for found, expected in zip(one, other, strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


def assert_equals_cpu(ops, inputs, parameters, rules, *, order="forward", **choices):
    found = run(ops, inputs, parameters, rules, order=order, **choices)
    seed, ids = choices.get("seed", 3), choices.get("ids")
    arguments = {
        "seed": seed,
        "sample_ids": torch.arange(len(inputs[0])) if ids is None else ids,
        "stochastic": choices.get("stochastic", True),
    }
    assert_same(found, decode(*inputs, parameters, rules, **arguments))
    exact = (inputs[0].double(), inputs[1].double(), double(parameters))
    assert_same(found, reference_decode.decode(*exact, rules, **arguments))
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("loose_ends", [False, True])
def test_equals_cpu_and_reference(ops, order, stochastic, loose_ends):
    rules = make_rules(least=1, most=2, loose_ends=loose_ends)
    parameters = make_weights(source_z=loose_ends, tables=stochastic)
    found = assert_equals_cpu(
        ops, make_inputs(20), parameters, rules, stochastic=stochastic, order=order
    )
    assert len(found.node_type.unique(dim=0)) > 2


@pytest.mark.parametrize("type_z", [False, True])
@pytest.mark.parametrize("edge_z", [False, True])
@pytest.mark.parametrize("source_z", [False, True])
@pytest.mark.parametrize("tables", [False, True])
def test_optional_weights(ops, type_z, edge_z, source_z, tables):
    parameters = make_weights(type_z=type_z, edge_z=edge_z, source_z=source_z, tables=tables)
    assert_equals_cpu(ops, make_inputs(9), parameters, make_rules())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "rules",
    [
        make_rules(least=3),
        make_rules(most=1),
        make_rules(least=2, most=2),
        make_rules(only=(1, 2, 3, 4)),
        make_rules(only=(1, 2, 3, 4), loose_ends=True),
        make_rules(early_end=True),
        make_rules(early_end=True, loose_ends=True),
        make_rules(nodes=2),
        make_rules(nodes=2, loose_ends=True),
    ],
    ids=[
        "least",
        "most",
        "exact",
        "one_type",
        "one_type_loose",
        "early_end",
        "early_end_loose",
        "two_nodes",
        "two_nodes_loose",
    ],
)
def test_rules(ops, order, rules):
    ends_early = bool(rules.type_allowed[1, END])
    parameters = make_weights(nodes=rules.max_nodes, end_bias=2.0 * ends_early)
    found = assert_equals_cpu(ops, make_inputs(16), parameters, rules, order=order)
    assert (2 in found.num_nodes) == ends_early


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_random_rules(ops, case, stochastic):
    rules = random_rules(*case)
    parameters = make_weights(nodes=rules.max_nodes, end_bias=-2.0)
    order = ORDERS[case[0] % len(ORDERS)]
    found = assert_equals_cpu(
        ops, make_inputs(20), parameters, rules, stochastic=stochastic, order=order
    )
    for types, edges in zip(found.node_type.numpy(), found.adjacency.numpy(), strict=True):
        assert faults(rules, types, edges) == []


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("samples", [1, 65])
@pytest.mark.parametrize("hidden", [5, 33, 70])
def test_sizes(ops, order, samples, hidden):
    parameters = make_weights(hidden, nodes=4, type_dim=hidden + 1, edge_dim=2 * hidden)
    rules = make_rules(nodes=4)
    assert_equals_cpu(ops, make_inputs(samples, hidden), parameters, rules, order=order)


@pytest.mark.parametrize("order", ORDERS)
def test_long_graphs(ops, order):
    parameters = make_weights(nodes=40, tables=True, end_bias=-3.0)
    rules = make_rules(nodes=40, most=5)
    found = assert_equals_cpu(ops, make_inputs(3), parameters, rules, order=order)
    assert found.num_nodes.max() > 30


@pytest.mark.parametrize("order", ORDERS)
def test_one_node(ops, order):
    degrees, every = torch.zeros(1).int(), torch.ones(1, 1).bool()
    tables = [every, torch.zeros(1, 1).byte(), degrees, degrees, every[0], every]
    parameters = make_weights(nodes=1)
    gru = parameters.gru._replace(w_ih=parameters.gru.w_ih[:, :1])
    heads = parameters._replace(
        type_out=parameters.type_out[:1], type_out_bias=parameters.type_out_bias[:1]
    )
    node_type, adjacency, num_nodes = ops.run(
        _decode_cuda, *make_inputs(3), torch.arange(3), [*gru, *heads[1:]], tables,
        [0, 0, 0, ANY_NUMBER], 3, True, False, order=order,
    )  # fmt: skip
    assert node_type.tolist() == [[0]] * 3
    assert adjacency.tolist() == [[[False]]] * 3
    assert num_nodes.tolist() == [1] * 3


def test_no_samples(ops):
    found = run(ops, make_inputs(0), make_weights(), make_rules(), order="forward")
    assert [tuple(field.shape) for field in found] == [(0, 6), (0, 6, 6), (0,)]


def test_seed_and_sample_ids_of_64_bits(ops):
    ids = torch.tensor([-1, 2**40 + 5, 7, -(2**63), 2**63 - 1])
    found = assert_equals_cpu(
        ops, make_inputs(5), make_weights(), make_rules(), seed=2**64 - 3, ids=ids
    )
    other = run(ops, make_inputs(5), make_weights(), make_rules(), seed=5, order="forward")
    assert not torch.equal(found.adjacency, other.adjacency)


def test_a_sample_does_not_depend_on_those_beside_it(ops):
    z, initial = make_inputs(12)
    whole = run(ops, (z, initial), make_weights(), make_rules(), order="random")
    ids = torch.arange(7, 12)
    part = run(ops, (z[7:], initial[7:]), make_weights(), make_rules(), ids=ids, order="forward")
    assert_same(part, [field[7:] for field in whole])


@pytest.mark.parametrize("order", ORDERS)
def test_bf16_rounds_the_operands_of_products(ops, order):
    z, initial = make_inputs(30, 33)
    parameters, rules = make_weights(33, tables=True), make_rules(least=1, most=3)
    found = run(ops, (z, initial), parameters, rules, bf16=True, order=order)
    expected = reference_decode.decode(z, initial, parameters, rules, seed=3, precision="bf16")
    assert_same(found, expected)


def test_float64_is_refused(ops):
    z, initial = (value.double() for value in make_inputs(2))
    with pytest.raises(UsageError, match="decode: expected float32 on cpu") as raised:
        run(ops, (z, initial), double(make_weights()), make_rules(), order="forward")
    assert "NGAE_OPS=torch" in raised.value.remedy
