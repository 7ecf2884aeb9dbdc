"""A distribution over the architectures of a space: one softmax for each decision of its rules.

Each place has a softmax over types; among those that the rules allow there, the end of the graph
included where it may come. Then, where a type takes any number of inputs, each free edge has a
softmax over yes and no; where it takes few, a softmax over their number, and one over the sources,
drawn without replacement. The decisions are independent but for what the rules mask. Loose ends
feed the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.errors import GraphError
from ngae.rules import FORCED, FREE, DecodeRules
from ngae.spaces.base import SearchSpace

_EDGE_SHARE = 0.8  # of `max_edges` are expected at first


@dataclass(frozen=True)
class Decision:
    """One draw of a softmax.

    Attributes:
        logits: Numbers of its logits among all, int64 (num_choices,), those allowed.
        chosen: Which of them was drawn.
    """

    logits: NDArray[np.int64]
    chosen: int


class Controller:
    """Draws architectures, and tells the gradient of their log-probability.

    All architectures of one size are about equally frequent at first, and all sizes.

    Args:
        space: What is drawn from.

    Attributes:
        logits: float64 (num_logits,), to be changed in place.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.rules = rules = space.rules
        nodes, types = rules.max_nodes, rules.num_node_types
        shapes = ((nodes, types), (nodes, nodes, 2), (nodes, nodes), (nodes, nodes + 1))
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        numbers = np.split(np.arange(ends[-1]), ends[:-1])
        self._types, self._edges, self._sources, self._counts = (
            part.reshape(shape) for part, shape in zip(numbers, shapes, strict=True)
        )
        self.logits = np.zeros(int(ends[-1]))
        self.logits[self._types[:, rules.end_type]] = _end_logits(rules)
        self.logits[self._edges[:, :, 1]] = _edge_logit(rules)

    def draw(self, rng: np.random.Generator) -> tuple[Dag | None, list[Decision]]:
        """Draw an architecture.

        Returns:
            The architecture, None where it is not in the space, and the decisions that led there.
        """
        drawing = _Drawing(self, rng)
        return drawing.dag(), drawing.decisions

    def probabilities(self, logits: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the softmax over the given logits."""
        values = self.logits[logits]
        weights = np.exp(values - values.max())
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def gradient(
        self, decisions: list[Decision], advantage: float, entropy_weight: float
    ) -> NDArray[np.float64]:
        """Return the gradient of `advantage` x log-probability + `entropy_weight` x entropy.

        Returns:
            float64 (num_logits,).
        """
        found = np.zeros_like(self.logits)
        for decision in decisions:
            p = self.probabilities(decision.logits)
            log_p = np.log(np.maximum(p, 1e-300))
            step = -advantage * p - entropy_weight * p * (log_p - (p * log_p).sum())
            step[decision.chosen] += advantage
            found[decision.logits] += step
        return found

    def type_probabilities(self, place: int) -> NDArray[np.float64]:
        """Return the softmax over the types that the node at `place` may have.

        Returns:
            float64 (num_node_types,), zero for what is not allowed there.
        """
        found = np.zeros(self.rules.num_node_types)
        allowed = self.rules.type_allowed[place]
        found[allowed] = self.probabilities(self._types[place, allowed])
        return found


class _Drawing:
    """One architecture in the making."""

    def __init__(self, controller: Controller, rng: np.random.Generator) -> None:
        self.controller, self.rng = controller, rng
        self.decisions: list[Decision] = []
        self.edges: set[tuple[int, int]] = set()
        self.types = [controller.rules.start_type]
        while self.types[-1] != controller.rules.end_type:
            self._add_node(len(self.types))

    def dag(self) -> Dag | None:
        rules, end = self.controller.rules, len(self.types) - 1
        if rules.loose_ends != "free":
            feeding = {u for u, _ in self.edges}
            self.edges |= {
                (u, end) for u in range(end) if u not in feeding and rules.must_feed[self.types[u]]
            }
        try:
            return Dag(tuple(self.types), tuple(self.edges), self.controller.space)
        except GraphError:
            return None

    def _choose(self, logits: NDArray[np.int64]) -> int:
        if len(logits) == 1:
            return 0
        p = self.controller.probabilities(logits)
        chosen = min(int(np.searchsorted(p.cumsum(), self.rng.random())), len(p) - 1)
        self.decisions.append(Decision(logits, chosen))
        return chosen

    def _add_node(self, v: int) -> None:
        made, rules = self.controller, self.controller.rules
        allowed = np.flatnonzero(rules.type_allowed[v] & rules.type_follows[self.types[-1]])
        kind = int(allowed[self._choose(made._types[v, allowed])])
        self.types.append(kind)
        most = int(rules.max_in_degree[kind])
        if most == 0 or (kind == rules.end_type and rules.loose_ends == "only"):
            return
        forced = np.flatnonzero(rules.edge_rule[:v, v] == FORCED)
        free = np.flatnonzero(rules.edge_rule[:v, v] == FREE)
        self.edges |= {(int(u), v) for u in forced}
        if most >= v:
            sources = [int(u) for u in free if self._choose(made._edges[u, v])]
        else:
            least = int(rules.min_in_degree[kind])
            sources = self._some(v, free, least - len(forced), most - len(forced))
        self.edges |= {(u, v) for u in sources}

    def _some(self, v: int, free: NDArray[np.int64], least: int, most: int) -> list[int]:
        """Draw from `least` to `most` sources of node v, without replacement."""
        made = self.controller
        low, high = min(max(least, 0), len(free)), min(max(most, 0), len(free))
        count = low + self._choose(made._counts[v, low : high + 1])
        left, sources = free, []
        for _ in range(count):
            chosen = self._choose(made._sources[left, v])
            sources.append(int(left[chosen]))
            left = np.delete(left, chosen)
        return sources


def _end_logits(rules: DecodeRules) -> NDArray[np.float64]:
    """Logits of the end at each place that make all sizes that can be reached equally frequent."""
    found = np.zeros(rules.max_nodes)
    may_end = rules.type_allowed[:, rules.end_type]
    for place in range(1, rules.max_nodes - 1):
        others = int(rules.type_allowed[place].sum()) - 1
        later = int(may_end[place + 1 :].sum())
        if may_end[place] and others:
            found[place] = np.log(others / later)
    return found


def _edge_logit(rules: DecodeRules) -> float:
    """Logit of an edge: even, or less where a graph may have few."""
    if rules.max_edges is None:
        return 0.0
    share = min(0.5, _EDGE_SHARE * rules.max_edges / (rules.max_nodes * (rules.max_nodes - 1) / 2))
    return float(np.log(share / (1 - share)))
