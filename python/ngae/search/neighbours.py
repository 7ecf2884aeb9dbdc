"""Single changes of an architecture, in any space, by its decode rules.

A change is another type of a node, or an edge more or less: one that is moved, where the type of
its target demands a fixed number of inputs. Where graphs vary in size, also a node more, between
two others, or less. Forced edges and fed loose ends follow from the rest; where graphs vary in
size and loose ends do not feed the end alone, what lost its last input or reader is taken out.

In NAS-Bench-201 that is one of six operations (24 neighbours), in NAS-Bench-101 an operation or
an entry of the adjacency, in NAS-Bench-Graph an operation or a link, in ENAS an operation or a
skip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations, islice

import numpy as np

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError
from ngae.rules import FREE, DecodeRules
from ngae.spaces.base import SearchSpace

_TRIES = 100  # changes that are drawn until one stays within the space


@dataclass
class Draft:
    """A graph in the making: types, and the edges that are decided."""

    types: list[int]
    edges: set[tuple[int, int]]


_Change = Callable[[Draft], None]


def mutated(space: SearchSpace, dag: Dag, rng: np.random.Generator) -> Dag | None:
    """Make one random change: of types, of edges, or of the number of nodes, equally often.

    A node more is as frequent as one less, as far as there is room.

    Returns:
        The changed architecture, or None where 100 draws gave none that is in the space.
    """
    kinds = [kind for kind in _kinds(space.rules, dag) if any(kind)]
    for _ in range(_TRIES if kinds else 0):
        kind = kinds[rng.integers(len(kinds))]
        changes = kind[rng.integers(len(kind))]
        made = _changed(space, dag, changes[rng.integers(len(changes))]) if changes else None
        if made is not None and made != dag:
            return made
    return None


def neighbours(space: SearchSpace, dag: Dag) -> list[Dag]:
    """Make all single changes, each architecture once, in a fixed order and without `dag`."""
    return _distinct(dag, (_changed(space, dag, change) for change in _changes(space.rules, dag)))


def some_neighbours(
    space: SearchSpace, dag: Dag, count: int, rng: np.random.Generator
) -> list[Dag]:
    """Make single changes in random order, until there are `count` that are in the space."""
    changes = _changes(space.rules, dag)
    made = (_changed(space, dag, changes[i]) for i in rng.permutation(len(changes)).tolist())
    return _distinct(dag, islice((other for other in made if other is not None), count))


def crossed(space: SearchSpace, a: Dag, b: Dag, rng: np.random.Generator) -> Dag | None:
    """Take each node, its type and what feeds it, from `a` or `b` (uniform crossover).

    Returns:
        None where the sizes differ or the result is not in the space.
    """
    if len(a) != len(b):
        return None
    parents = [_draft(space.rules, dag) for dag in (a, b)]
    chosen = rng.integers(2, size=len(a)).tolist()
    types = [parents[which].types[node] for node, which in enumerate(chosen)]
    edges = {
        (u, v)
        for which, parent in enumerate(parents)
        for u, v in parent.edges
        if chosen[v] == which
    }
    return completed(space, Draft(types, edges))


def _changes(rules: DecodeRules, dag: Dag) -> list[_Change]:
    return [change for kind in _kinds(rules, dag) for group in kind for change in group]


def _distinct(dag: Dag, others: Iterable[Dag | None]) -> list[Dag]:
    """Keep each architecture once, without `dag`."""
    made = [other for other in others if other is not None]
    distinct = dict(zip(Dags.of(made).hashes(), made, strict=True))
    distinct.pop(dag.canonical_hash, None)
    return list(distinct.values())


def _kinds(rules: DecodeRules, dag: Dag) -> list[list[list[_Change]]]:
    """Changes of types; of edges; of the number of nodes: one more, one less."""
    sizes = [_grown(rules, dag), _shrunk(dag)] if _varies(rules) else []
    return [[_retyped(rules, dag)], [_rewired(rules, dag)], sizes]


def _varies(rules: DecodeRules) -> bool:
    """Whether graphs may have different numbers of nodes."""
    return bool(rules.type_allowed[1:-1, rules.end_type].any())


def _retyped(rules: DecodeRules, dag: Dag) -> list[_Change]:
    return [
        partial(_set_type, node=node, node_type=int(other))
        for node in range(1, len(dag) - 1)
        for other in np.flatnonzero(rules.type_allowed[node])
        if other not in (dag.node_types[node], rules.end_type)
    ]


def _rewired(rules: DecodeRules, dag: Dag) -> list[_Change]:
    """An edge more or less; where a type demands a number of inputs, one that is moved."""
    changes: list[_Change] = []
    decided = len(dag) - (1 if rules.loose_ends == "only" else 0)
    for v in range(1, decided):
        least, most = (
            int(d[dag.node_types[v]]) for d in (rules.min_in_degree, rules.max_in_degree)
        )
        free = [u for u in range(v) if rules.edge_rule[u, v] == FREE]
        now = [u for u in free if u in dag.predecessors[v]]
        others = [u for u in free if u not in dag.predecessors[v]]
        if least == most:
            changes += [partial(_move, v=v, old=u, new=w) for u in now for w in others]
            continue
        changes += [partial(_toggle, edge=(u, v)) for u in now]
        if len(dag.predecessors[v]) < most:
            changes += [partial(_toggle, edge=(u, v)) for u in others]
    return changes


def _grown(rules: DecodeRules, dag: Dag) -> list[_Change]:
    """A node between any two, on their edge or beside it; one that nothing reads where allowed."""
    if len(dag) >= rules.max_nodes:
        return []
    changes: list[_Change] = []
    for u, w in combinations(range(len(dag)), 2):
        readers = [w] if w < len(dag) - 1 or rules.loose_ends != "only" else [None]
        room = len(dag.predecessors[w]) < rules.max_in_degree[dag.node_types[w]]
        for place, node_type in _places(rules, dag, u, w):
            new = partial(_insert, rules=rules, node_type=node_type, place=place, source=u)
            if room or readers == [None]:
                changes += [partial(new, reader=reader, split=False) for reader in readers]
            if (u, w) in dag.edges:
                changes.append(partial(new, reader=w, split=True))
            if w == len(dag) - 1 and not rules.must_feed[node_type]:
                changes.append(partial(new, reader=None, split=False))
    return changes


def _places(rules: DecodeRules, dag: Dag, u: int, w: int) -> Iterator[tuple[int, int]]:
    """For each type the first place after `u`, up to that of `w`, where it may stand."""
    types = dag.node_types
    for node_type in range(rules.num_node_types):
        for place in range(u + 1, w + 1):
            if (
                node_type != rules.end_type
                and rules.type_allowed[place, node_type]
                and rules.type_follows[types[place - 1], node_type]
                and rules.type_follows[node_type, types[place]]
            ):
                yield place, node_type
                break


def _shrunk(dag: Dag) -> list[_Change]:
    return [partial(_drop, node=node) for node in range(1, len(dag) - 1)]


def _set_type(draft: Draft, node: int, node_type: int) -> None:
    draft.types[node] = node_type


def _toggle(draft: Draft, edge: tuple[int, int]) -> None:
    draft.edges ^= {edge}


def _move(draft: Draft, v: int, old: int, new: int) -> None:
    draft.edges -= {(old, v)}
    draft.edges |= {(new, v)}


def _insert(
    draft: Draft,
    rules: DecodeRules,
    node_type: int,
    place: int,
    source: int,
    reader: int | None,
    split: bool,
) -> None:
    """Insert a node at `place`, fed by `source` and, if its type needs more, the nearest others."""
    if split:
        draft.edges -= {(source, reader)}
    draft.edges = {(u + (u >= place), v + (v >= place)) for u, v in draft.edges}
    draft.types.insert(place, node_type)
    inputs = min(int(rules.max_in_degree[node_type]), max(1, int(rules.min_in_degree[node_type])))
    nearest = [u for u in reversed(range(place)) if u != source]
    draft.edges |= {(u, place) for u in [source, *nearest][:inputs]}
    if reader is not None:
        draft.edges |= {(place, reader + 1)}


def _drop(draft: Draft, node: int) -> None:
    """Take a node out; what it fed alone is fed by its inputs where nothing else feeds it."""
    sources = {u for u, v in draft.edges if v == node}
    readers = {v for u, v in draft.edges if u == node}
    kept = {edge for edge in draft.edges if node not in edge}
    fed, feeding = {v for _, v in kept}, {u for u, _ in kept}
    kept |= {(u, v) for u in sources for v in readers if v not in fed or u not in feeding}
    draft.edges = {(u - (u > node), v - (v > node)) for u, v in kept}
    del draft.types[node]


def _draft(rules: DecodeRules, dag: Dag) -> Draft:
    last = len(dag) - 1 if rules.loose_ends == "only" else len(dag)
    return Draft(list(dag.node_types), {edge for edge in dag.edges if edge[1] < last})


def _changed(space: SearchSpace, dag: Dag, change: _Change) -> Dag | None:
    draft = _draft(space.rules, dag)
    change(draft)
    return completed(space, draft)


def completed(space: SearchSpace, draft: Draft) -> Dag | None:
    """Add what follows from the rest; None where the result is not in the space."""
    rules = space.rules
    if rules.loose_ends != "only" and _varies(rules):
        _prune(rules, draft)
    size = len(draft.types)
    if not 2 <= size <= rules.max_nodes:
        return None
    decided = size - 1 if rules.loose_ends == "only" else size
    draft.edges |= {
        (u, v)
        for u, v in rules.forced_edges
        if v < decided and rules.max_in_degree[draft.types[v]] > 0
    }
    if rules.loose_ends != "free":
        feeding = {u for u, _ in draft.edges}
        loose = [u for u in range(size - 1) if u not in feeding and rules.must_feed[draft.types[u]]]
        draft.edges |= {(u, size - 1) for u in loose}
    try:
        return Dag(tuple(draft.types), tuple(draft.edges), space)
    except GraphError:
        return None


def _prune(rules: DecodeRules, draft: Draft) -> None:
    """Take out, again and again, what lacks an input that it needs or feeds nothing but should."""
    while True:
        fed, feeding = {v for _, v in draft.edges}, {u for u, _ in draft.edges}
        dead = [
            node
            for node, kind in enumerate(draft.types[1:-1], start=1)
            if (node not in fed and rules.min_in_degree[kind] > 0)
            or (node not in feeding and rules.must_feed[kind])
        ]
        if not dead:
            return
        node = dead[-1]
        kept = {edge for edge in draft.edges if node not in edge}
        draft.edges = {(u - (u > node), v - (v > node)) for u, v in kept}
        del draft.types[node]
