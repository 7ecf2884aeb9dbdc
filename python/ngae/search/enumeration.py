"""All members of a small space, by its decode rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

import numpy as np

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.rules import FORCED, FREE, DecodeRules
from ngae.search.neighbours import Draft, completed
from ngae.spaces.base import SearchSpace


def members(space: SearchSpace, most: int) -> dict[str, Dag] | None:
    """Make every architecture of a space.

    Args:
        space: The space.
        most: How many choices of types and edges are made before the space counts as too large.

    Returns:
        The architectures by canonical hash, each once; None where there are more choices.
    """
    drafts = list(islice(_drafts(space.rules, (space.rules.start_type,), ()), most + 1))
    if len(drafts) > most:
        return None
    made = [dag for draft in drafts if (dag := completed(space, draft)) is not None]
    return dict(zip(Dags.of(made, space).hashes(), made, strict=True))


def _drafts(
    rules: DecodeRules, types: tuple[int, ...], edges: tuple[tuple[int, int], ...]
) -> Iterator[Draft]:
    """Decide on node after node: its type, then what feeds it; edges that follow are left out."""
    place = len(types)
    for kind in np.flatnonzero(rules.type_allowed[place] & rules.type_follows[types[-1]]).tolist():
        for sources in _sources(rules, place, kind):
            more = (*edges, *((u, place) for u in sources))
            if kind == rules.end_type:
                yield Draft([*types, kind], set(more))
            else:
                yield from _drafts(rules, (*types, kind), more)


def _sources(rules: DecodeRules, place: int, kind: int) -> Iterator[tuple[int, ...]]:
    """Sets of nodes that may feed one of type `kind` at `place`, forced ones left out."""
    if rules.max_in_degree[kind] == 0 or (kind == rules.end_type and rules.loose_ends == "only"):
        yield ()
        return
    free = [u for u in range(place) if rules.edge_rule[u, place] == FREE]
    forced = int((rules.edge_rule[:place, place] == FORCED).sum())
    fewest = max(0, int(rules.min_in_degree[kind]) - forced)
    # Loose ends may feed the end beside those that are decided.
    if kind == rules.end_type and rules.loose_ends == "forced":
        fewest = 0
    for count in range(fewest, min(len(free), int(rules.max_in_degree[kind]) - forced) + 1):
        yield from combinations(free, count)
