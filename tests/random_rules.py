"""Random rules of all kinds for the tests of decoding, and a slow check of what comes out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError
from ngae.rules import FORBIDDEN, FORCED, FREE, DecodeRules, LooseEnds

START, END, TYPES = 0, 1, 5
LOOSE: tuple[LooseEnds, ...] = ("free", "forced", "only")
MOST_EDGES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12)
CASES = [
    *((seed, 7, None) for seed in range(12)),
    *((seed, 7, most) for seed, most in enumerate(MOST_EDGES)),
    (30, 12, None),
    (31, 12, 15),
]  # arguments of random_rules


def random_rules(seed: int, nodes: int = 7, max_edges: int | None = None) -> DecodeRules:
    """Draw rules for graphs of start, end and three types between, until they lead to an end."""
    rng = np.random.default_rng((seed, nodes, max_edges or 0))
    while True:
        try:
            return _draw(rng, nodes, max_edges)
        except GraphError:  # no type is left somewhere
            continue


def _draw(rng: np.random.Generator, nodes: int, max_edges: int | None) -> DecodeRules:
    limited = max_edges is not None
    allowed = rng.random((nodes, TYPES)) < 0.7
    allowed[0] = np.arange(TYPES) == START
    allowed[-1] = np.arange(TYPES) == END
    allowed[1:, START] = False
    if limited:
        allowed[1:, END] = True
    follows = rng.random((TYPES, TYPES)) < 0.7
    follows[:, END] |= limited
    edge = rng.choice([FORBIDDEN, FREE, FREE, FREE, FORCED], size=(nodes, nodes))
    most = rng.integers(0, 4, TYPES)
    least = np.minimum(most, rng.integers(0, 2 if limited else 3, TYPES))
    return DecodeRules(
        start_type=START,
        end_type=END,
        type_allowed=allowed,
        edge_rule=np.triu(np.full_like(edge, FREE) if limited else edge, 1).astype(np.uint8),
        min_in_degree=least.astype(np.int32),
        max_in_degree=most.astype(np.int32),
        loose_ends=LOOSE[rng.integers(1 if limited else 0, 3)],
        must_feed=(rng.random(TYPES) < 0.6) | limited,
        type_follows=follows,
        max_edges=max_edges,
    )


def faults(rules: DecodeRules, types: NDArray[np.int32], edges: NDArray[np.bool_]) -> list[str]:
    """Name what a decoded graph breaks: types (max_nodes,), -1 past the end, edges [u, v]."""
    count = int((types >= 0).sum())
    found = []
    if types[0] != START or (types[count:] != -1).any() or np.tril(edges).any():
        found.append("form")
    if types[count - 1] != END or (types[1 : count - 1] == END).any() or edges[:, count:].any():
        found.append("end")
    if rules.max_edges is not None and edges.sum() > rules.max_edges:
        found.append(f"{edges.sum()} edges")
    for v in range(1, count):
        if not rules.type_allowed[v, types[v]]:
            found.append(f"type of {v}")
        if not rules.type_follows[types[v - 1], types[v]]:
            found.append(f"type of {v} after that of {v - 1}")
        if not _is_fed_well(rules, types, edges, v):
            found.append(f"edges into {v}")
    return found


def _is_fed_well(
    rules: DecodeRules, types: NDArray[np.int32], edges: NDArray[np.bool_], v: int
) -> bool:
    into, kind = edges[:v, v], types[v]
    loose = rules.must_feed[types[:v]] & ~edges[:v, :v].any(axis=1)
    if kind == END and rules.loose_ends == "only":
        return bool((into == loose).all())
    rule = rules.edge_rule[:v, v]
    if kind == END and rules.loose_ends == "forced":
        rule = np.where(loose, FORCED, rule)
    forced, possible = (rule == FORCED).sum(), (rule != FORBIDDEN).sum()
    obeys = into[rule == FORCED].all() and not into[rule == FORBIDDEN].any()
    least = min(rules.min_in_degree[kind], possible)
    most = max(rules.max_in_degree[kind], forced)
    return bool(obeys and least <= into.sum() <= most)
