"""Architectures of a space as sequences of one length: node by node its type, then its inputs.

A slot stands for one decision that the rules of the space leave open: the type of a node, or
whether an earlier node feeds it. What is forced or forbidden has no slot.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.rules import FREE
from ngae.search.neighbours import Draft, completed
from ngae.spaces.base import SearchSpace

Tokens = NDArray[np.int64]


class GraphSequences:
    """Turns architectures into sequences of tokens, and back.

    Tokens are the node types, one for "no such node", and no and yes for inputs.

    Args:
        space: Their space.

    Attributes:
        num_tokens: Number of different tokens.
        allowed: Bool (length, num_tokens): tokens that each slot may hold.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        rules = space.rules
        self._absent = rules.num_node_types
        self.num_tokens = self._absent + 3
        self._slots: list[tuple[int, int | None]] = []  # a node, and the input that is asked for
        allowed: list[NDArray[np.bool_]] = []
        may_end = False
        for v in range(1, rules.max_nodes):
            types = np.zeros(self.num_tokens, dtype=np.bool_)
            types[: self._absent], types[self._absent] = rules.type_allowed[v], may_end
            self._slots.append((v, None))
            allowed.append(types)
            may_end |= bool(rules.type_allowed[v, rules.end_type])
            decided = v < rules.max_nodes - 1 or rules.loose_ends != "only"
            for u in np.flatnonzero(rules.edge_rule[:v, v] == FREE) if decided else ():
                self._slots.append((v, int(u)))
                allowed.append(np.arange(self.num_tokens) > self._absent)
        self._open = np.flatnonzero([row.sum() > 1 for row in allowed])
        self._forced = np.array([int(row.argmax()) for row in allowed])
        self.allowed = np.stack(allowed)[self._open]

    def tokens(self, dags: Sequence[Dag]) -> Tokens:
        """Write architectures as int64 (len(dags), length)."""
        types, feeds = Dags.of(dags).padded(self.space.max_nodes)
        kinds = np.where(types < 0, self._absent, types)
        rules = self.space.rules
        if rules.loose_ends == "only":  # what feeds the end follows from the rest
            feeds = feeds & (types != rules.end_type)[:, None, :]
        columns = [
            kinds[:, v] if u is None else self._absent + 1 + feeds[:, u, v]
            for v, u in (self._slots[slot] for slot in self._open)
        ]
        return np.stack(columns, axis=1).astype(np.int64)

    def dags(self, tokens: Tokens) -> list[Dag]:
        """Read sequences (num_sequences, length); those of no architecture are left out."""
        found = (self._dag(row) for row in tokens)
        return [dag for dag in found if dag is not None]

    def _dag(self, row: Tokens) -> Dag | None:
        """Read one sequence up to the end of its graph."""
        whole = self._forced.copy()
        whole[self._open] = row
        types, edges = [self.space.rules.start_type], set()
        for token, (v, u) in zip(whole.tolist(), self._slots, strict=True):
            if u is None:
                if types[-1] == self.space.rules.end_type:
                    break
                if token == self._absent:
                    return None
                types.append(token)
            elif token == self._absent + 2:
                edges.add((u, v))
        if types[-1] != self.space.rules.end_type:
            return None
        return completed(self.space, Draft(list(types), set(edges)))
