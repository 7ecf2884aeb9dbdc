"""Recurrent cells as NAS-Bench-NLP writes them: an object, node name -> operation and inputs.

Reading is strict: whatever is not such a cell is refused by the name of its node. Writing gives
an object that reads back as the same graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

from ngae.errors import GraphError, cut, shown
from ngae.files import repeated
from ngae.networks.recurrent import NUM_STATES, CellNode

BLEND, STATE, SUM, PROD, COMPLEMENT = (
    "blend",
    "state",
    "elementwise_sum",
    "elementwise_prod",
    "complement",
)
MAX_INPUTS = 3  # of a linear, product or sum node
# Fewest and most inputs. h_new_<k> may be a sum of one, h_new_0 one of any number.
ARITY = {
    "linear": (1, MAX_INPUTS),
    BLEND: (3, 3),
    PROD: (2, MAX_INPUTS),
    SUM: (2, MAX_INPUTS),
    COMPLEMENT: (1, 1),
    "activation_tanh": (1, 1),
    "activation_sigm": (1, 1),
    "activation_leaky_relu": (1, 1),
    STATE: (0, 0),
}
OUTPUTS = tuple(f"h_new_{k}" for k in reversed(range(NUM_STATES)))  # as they stand in a graph
_STATE_NAME = re.compile(r"(h_prev|h_new)_(\d+)")
_LOOKS = 40  # characters of a wrong value that are shown

# A node in the making: the entry that it comes from, and which part of it.
_Key: TypeAlias = tuple[str, str]


class _Entry(NamedTuple):
    op: str
    inputs: tuple[str, ...]


def read_cell(value: object) -> list[CellNode]:
    """Read a cell.

    blend(a, b, c) = a b + (1 - a) c becomes two products, a complement and their sum (the gate
    comes first: `custom_rnn.py` of fmsnew/nas-bench-nlp-release). A sum or a blend that is h_new_0
    and that no other node reads becomes inputs of h_new_0 itself. A sum of one input, which only an
    h_new_<k> can be, renews state k with that input and is no operation.

    Args:
        value: Node name -> {"op": name, "input": [names]}.

    Returns:
        x, the states that are read, the operations in an order that keeps theirs where it can,
        the outputs, h_new_0 last.

    Raises:
        GraphError: Naming the node, what was expected and what was found.
    """
    return _Reader(_entries(value)).cell()


class _Reader:
    """Turns the entries of a cell into nodes."""

    def __init__(self, entries: dict[str, _Entry]) -> None:
        self.entries = entries
        read = {name for entry in entries.values() for name in entry.inputs}
        self.aliases = {
            name
            for name in OUTPUTS
            if name in entries and entries[name].op == SUM and len(entries[name].inputs) == 1
        }
        first = entries["h_new_0"]
        self.merged = (
            first.op in (SUM, BLEND) and "h_new_0" not in read and "h_new_0" not in self.aliases
        )

    def cell(self) -> list[CellNode]:
        operations = self._operations()
        outputs = {name: self._output(name) for name in OUTPUTS if name in self.entries}
        if self.merged and self.entries["h_new_0"].op == BLEND:
            outputs["h_new_0"] = [("h_new_0", "kept"), ("h_new_0", "new")]
        read = {key for _, keys in operations.values() for key in keys}
        read |= {key for keys in outputs.values() for key in keys}
        for key in operations:
            if key not in read:
                _refuse(key[0], "a node or an output that reads it", "none")
        order: list[_Key] = [("x", "")]
        for k in range(NUM_STATES):
            name = f"h_prev_{k}"
            if k == 0 or (name, "") in read or name in self.entries:
                order.append((name, ""))
        order += _sorted(operations)
        order += [(name, "output") for name in outputs]
        place = {key: i for i, key in enumerate(order)}
        cell = []
        for name, part in order:
            kind, keys = operations.get((name, part), (name, []))
            if part == "output":
                keys = outputs[name]
            inputs = tuple(sorted(place[key] for key in keys))
            if len(set(inputs)) < len(inputs):
                _refuse(name, "each input once", "one that stands behind two names")
            cell.append(CellNode(kind, inputs))
        return cell

    def _operations(self) -> dict[_Key, tuple[str, list[_Key]]]:
        made: dict[_Key, tuple[str, list[_Key]]] = {}
        for name, entry in self.entries.items():
            if entry.op == STATE or name in self.aliases:
                continue
            merged = self.merged and name == "h_new_0"
            keys = [self._source(name, used, None) for used in entry.inputs]
            if entry.op == BLEND:
                gate, kept, new = keys
                rest = (name, "rest")
                made[name, "kept"] = PROD, [gate, kept]
                made[rest] = COMPLEMENT, [gate]
                made[name, "new"] = PROD, [rest, new]
                keys = [(name, "kept"), (name, "new")]
            if not merged:
                made[name, ""] = SUM if entry.op == BLEND else entry.op, keys
        return made

    def _output(self, name: str) -> list[_Key]:
        if name in self.aliases or (self.merged and name == "h_new_0"):
            reader = OUTPUTS.index(name)
            return [self._source(name, used, reader) for used in self.entries[name].inputs]
        return [(name, "")]

    def _source(self, name: str, used: str, reader: int | None, depth: int = 0) -> _Key:
        """The node that `name` reads as `used`; `reader` is the place of an output."""
        if used == "x" or used in _states() or used in self.entries:
            if used not in self.aliases:
                return used, ""
            if depth > NUM_STATES:
                _refuse(name, "a graph without cycles", f"the cycle through {used!r}")
            if reader is not None and OUTPUTS.index(used) < reader:
                return used, "output"
            return self._source(name, self.entries[used].inputs[0], reader, depth + 1)
        _refuse(name, "inputs x, h_prev_<k> or other nodes", repr(used[:_LOOKS]))


def write_cell(cell: Sequence[CellNode]) -> dict[str, dict[str, Any]]:
    """Write a cell so that `read_cell` gives the same graph.

    Args:
        cell: Nodes as `read_cell` returns them.

    Returns:
        Node name -> {"op", "input"}; operations are node_0, node_1, ... or the output they are.
    """
    readers: list[list[int]] = [[] for _ in cell]
    for place, node in enumerate(cell):
        for u in node.inputs:
            readers[u].append(place)
    blends = {place: b for place in range(len(cell)) if (b := _blend(cell, readers, place))}
    inner = {u for blend in blends.values() for u in blend.inner}
    names, operations = _names(cell, readers, inner)
    written: dict[str, dict[str, Any]] = {}
    for place, node in enumerate(cell):
        if node.kind.startswith("h_prev") and node.kind != "h_prev_0" and not readers[place]:
            written[node.kind] = {"op": STATE, "input": []}
        output = node.kind in OUTPUTS
        if not (output or place in operations) or names.get(node.inputs[0]) == node.kind:
            continue
        op = SUM if output else node.kind
        inputs = node.inputs
        if place in blends:
            op, inputs = BLEND, blends[place].inputs
        written[names[place]] = {"op": op, "input": [names[u] for u in inputs]}
    return written


def _names(
    cell: Sequence[CellNode], readers: Sequence[Sequence[int]], inner: set[int]
) -> tuple[dict[int, str], list[int]]:
    """The name of each node that is written, and the operations among them."""
    last = len(cell) - 1
    operations = [
        place
        for place, node in enumerate(cell)
        if place not in inner and not node.kind.startswith(("x", "h_"))
    ]
    names = {p: node.kind for p, node in enumerate(cell) if node.kind.startswith(("x", "h_"))}
    for place in reversed(range(len(cell))):
        node = cell[place]
        if node.kind not in OUTPUTS or len(node.inputs) != 1 or readers[place]:
            continue
        source = node.inputs[0]
        folds = place == last and cell[source].kind == SUM and readers[source] == [last]
        if source in operations and source not in names and not folds:
            names[source] = node.kind
    for number, place in enumerate(operations):
        names.setdefault(place, f"node_{number}")
    return names, operations


class _Blend(NamedTuple):
    inputs: tuple[int, int, int]
    inner: tuple[int, int, int]


def _blend(cell: Sequence[CellNode], readers: Sequence[Sequence[int]], place: int) -> _Blend | None:
    """The blend that ends in a sum or in h_new_0, with the nodes that only serve it."""
    node = cell[place]
    if len(node.inputs) != 2 or node.kind not in (SUM, "h_new_0"):
        return None
    for kept, new in (node.inputs, node.inputs[::-1]):
        products = (cell[kept], cell[new])
        if any(p.kind != PROD or len(p.inputs) != 2 for p in products):
            return None
        if readers[kept] != [place] or readers[new] != [place]:
            return None
        for rest, value in (cell[new].inputs, cell[new].inputs[::-1]):
            if cell[rest].kind != COMPLEMENT or readers[rest] != [new]:
                continue
            gate = cell[rest].inputs[0]
            others = [u for u in cell[kept].inputs if u != gate]
            if len(others) == 1 and len({gate, others[0], value}) == 3:
                return _Blend((gate, others[0], value), (kept, rest, new))
    return None


def _entries(value: object) -> dict[str, _Entry]:
    if not isinstance(value, Mapping) or not value:
        raise GraphError(f"recurrent: expected an object of nodes, found {repr(value)[:_LOOKS]}")
    entries = {str(name): _entry(str(name), spec) for name, spec in value.items()}
    for name, entry in entries.items():
        for used in (name, *entry.inputs):
            match = _STATE_NAME.fullmatch(used)
            if match and used not in _states() and used not in OUTPUTS:
                _refuse(name, f"states 0 to {NUM_STATES - 1}", repr(used))
        _check_entry(name, entry)
    if "h_new_0" not in entries:
        raise GraphError("recurrent: expected a node 'h_new_0', found none")
    return entries


def _entry(name: str, spec: object) -> _Entry:
    if not isinstance(spec, Mapping) or set(spec) != {"op", "input"}:
        _refuse(name, "an object of op and input", repr(spec)[:_LOOKS])
    op, inputs = spec["op"], spec["input"]
    if not isinstance(op, str) or op not in ARITY:
        _refuse(name, f"op: one of {', '.join(ARITY)}", repr(op)[:_LOOKS])
    if not isinstance(inputs, list) or not all(isinstance(used, str) for used in inputs):
        _refuse(name, "input: a list of node names", repr(inputs)[:_LOOKS])
    return _Entry(op, tuple(inputs))


def _check_entry(name: str, entry: _Entry) -> None:
    least, most = ARITY[entry.op]
    if entry.op == SUM and name in OUTPUTS:
        least, most = 1, (most if name != "h_new_0" else len(entry.inputs) or 1)
    if not least <= len(entry.inputs) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        _refuse(name, f"{wanted} inputs of {entry.op}", f"{len(entry.inputs)}")
    twice = repeated(entry.inputs)
    if twice is not None:
        _refuse(name, "each input once", f"{shown(twice)} twice")
    if name == "x" or (name in _states()) != (entry.op == STATE):
        _refuse(name, "op state for h_prev_<k> and no other, and no node x", repr(entry.op))


def _sorted(operations: Mapping[_Key, tuple[str, list[_Key]]]) -> list[_Key]:
    """The operations, each after those that it reads, otherwise as they come."""
    left, order = dict(operations), []
    while left:
        ready = next((k for k, (_, keys) in left.items() if not left.keys() & set(keys)), None)
        if ready is None:
            names = ", ".join(sorted({repr(name) for name, _ in left}))
            raise GraphError(
                f"recurrent: expected a graph without cycles, found one among {cut(names, 200)}"
            )
        order.append(ready)
        del left[ready]
    return order


def _states() -> tuple[str, ...]:
    return tuple(f"h_prev_{k}" for k in range(NUM_STATES))


def _refuse(name: str, expected: str, found: str) -> NoReturn:
    raise GraphError(f"recurrent: node {name[:_LOOKS]!r}: expected {expected}, found {found}")
