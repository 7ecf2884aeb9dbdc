"""Random recurrent cells such as NAS-Bench-NLP holds: merged paths, one to three states."""

from __future__ import annotations

import numpy as np

from ngae.networks.recurrent import NUM_STATES, CellNode
from ngae.spaces.recurrent_text import COMPLEMENT, OUTPUTS, PROD, SUM

_MOST_OPERATIONS = 15  # of the published cells; a blend counts as one
# Shares of the operations and of the numbers of states among the published cells.
_KINDS = (
    ("linear", 0.36),
    ("activation_sigm", 0.18),
    ("activation_tanh", 0.15),
    ("activation_leaky_relu", 0.12),
    (SUM, 0.07),
    (PROD, 0.06),
    ("blend", 0.05),
    (COMPLEMENT, 0.01),
)
_STATES = (0.45, 0.35, 0.2)
_BLEND_NODES = 4
_RECENT = 0.7  # chance that an input is the latest node that feeds nothing yet


class _Growth:
    """A cell in the making."""

    def __init__(self, states: int) -> None:
        self.cell = [CellNode("x", ()), *(CellNode(f"h_prev_{k}", ()) for k in range(states))]
        self.states = states
        self.loose: list[int] = []

    def add(self, kind: str, inputs: list[int]) -> int:
        """Append a node and return its place."""
        self.loose = [u for u in self.loose if u not in inputs]
        self.cell.append(CellNode(kind, tuple(sorted(inputs))))
        self.loose.append(len(self.cell) - 1)
        return len(self.cell) - 1


def draw_cell(rng: np.random.Generator, max_nodes: int) -> list[CellNode]:
    """Draw a cell.

    The first operation is linear in x and a state, and every state is read. An input of the others
    is the latest node that feeds nothing yet, or any earlier one; an activation is applied to an
    operation alone. Extra states are renewed by random operations; what feeds nothing at the end
    feeds h_new_0.

    Args:
        rng: Source of the random numbers.
        max_nodes: Most nodes of the cell, at least 4.

    Returns:
        The nodes, x first, h_new_0 last.
    """
    room = max_nodes - 2  # x and h_new_0
    states = min(1 + int(rng.choice(NUM_STATES, p=_STATES)), (room + 1) // 3)
    room -= 2 * states - 1
    growth = _Growth(states)
    for state in range(min(states, room)):
        _add_first(growth, rng, state)
    left = int(rng.integers(1, _MOST_OPERATIONS))
    names, shares = zip(*_KINDS, strict=True)
    while left > 0 and len(growth.cell) - 1 - states < room:
        kind = str(rng.choice(names, p=shares))
        free = room - (len(growth.cell) - 1 - states)
        if kind != "blend" or free >= _BLEND_NODES:
            _add(growth, rng, kind)
            left -= 1
    return _finished(growth, rng)


def _add_first(growth: _Growth, rng: np.random.Generator, state: int) -> None:
    """A linear node that reads a state, and x or what is there."""
    other = 0 if state == 0 else int(rng.choice([0, *growth.loose]))
    growth.add("linear", [other, 1 + state])


def _add(growth: _Growth, rng: np.random.Generator, kind: str) -> None:
    if kind == "blend":
        gate, kept, new = _inputs(growth, rng, 3)
        rest = growth.add(COMPLEMENT, [gate])
        first, second = growth.add(PROD, [gate, kept]), growth.add(PROD, [rest, new])
        growth.add(SUM, [first, second])
    elif kind.startswith("activation") or kind == COMPLEMENT:
        growth.add(kind, [_latest(growth, rng)])
    else:
        growth.add(kind, _inputs(growth, rng, 3 if rng.random() < 0.15 else 2))


def _latest(growth: _Growth, rng: np.random.Generator) -> int:
    """An operation, most often the latest that feeds nothing."""
    if rng.random() < _RECENT:
        return growth.loose[-1]
    return int(rng.integers(1 + growth.states, len(growth.cell)))


def _inputs(growth: _Growth, rng: np.random.Generator, count: int) -> list[int]:
    chosen = [_latest(growth, rng)]
    while len(chosen) < count:
        waiting = [u for u in growth.loose if u not in chosen]
        recent = bool(waiting) and rng.random() < _RECENT
        node = waiting[-1] if recent else int(rng.integers(len(growth.cell)))
        if node not in chosen:
            chosen.append(node)
    rng.shuffle(chosen)
    return chosen


def _finished(growth: _Growth, rng: np.random.Generator) -> list[CellNode]:
    """Add the outputs: h_new_2, h_new_1 and h_new_0 with what feeds nothing."""
    operations = np.arange(1 + growth.states, len(growth.cell))
    cell, loose = list(growth.cell), list(growth.loose)
    for name in OUTPUTS[-growth.states : -1]:
        source = int(rng.choice(operations))
        loose = [u for u in loose if u != source]
        cell.append(CellNode(name, (source,)))
    if not loose:
        loose = [int(operations[-1])]
    cell.append(CellNode(OUTPUTS[-1], tuple(loose)))
    return cell
