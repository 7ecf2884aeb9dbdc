"""`RecurrentCell` and `RecurrentNetwork`: a cell given as a graph, and a language model of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.errors import GraphError
from ngae.networks.onnx_form import OnnxForm
from ngae.networks.recurrent import OPERATIONS, CellNode, RecurrentConfig, num_states

State = tuple[Tensor, ...]


class SumOfLinears(nn.Module):
    """y = sum_k W_k x_k + b: one matrix for each input, one bias.

    Args:
        inputs: Widths of the inputs.
        outputs: Width of the output.
    """

    def __init__(self, inputs: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(outputs, n)) for n in inputs)
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map inputs, each (batch, inputs[k]), to (batch, outputs)."""
        total = functional.linear(inputs[0], self.weights[0], self.bias)
        for value, weight in zip(inputs[1:], list(self.weights)[1:], strict=True):
            total = total + functional.linear(value, weight)
        return total


class RecurrentCell(nn.Module):
    """One step of a recurrent layer (Klyuchnikov et al. 2020, section 3).

    Nodes are computed in their order: linear is `SumOfLinears`; complement is 1 - a; products and
    sums are element-wise; leaky ReLU has slope 0.01; h_new_k is the sum of its inputs. State k
    becomes h_new_k; a state without one keeps its value, so it stays 0 if it began so.
    Where x has another width than the states and feeds a node that is not linear, that node gets
    W x, with one W for all such nodes; the published cells hold none.
    All weights start uniform in +-1/sqrt(hidden_dim).

    Args:
        cell: The nodes, x first, each after its inputs, h_new_0 last.
        input_dim: Width of x.
        hidden_dim: Width of the states.

    Raises:
        GraphError: A node of unknown kind, or one that is fed by itself or a later one.
    """

    def __init__(self, cell: Sequence[CellNode], input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        check_cell(cell)
        self.cell = tuple(cell)
        self.input_dim, self.hidden_dim = input_dim, hidden_dim
        self.num_states = num_states(cell)
        self.linears = nn.ModuleDict(
            {
                str(place): SumOfLinears(
                    [hidden_dim if u else input_dim for u in node.inputs], hidden_dim
                )
                for place, node in enumerate(cell)
                if node.kind == "linear"
            }
        )
        elsewhere = any(0 in node.inputs for node in cell if node.kind != "linear")
        self.widen = None
        if elsewhere and input_dim != hidden_dim:
            self.widen = nn.Linear(input_dim, hidden_dim, bias=False)
        bound = 1 / math.sqrt(hidden_dim)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Make one step.

        Args:
            x: (batch, input_dim).
            state: `num_states` tensors, each (batch, hidden_dim).

        Returns:
            The output, which is state 0 of the new state, and the new state.
        """
        new = list(state)
        wide = x if self.widen is None else self.widen(x)
        values: list[Tensor] = []
        for place, node in enumerate(self.cell):
            if node.kind.startswith("h_prev"):
                values.append(state[int(node.kind[-1])])
            elif node.kind == "linear":
                inputs = [values[u] if u else x for u in node.inputs]
                values.append(self.linears[str(place)](inputs))
            else:
                values.append(_computed(node.kind, [values[u] for u in node.inputs] or [wide]))
            if node.kind.startswith("h_new"):
                new[int(node.kind[-1])] = values[-1]
        return new[0], tuple(new)


class RecurrentNetwork(nn.Module):
    """A language model: embedding, layers of one cell over time, decoder.

    It is AWD-LSTM's skeleton (Merity et al. 2018) with cells in place of LSTMs, as NAS-Bench-NLP
    trains it, without its dropout and other regularisation.
    Embedding and decoder start uniform in +-0.1, the decoder's bias at 0.

    Args:
        cell: The nodes of the cell, as for `RecurrentCell`.
        config: Sizes of the network.
    """

    def __init__(self, cell: Sequence[CellNode], config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.input_dim)
        self.cells = nn.ModuleList(RecurrentCell(cell, i, h) for i, h in config.layer_sizes)
        self.decoder = nn.Linear(config.layer_sizes[-1][1], config.vocabulary)
        if config.tied:
            self.decoder.weight = self.embedding.weight
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score the next token at every place, from states of 0.

        Args:
            tokens: int64 (time, batch).

        Returns:
            (time, batch, vocabulary) scores.
        """
        scores, _ = self.run(tokens, self.initial_state(tokens.shape[1]))
        return scores

    def run(self, tokens: Tensor, states: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
        """Go on from given states.

        Args:
            tokens: int64 (time, batch).
            states: The state of each layer.

        Returns:
            (time, batch, vocabulary) scores, and the states after the last token.
        """
        sequence = self.embedding(tokens)
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            outputs = []
            for x in sequence.unbind(0):
                output, state = cell(x, state)
                outputs.append(output)
            sequence = torch.stack(outputs)
            after.append(state)
        return self.decoder(sequence), tuple(after)

    def initial_state(self, batch: int) -> tuple[State, ...]:
        """Return zeros for `batch` sequences, for each layer."""
        cells = [cell for cell in self.cells if isinstance(cell, RecurrentCell)]
        like = self.decoder.bias
        return tuple(
            tuple(like.new_zeros(batch, cell.hidden_dim) for _ in range(cell.num_states))
            for cell in cells
        )


class RecurrentStep(nn.Module):
    """One step of a language model, with the states of all layers in one list.

    Args:
        network: The language model.
    """

    def __init__(self, network: RecurrentNetwork) -> None:
        super().__init__()
        self.network = network
        start = network.initial_state(1)
        self.sizes = tuple(len(states) for states in start)

    def forward(self, token: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        """Score the next token.

        Args:
            token: int64 (batch,).
            states: Of the first layer, then of the next ones, each (batch, width of the layer).

        Returns:
            Scores (batch, vocabulary), then the new states.
        """
        layers, at = [], 0
        for size in self.sizes:
            layers.append(tuple(states[at : at + size]))
            at += size
        scores, after = self.network.run(token[None], tuple(layers))
        return (scores[0], *(state for layer in after for state in layer))


def step_form(network: nn.Module) -> OnnxForm:
    """Describe one step of a language model for ONNX, which has no loop over time here."""
    assert isinstance(network, RecurrentNetwork)
    states = [state for layer in network.initial_state(2) for state in layer]
    inputs: dict[str, Tensor | list[Tensor]] = {
        "token": torch.zeros(2, dtype=torch.int64),
        "state": states,
    }
    outputs = ("scores", *(f"new_state_{i}" for i in range(len(states))))
    free = {"token": {0: "batch"}, "state": {0: "batch"}}
    return OnnxForm(RecurrentStep(network), inputs, outputs, free)


def _computed(kind: str, inputs: list[Tensor]) -> Tensor:
    """Value of a node that has no weights; x hands on its one input."""
    first = inputs[0]
    if kind == "complement":
        return 1 - first
    if kind == "activation_tanh":
        return torch.tanh(first)
    if kind == "activation_sigm":
        return torch.sigmoid(first)
    if kind == "activation_leaky_relu":
        return functional.leaky_relu(first)
    for value in inputs[1:]:
        first = first * value if kind == "elementwise_prod" else first + value
    return first


def check_cell(cell: Sequence[CellNode]) -> None:
    """Require nodes of known kinds, x first, each after its inputs.

    Raises:
        GraphError: Naming the node, what was expected and what was found.
    """
    for place, node in enumerate(cell):
        known = node.kind in OPERATIONS or node.kind.startswith(("h_prev_", "h_new_"))
        if not (node.kind == "x" if place == 0 else known):
            wanted = "x" if place == 0 else "an operation or a state"
            raise GraphError(f"recurrent cell: node {place}: expected {wanted}, found {node.kind}")
        if any(not 0 <= u < place for u in node.inputs):
            raise GraphError(
                f"recurrent cell: node {place}: expected earlier inputs, found {node.inputs}"
            )
