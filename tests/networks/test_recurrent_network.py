import json
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from ngae.errors import GraphError, UsageError
from ngae.networks.recurrent import CellNode, RecurrentConfig
from ngae.networks.recurrent_network import RecurrentCell, RecurrentNetwork
from ngae.spaces.recurrent import RecurrentSpace

SPACE = RecurrentSpace()
LINEAR = ("linear", ("x", "h_prev_0"))


def cell_of(**nodes):
    value = {name: {"op": op, "input": list(inputs)} for name, (op, inputs) in nodes.items()}
    return SPACE.cell(SPACE.parse(json.dumps(value)))


LSTM = cell_of(
    i=LINEAR, j=LINEAR, f=LINEAR, o=LINEAR,
    i_act=("activation_sigm", ["i"]), j_act=("activation_tanh", ["j"]),
    f_act=("activation_sigm", ["f"]), o_act=("activation_sigm", ["o"]),
    kept=("elementwise_prod", ["f_act", "h_prev_1"]),
    new=("elementwise_prod", ["i_act", "j_act"]),
    h_new_1=("elementwise_sum", ["kept", "new"]),
    shown=("activation_tanh", ["h_new_1"]),
    h_new_0=("elementwise_prod", ["shown", "o_act"]),
)  # fmt: skip
GRU = cell_of(
    r=LINEAR, z=LINEAR, r_act=("activation_sigm", ["r"]), z_act=("activation_sigm", ["z"]),
    rh=("elementwise_prod", ["r_act", "h_prev_0"]), t=("linear", ["x", "rh"]),
    t_act=("activation_tanh", ["t"]), h_new_0=("blend", ["z_act", "h_prev_0", "t_act"]),
)  # fmt: skip


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(module, place, *inputs):
    part = module.linears[str(place)]
    return sum(v @ w.T for v, w in zip(inputs, part.weights, strict=True)) + part.bias


def test_an_lstm_takes_the_step_written_by_hand():
    torch.manual_seed(0)
    module = RecurrentCell(LSTM, 5, 7).double()
    x, h, c = draw(3, 5), draw(3, 7, seed=1), draw(3, 7, seed=2)
    places = [p for p, node in enumerate(LSTM) if node.kind == "linear"]
    i, j, f, o = (linear(module, place, x, h) for place in places)
    after = f.sigmoid() * c + i.sigmoid() * j.tanh()
    shown = after.tanh() * o.sigmoid()
    output, state = module(x, (h, c))
    assert module.num_states == 2
    assert_close(output, shown)
    assert_close(state, (shown, after))


def test_an_lstm_with_torchs_weights_is_torchs():
    torch.manual_seed(0)
    module, theirs = RecurrentCell(LSTM, 5, 7).double(), torch.nn.LSTMCell(5, 7).double()
    places = [p for p, node in enumerate(LSTM) if node.kind == "linear"]
    with torch.no_grad():
        for place, gate in zip(places, (0, 2, 1, 3), strict=True):  # torch: i, f, g, o
            rows, part = slice(7 * gate, 7 * gate + 7), module.linears[str(place)]
            part.weights[0].copy_(theirs.weight_ih[rows])
            part.weights[1].copy_(theirs.weight_hh[rows])
            part.bias.copy_(theirs.bias_ih[rows] + theirs.bias_hh[rows])
    x, h, c = draw(3, 5), draw(3, 7, seed=1), draw(3, 7, seed=2)
    assert_close(module(x, (h, c))[1], theirs(x, (h, c)))


def test_a_gru_takes_the_step_written_by_hand():
    torch.manual_seed(0)
    module = RecurrentCell(GRU, 5, 7).double()
    x, h = draw(3, 5), draw(3, 7, seed=1)
    first, second, third = (p for p, node in enumerate(GRU) if node.kind == "linear")
    r, z = linear(module, first, x, h).sigmoid(), linear(module, third, x, h).sigmoid()
    t = linear(module, second, x, r * h).tanh()
    assert_close(module(x, (h,))[0], z * h + (1 - z) * t)


def test_states_that_are_not_renewed_keep_their_value():
    cell = cell_of(h_new_0=("linear", ["x", "h_prev_0", "h_prev_2"]))
    module = RecurrentCell(cell, 4, 4).double()
    state = tuple(draw(2, 4, seed=s) for s in range(3))
    output, after = module(draw(2, 4), state)
    assert module.num_states == 3
    assert after[0] is output
    assert torch.equal(after[1], state[1])
    assert torch.equal(after[2], state[2])


def test_operations_and_outputs_of_several_inputs():
    cell = cell_of(
        a=("activation_leaky_relu", ["x"]),
        b=("complement", ["h_prev_0"]),
        c=("elementwise_prod", ["a", "b", "x"]),
        h_new_1=("elementwise_sum", ["c"]),
        h_new_0=("elementwise_sum", ["x", "c", "h_prev_0", "h_new_1"]),
    )
    module = RecurrentCell(cell, 4, 4)
    x, h = draw(2, 4), draw(2, 4, seed=1)
    output, state = module(x, (h, h))
    product = functional.leaky_relu(x) * (1 - h) * x
    assert_close(state[1], product)
    assert_close(output, x + 2 * product + h)


def test_x_of_another_width_is_mapped_where_it_is_not_linear():
    cell = cell_of(a=LINEAR, h_new_0=("elementwise_prod", ["a", "x"]))
    torch.manual_seed(0)
    module = RecurrentCell(cell, 3, 5).double()
    x, h = draw(2, 3), draw(2, 5, seed=1)
    expected = linear(module, 2, x, h) * (x @ module.widen.weight.T)
    assert_close(module(x, (h,))[0], expected)
    assert RecurrentCell(cell, 5, 5).widen is None
    assert RecurrentCell(GRU, 3, 5).widen is None


@pytest.mark.parametrize(
    "config",
    [
        RecurrentConfig(11, 5, 5),
        RecurrentConfig(11, 4, 6, num_layers=2),
        RecurrentConfig(11, 4, 6, num_layers=3, tied=True),
        RecurrentConfig(11, 4, 6, num_layers=1, tied=True),
    ],
    ids=["equal widths", "two layers", "tied", "tied alone"],
)
def test_costs_are_those_of_the_built_network(config):
    rng = np.random.default_rng(0)
    space = RecurrentSpace(network=config)
    dags = [space.sample(rng) for _ in range(60)]
    costs = space.complexity(dags)
    for dag, (params, macs) in zip(dags, costs.tolist(), strict=True):
        with torch.device("meta"):
            network = space.build(dag)
            tokens = torch.zeros((1, 1), dtype=torch.int64)
        assert sum(p.numel() for p in network.parameters()) == params
        with FlopCounterMode(display=False) as counter:
            assert network(tokens).shape == (1, 1, 11)
        assert counter.get_total_flops() == 2 * macs


def test_going_on_from_states_is_one_long_run():
    torch.manual_seed(0)
    network = RecurrentNetwork(LSTM, RecurrentConfig(9, 6, 8, num_layers=2))
    tokens = torch.randint(9, (7, 3), generator=torch.Generator().manual_seed(0))
    first, states = network.run(tokens[:4], network.initial_state(3))
    second, _ = network.run(tokens[4:], states)
    assert_close(torch.cat([first, second]), network(tokens))


def test_tied_networks_share_one_matrix():
    network = RecurrentNetwork(GRU, RecurrentConfig(9, 6, 8, num_layers=2, tied=True))
    assert network.decoder.weight is network.embedding.weight
    assert [c.hidden_dim for c in network.cells] == [8, 6]


def test_wrong_cells_and_sizes_are_named():
    with pytest.raises(GraphError, match="node 0: expected x, found linear"):
        RecurrentCell([CellNode("linear", ())], 2, 2)
    with pytest.raises(GraphError, match="node 1: expected an operation or a state, found relu"):
        RecurrentCell([CellNode("x", ()), CellNode("relu", (0,))], 2, 2)
    with pytest.raises(GraphError, match=r"node 1: expected earlier inputs, found \(1,\)"):
        RecurrentCell([CellNode("x", ()), CellNode("linear", (1,))], 2, 2)
    with pytest.raises(UsageError, match="hidden_dim: expected an integer from 1, found 0"):
        RecurrentConfig(hidden_dim=0)
    for tied in ("no", 1, None):
        with pytest.raises(UsageError, match=f"tied: expected true or false, found {tied!r}"):
            RecurrentConfig(tied=tied)


def sampled(seed):
    return SPACE.cell(SPACE.sample(np.random.default_rng(seed)))


@pytest.mark.parametrize("make", [lambda: LSTM, lambda: GRU, partial(sampled, 2)],
                         ids=["lstm", "gru", "sampled"])  # fmt: skip
def test_training_learns_the_next_token(make):
    """Of three tokens in turn that differ from the token before last by a rule."""
    text = [0, 1]
    for _ in range(400):
        text.append((2 * text[-1] + text[-2] + 1) % 5)
    tokens = torch.tensor(text).unfold(0, 17, 4).T  # (17, batch)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        network = RecurrentNetwork(make(), RecurrentConfig(5, 16, 16))
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        run = []
        for _ in range(60):
            optimizer.zero_grad()
            scores = network(tokens[:-1])
            loss = functional.cross_entropy(scores.flatten(0, 1), tokens[1:].flatten())
            loss.backward()
            optimizer.step()
            run.append(loss.item())
        losses.append(run)
    assert losses[0] == losses[1]
    assert losses[0][0] == pytest.approx(np.log(5), abs=0.1)
    assert losses[0][-1] < 0.5 * losses[0][0]


def test_gradients_reach_every_weight_that_the_output_depends_on():
    for seed in range(20):
        torch.manual_seed(seed)
        network = RecurrentNetwork(sampled(seed), RecurrentConfig(7, 6, 6))
        tokens = torch.randint(7, (4, 5), generator=torch.Generator().manual_seed(0))
        network(tokens).square().sum().backward()
        cell = network.cells[0]
        reached = {len(cell.cell) - 1}
        while True:
            more = {u for v in reached for u in cell.cell[v].inputs}
            # A state that is read comes from the node that renewed it a step before.
            read = {cell.cell[v].kind.replace("prev", "new") for v in reached | more}
            more |= {v for v, node in enumerate(cell.cell) if node.kind in read}
            if more <= reached:
                break
            reached |= more
        for place, part in cell.linears.items():
            found = all(p.grad is not None for p in part.parameters())
            assert found == (int(place) in reached)
