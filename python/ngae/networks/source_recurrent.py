"""The source of a `RecurrentNetwork`: a cell written out node by node."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from ngae.networks.recurrent import CellNode, RecurrentConfig, num_states
from ngae.networks.recurrent_network import SumOfLinears, check_cell
from ngae.networks.source import NetworkSource, listed

_CODE = '''
class Cell(nn.Module):
    """One step of a layer; all weights start uniform in +-1/sqrt(hidden_dim)."""

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.hidden_dim = hidden_dim
{linears}
{widen}        bound = 1 / math.sqrt(hidden_dim)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Make a step from x (batch, input_dim) and states (batch, hidden_dim) each."""
{steps}


class Network(nn.Module):
    """A language model: embedding, layers of the cell over time, decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding({vocabulary}, {input_dim})
        self.cells = nn.ModuleList([{cells}])
        self.decoder = nn.Linear({last}, {vocabulary})
{tying}        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score the next token at every place.

        Tokens are int64 (time, batch), scores (time, batch, {vocabulary}).
        """
        sequence = self.embedding(tokens)
        for cell in self.cells:
            start = sequence.new_zeros(tokens.shape[1], cell.hidden_dim)
            state, outputs = (start,) * {states}, []
            for x in sequence.unbind(0):
                output, state = cell(x, state)
                outputs.append(output)
            sequence = torch.stack(outputs)
        return self.decoder(sequence)
'''
_CALLS = {
    "activation_tanh": "torch.tanh",
    "activation_sigm": "torch.sigmoid",
    "activation_leaky_relu": "functional.leaky_relu",
}


def recurrent_source(cell: Sequence[CellNode], config: RecurrentConfig) -> NetworkSource:
    """Write `RecurrentNetwork(cell, config)`.

    Raises:
        GraphError: A node of unknown kind, or one that is fed by itself or a later one.
    """
    check_cell(cell)
    linears = [
        f'"{place}": SumOfLinears([{_widths(node)}], hidden_dim)'
        for place, node in enumerate(cell)
        if node.kind == "linear"
    ]
    elsewhere = any(0 in node.inputs for node in cell if node.kind != "linear")
    widens = elsewhere and any(i != h for i, h in config.layer_sizes)
    code = _CODE.format(
        linears=listed("self.linears = nn.ModuleDict({", linears, "})", 8),
        widen=_WIDEN if widens else "",
        steps="\n".join(_steps(cell, widens)),
        cells=", ".join(f"Cell({i}, {h})" for i, h in config.layer_sizes),
        last=config.layer_sizes[-1][1],
        tying="        self.decoder.weight = self.embedding.weight\n" if config.tied else "",
        states=num_states(cell),
        **{name: value for name, value in vars(config).items() if name != "tied"},
    )
    kinds = "State = tuple[Tensor, ...]"
    parts = [kinds, inspect.getsource(SumOfLinears).strip(), code.strip("\n")]
    return NetworkSource(
        "\n\n\n".join(parts),
        ("torch.zeros(4, 2, dtype=torch.int64)",),
        ("import math", "from collections.abc import Sequence"),
        ("from torch.nn import functional",),
    )


_WIDEN = """\
        # x has another width than the states, and feeds nodes that are not linear.
        same = input_dim == hidden_dim
        self.widen = nn.Identity() if same else nn.Linear(input_dim, hidden_dim, bias=False)
"""


def _widths(node: CellNode) -> str:
    return ", ".join("hidden_dim" if u else "input_dim" for u in node.inputs)


def _names(cell: Sequence[CellNode]) -> list[str]:
    """A name for the value of each node; operations go by their numbers."""
    return [
        node.kind if node.kind.startswith(("x", "h_")) else f"n{place}"
        for place, node in enumerate(cell)
    ]


def _steps(cell: Sequence[CellNode], widens: bool) -> list[str]:
    names = _names(cell)
    wide = ["wide" if widens else "x", *names[1:]]
    steps = ["        wide = self.widen(x)"] if widens else []
    for place, node in enumerate(cell[1:], 1):
        if node.kind.startswith("h_prev"):
            steps.append(f"        {node.kind} = state[{node.kind[-1]}]")
        elif node.kind == "linear":
            inputs = ", ".join(names[u] for u in node.inputs)
            steps.append(f'        n{place} = self.linears["{place}"]([{inputs}])')
        else:
            value = _value(node.kind, [wide[u] for u in node.inputs] or [wide[0]])
            steps.append(f"        {names[place]} = {value}")
    made = {node.kind for node in cell}
    new = [f"h_new_{k}" if f"h_new_{k}" in made else f"state[{k}]" for k in range(num_states(cell))]
    after = f"({', '.join(new)},)" if len(new) == 1 else f"({', '.join(new)})"
    return [*steps, f"        return {new[0]}, {after}"]


def _value(kind: str, inputs: Sequence[str]) -> str:
    """The expression of a node that has no weights."""
    if kind == "complement":
        return f"1 - {inputs[0]}"
    if kind in _CALLS:
        return f"{_CALLS[kind]}({inputs[0]})"
    return (" * " if kind == "elementwise_prod" else " + ").join(inputs)
