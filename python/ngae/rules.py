"""What a decoder may build: the validity masks of a search space, as plain arrays.

The rules are declarative so that one native loop serves every space. They say nothing about
probabilities; decisions that they force or forbid carry no loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError

FORBIDDEN, FREE, FORCED = 0, 1, 2
LooseEnds = Literal["free", "forced", "only"]
LOOSE_ENDS: tuple[LooseEnds, ...] = ("free", "forced", "only")  # as LooseEnds of csrc/decode.h
ANY_NUMBER = 2**31 - 1


@dataclass(frozen=True, eq=False)
class DecodeRules:
    """Which node types and edges a decoder may choose.

    Attributes:
        start_type: Type of node 0.
        end_type: Type of the node that ends a graph.
        type_allowed: Bool (max_nodes, num_node_types): types that the node at a place may have.
            Row 0 allows `start_type` alone, the last row `end_type` alone.
        edge_rule: uint8 (max_nodes, max_nodes), `[u, v]` for u < v: 0 forbidden, 1 free,
            2 forced. Into the end node: for the edges that `loose_ends` leaves to be decided.
        min_in_degree: int32 (num_node_types,).
        max_in_degree: int32 (num_node_types,). Nodes of a type with 0 decide no edges.
        loose_ends: How the end node is fed. free: its incoming edges are decided like all
            others. forced: loose ends feed it, the other edges are decided. only: it is fed by
            exactly the loose ends, and nothing is decided there.
        must_feed: Bool (num_node_types,), None for all True: a node of such a type that feeds
            nothing when the end comes is a loose end. Other nodes may feed nothing.
        type_follows: Bool (num_node_types, num_node_types), None for all True: `[t, s]`, a node
            of type s may come right after (by number) one of type t.
        max_edges: Most edges of a graph, or None. Only where `loose_ends` are forced or the only
            ones, every edge is free, every type but the end must feed, in-degrees of one at most
            are demanded, and the end may come at any time.
    """

    start_type: int
    end_type: int
    type_allowed: NDArray[np.bool_]
    edge_rule: NDArray[np.uint8]
    min_in_degree: NDArray[np.int32]
    max_in_degree: NDArray[np.int32]
    loose_ends: LooseEnds
    must_feed: NDArray[np.bool_] = None  # type: ignore[assignment]  # filled in below
    type_follows: NDArray[np.bool_] = None  # type: ignore[assignment]
    max_edges: int | None = None

    def __post_init__(self) -> None:
        nodes, types = self.type_allowed.shape
        for name, shape in {"must_feed": (types,), "type_follows": (types, types)}.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.ones(shape, dtype=np.bool_))
        self._expect("edge_rule", self.edge_rule.shape, (nodes, nodes))
        self._expect("min_in_degree", self.min_in_degree.shape, (types,))
        self._expect("max_in_degree", self.max_in_degree.shape, (types,))
        self._expect("must_feed", self.must_feed.shape, (types,))
        self._expect("type_follows", self.type_follows.shape, (types, types))
        self._expect("max_nodes, at least", min(nodes, 2), 2)
        if self.loose_ends not in LOOSE_ENDS:
            self._expect("loose_ends", self.loose_ends, f"one of {', '.join(LOOSE_ENDS)}")
        start = [t for t in range(types) if self.type_allowed[0, t]]
        end = [t for t in range(types) if self.type_allowed[-1, t]]
        self._expect("types allowed at node 0", start, [self.start_type])
        self._expect("types allowed at the last node", end, [self.end_type])
        for what, holds in (
            ("edge_rule of 0, 1 and 2", (self.edge_rule <= FORCED).all()),
            ("degrees from 0", (self.min_in_degree >= 0).all()),
            ("min_in_degree up to max", (self.min_in_degree <= self.max_in_degree).all()),
            (
                "masks of bool",
                all(
                    a.dtype == np.bool_
                    for a in (self.type_allowed, self.must_feed, self.type_follows)
                ),
            ),
        ):
            self._expect(what, bool(holds), True)
        self._check_ways()
        if self.max_edges is not None:
            self._check_budget()

    def _check_ways(self) -> None:
        """Require that a graph can go on after every node that it can come to."""
        reached = {self.start_type}
        for place in range(1, self.max_nodes):
            now: set[int] = set()
            for before in sorted(reached):
                after = np.flatnonzero(self.type_allowed[place] & self.type_follows[before])
                self._expect(
                    f"a type for node {place} after one of type {before}", len(after) > 0, True
                )
                now |= set(after.tolist())
            reached = now - {self.end_type}

    def _check_budget(self) -> None:
        """Require what lets the decoder keep `max_edges`; see keep_edge_budget in csrc/decode.h."""
        nodes, types = self.max_nodes, self.num_node_types
        others = np.arange(types) != self.end_type
        above = np.triu(np.ones((nodes, nodes), dtype=np.bool_), 1)
        for what, holds in (
            ("loose_ends that are not free", self.loose_ends != "free"),
            ("max_edges of at least 1", self.max_edges is not None and self.max_edges >= 1),
            ("all edges free", (self.edge_rule[above] == FREE).all()),
            ("in-degrees of at most 1 demanded", (self.min_in_degree <= 1).all()),
            ("all types but the end in must_feed", self.must_feed[others].all()),
            ("the end allowed at every node", self.type_allowed[1:, self.end_type].all()),
            ("the end allowed after every type", self.type_follows[others, self.end_type].all()),
        ):
            self._expect(f"with max_edges, {what}", bool(holds), True)

    @cached_property
    def forced_edges(self) -> tuple[tuple[int, int], ...]:
        """Pairs (u, v) with u < v that `edge_rule` forces, by v."""
        targets, sources = np.nonzero(np.triu(self.edge_rule == FORCED, 1).T)
        return tuple(zip(sources.tolist(), targets.tolist(), strict=True))

    @property
    def most_edges(self) -> int:
        """`max_edges`, or a number that no graph reaches."""
        return ANY_NUMBER if self.max_edges is None else self.max_edges

    @staticmethod
    def _expect(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise GraphError(f"DecodeRules: {what}: expected {expected}, found {found}")

    @property
    def max_nodes(self) -> int:
        """Most nodes of a graph, start and end included."""
        return int(self.type_allowed.shape[0])

    @property
    def num_node_types(self) -> int:
        """Number of node types, start and end included."""
        return int(self.type_allowed.shape[1])
