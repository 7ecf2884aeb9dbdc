"""What can be computed of an architecture without asking anyone, as numbers for a surrogate.

What performance depends on is described of the canonical member of those that compute the same
(`SearchSpace.canonical`), so that nodes which do not matter do not count; what a network costs
depends on what is built, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.spaces.base import SearchSpace

Features = dict[str, NDArray[np.float32]]

BUILT = ("count", "built", "exact")  # groups that describe what is built

_BUCKETS = 256  # of a histogram of labels
_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_AT_ONCE = 4096  # graphs whose paths are counted together
_PLACES = 1024  # most numbers that describe types and edges by place
_WAVES = 64  # random frequencies of the embedding of paths


def graph_features(space: SearchSpace, dags: Sequence[Dag]) -> Features:
    """Describe architectures by groups of numbers.

    Args:
        space: Their space.
        dags: The architectures.

    Returns:
        float32 (len(dags), width) by group; those of `BUILT` describe the architecture as it is
        built, with what does not matter, the others its canonical member. `near`: how many nodes
        have each neighbourhood of radius 1 (Weisfeiler-Lehman labels with the direction of edges,
        hashed to buckets).
        `path`: how many paths lead from the first to the last node, and how many nodes of each
        type are on them, the most, the fewest, in all and on average. `route` and `step`: the
        paths by the types of their nodes and of their edges (see `_routes`). `place`: types and
        edges by number of node, where that is not too much. `cost`: logarithms of the exact
        complexities, where the space computes some. `count`: how many nodes there are of each type,
        and edges. `built`: as `place`. `exact`: the complexities themselves.
    """
    standing = [space.canonical(dag) for dag in dags]
    built = Dags.of(dags)
    same = all(a is b for a, b in zip(standing, dags, strict=True))
    packed = built if same else Dags.of(standing)
    labels = _refined(packed, _mixed(packed.node_type.astype(np.uint64), 0))
    paths = _by_block(packed, 1 + 4 * space.num_node_types, partial(_paths, space))
    found = {"near": _histogram(packed, labels), "path": paths}
    found["route"] = _by_block(packed, 2 * _WAVES, partial(_routes, _turns(space)))
    found["step"] = _by_block(packed, 2 * _WAVES, partial(_routes, _turns_of_steps(space)))
    if space.max_nodes * (space.num_node_types + space.max_nodes) <= _PLACES:
        found |= {"place": places(packed, space), "built": places(built, space)}
    found["count"] = _counts(built, space)
    if space.complexity_names:
        exact = space.complexity(built).astype(np.float32)
        found |= {"cost": np.log1p(exact), "exact": exact}
    return found


def _counts(dags: Dags, space: SearchSpace) -> NDArray[np.float32]:
    """How many nodes of each type, and edges, (len(dags), num_node_types + 1)."""
    found = np.zeros((len(dags), space.num_node_types + 1), dtype=np.float32)
    np.add.at(found, (_graph_of_node(dags), dags.node_type.astype(np.int64)), 1)
    found[:, -1] = np.diff(dags.edge_ptr)
    return found


def _by_block(
    dags: Dags, width: int, describe: Callable[[Dags], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Describe a block of graphs at a time, (len(dags), width)."""
    starts = range(0, len(dags), _AT_ONCE)
    blocks = [describe(dags[start : start + _AT_ONCE]) for start in starts]
    return np.concatenate([np.zeros((0, width), dtype=np.float32), *blocks])


def _turns(space: SearchSpace) -> NDArray[np.complex64]:
    """What the node that an edge leads to does to each wave; see `_routes`.

    A turn by a random angle. The ends, which every path has, and identities turn nothing.

    Returns:
        (num_node_types, num_node_types, _WAVES), by source and target.
    """
    names, rules = space.node_type_names, space.rules
    angles = np.random.default_rng(0).standard_normal((1, len(names), _WAVES))
    still = [rules.start_type, rules.end_type, *map(names.index, space.identity_types)]
    angles[:, still] = 0
    return _opened(space, np.repeat(np.exp(1j * angles), len(names), axis=0))


def _turns_of_steps(space: SearchSpace) -> NDArray[np.complex64]:
    """The same by the types at both ends of an edge: what follows what counts, too."""
    count = len(space.node_type_names)
    # Wider kernels than for types: there are more kinds of edges.
    angles = np.random.default_rng(3).standard_normal((count, count, _WAVES)) / 2
    return _opened(space, np.exp(1j * angles))


def _opened(space: SearchSpace, turns: NDArray[Any]) -> NDArray[np.complex64]:
    """Let nothing through types that give zeros."""
    turns[:, [space.node_type_names.index(name) for name in space.zero_types]] = 0
    return turns.astype(np.complex64)


def _routes(turns: NDArray[np.complex64], dags: Dags) -> NDArray[np.float32]:
    """Embed the set of paths from the first to the last node: sum over paths p of exp(i w . n_p).

    n_p counts the nodes or edges of each type on p, w is a normal vector for each wave. So inner
    products of embeddings are sums of Gaussian kernels over all pairs of paths (random features of
    Rahimi and Recht 2007; the mean embedding of Smola et al. 2007), and graphs are near whose paths
    are. Sums become means times the logarithm of one plus their number, since that of paths may be
    exponential in that of nodes; in double precision, a thousand nodes that are all linked fit.

    Args:
        turns: Factors exp(i w) of an edge, (num_node_types, num_node_types, waves) by the types of
            source and target; 0 where the target lets nothing through.
        dags: The graphs.

    Returns:
        float32 (len(dags), 2 waves): real parts, imaginary parts.
    """
    feeds, types = _padded(dags)
    graphs, n = types.shape
    sums = np.zeros((n, graphs, turns.shape[2]), dtype=np.complex128)
    count = np.zeros((n, graphs))
    sums[0], count[0] = 1, 1
    for v in range(1, n):
        for u in range(v):
            rows = np.flatnonzero(feeds[:, v, u])
            factor = turns[types[rows, u], types[rows, v]]
            sums[v, rows] += sums[u, rows] * factor
            count[v, rows] += count[u, rows] * (factor[:, 0] != 0)
    last = (np.diff(dags.graph_ptr) - 1, np.arange(graphs))
    total = count[last][:, None]
    embedded = sums[last] * (np.log1p(total) / np.maximum(total, 1))
    return np.concatenate([embedded.real, embedded.imag], axis=1, dtype=np.float32)


def _padded(dags: Dags) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Adjacency (graphs, n, n), by target and source, and node types (graphs, n), 0 where none."""
    of_node = _graph_of_node(dags)
    n = int(np.diff(dags.graph_ptr).max())
    types = np.zeros((len(dags), n), dtype=np.int64)
    types[of_node, np.arange(len(of_node)) - dags.graph_ptr[of_node]] = dags.node_type
    feeds = np.zeros((len(dags), n, n), dtype=np.bool_)
    feeds[_graph_of_edge(dags), dags.edge_dst, dags.edge_src] = True
    return feeds, types


def _paths(space: SearchSpace, dags: Dags) -> NDArray[np.float32]:
    """Go through the nodes in their order, in all graphs at once."""
    sizes = np.diff(dags.graph_ptr).astype(np.int64)
    inside, types = _padded(dags)
    graphs, n = np.arange(len(dags)), types.shape[1]
    own = (types[..., None] == np.arange(space.num_node_types)).astype(np.float64)
    own[np.arange(n) >= sizes[:, None]] = 0
    feeds = inside[..., None]
    paths = np.zeros((len(dags), n, 1))
    paths[:, 0] = 1
    most, fewest, total = own.copy(), own.copy(), own * paths
    for v in range(1, n):
        mask = feeds[:, v, :v] & (paths[:, :v] > 0)
        paths[:, v] = (paths[:, :v] * mask).sum(axis=1)
        most[:, v] += np.where(mask, most[:, :v], 0).max(axis=1)
        least = np.where(mask, fewest[:, :v], np.inf).min(axis=1)
        fewest[:, v] += np.where(np.isfinite(least), least, 0)
        total[:, v] = (total[:, :v] * mask).sum(axis=1) + own[:, v] * paths[:, v]
    last = sizes - 1
    number, whole = paths[graphs, last], total[graphs, last]
    parts = (most[graphs, last], fewest[graphs, last], np.log1p(whole))
    described = [np.log1p(number), *parts, whole / np.maximum(number, 1)]
    return np.concatenate(described, axis=1, dtype=np.float32)


def places(dags: Dags, space: SearchSpace) -> NDArray[np.float32]:
    """Write the type of each place, and which earlier place feeds it, as zeros and ones.

    Returns:
        float32 (len(dags), max_nodes * (num_node_types + max_nodes)).
    """
    graphs, n = _graph_of_node(dags), space.max_nodes
    types = np.zeros((len(dags), n, space.num_node_types), dtype=np.float32)
    place = np.arange(len(graphs)) - dags.graph_ptr[graphs]
    types[graphs, place, dags.node_type] = 1
    edges = np.zeros((len(dags), n, n), dtype=np.float32)
    edges[_graph_of_edge(dags), dags.edge_src, dags.edge_dst] = 1
    return np.concatenate(
        [types.reshape(len(dags), n * space.num_node_types), edges.reshape(len(dags), n * n)],
        axis=1,
    )


def _refined(dags: Dags, labels: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One round of Weisfeiler and Lehman: a label, those that feed it, and those that it feeds."""
    first = dags.graph_ptr[_graph_of_edge(dags)].astype(np.int64)
    source, target = first + dags.edge_src, first + dags.edge_dst
    new = labels.copy()
    np.add.at(new, target, _mixed(labels[source], 1))  # sums: the order does not count
    np.add.at(new, source, _mixed(labels[target], 2))
    return _mixed(new, 0)


def _histogram(dags: Dags, labels: NDArray[np.uint64]) -> NDArray[np.float32]:
    counts = np.zeros((len(dags), _BUCKETS), dtype=np.float32)
    bucket = (labels >> np.uint64(40)) % np.uint64(_BUCKETS)
    np.add.at(counts, (_graph_of_node(dags), bucket.astype(np.int64)), 1)
    return counts


def _mixed(values: NDArray[np.uint64], kind: int) -> NDArray[np.uint64]:
    """Spread the bits (the finaliser of SplitMix64), differently for each kind."""
    mixed = values + np.uint64(_MIX[0] * (kind + 1) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX[1])
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX[2])
    return mixed ^ (mixed >> np.uint64(31))


def _graph_of_node(dags: Dags) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(dags)), np.diff(dags.graph_ptr))


def _graph_of_edge(dags: Dags) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(dags)), np.diff(dags.edge_ptr))
