"""What can be computed of an architecture without asking anyone, as numbers for a surrogate.

Of each architecture the canonical member of those that compute the same is described
(`SearchSpace.canonical`), so that nodes which do not matter do not count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.spaces.base import SearchSpace

Features = dict[str, NDArray[np.float32]]

_BUCKETS = 256  # of a histogram of labels
_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_AT_ONCE = 4096  # graphs whose paths are counted together
_PLACES = 1024  # most numbers that describe types and edges by place


def graph_features(space: SearchSpace, dags: Sequence[Dag]) -> Features:
    """Describe architectures by groups of numbers.

    Args:
        space: Their space.
        dags: The architectures.

    Returns:
        float32 (len(dags), width) by group. `near`: how many nodes have each neighbourhood of
        radius 1 (Weisfeiler-Lehman labels with the direction of edges, hashed to buckets).
        `path`: how many paths lead from the first to the last node, and how many nodes of each
        type are on them, the most, the fewest, in all and on average. `place`: types and edges by
        number of node, where that is not too much. `cost`: logarithms of the exact complexities.
    """
    packed = Dags.of([space.canonical(dag) for dag in dags])
    labels = _refined(packed, _mixed(packed.node_type.astype(np.uint64), 0))
    found = {"near": _histogram(packed, labels), "path": _paths(packed, space.num_node_types)}
    if space.max_nodes * (space.num_node_types + space.max_nodes) <= _PLACES:
        found["place"] = _places(packed, space)
    if space.complexity_names:
        costs = space.complexity(Dags.of(dags))
        found["cost"] = np.log1p(costs).astype(np.float32)
    return found


def _paths(dags: Dags, num_types: int) -> NDArray[np.float32]:
    """Go through the nodes in their order, in all graphs at once, a block of graphs at a time."""
    blocks = [
        _paths_of_block(dags[start : start + _AT_ONCE], num_types)
        for start in range(0, len(dags), _AT_ONCE)
    ]
    return np.concatenate([np.zeros((0, 1 + 4 * num_types), dtype=np.float32), *blocks])


def _paths_of_block(dags: Dags, num_types: int) -> NDArray[np.float32]:
    sizes = np.diff(dags.graph_ptr).astype(np.int64)
    graphs, n = np.arange(len(dags)), int(sizes.max())
    of_node = _graph_of_node(dags)
    place = np.arange(len(of_node)) - dags.graph_ptr[of_node]
    own = np.zeros((len(dags), n, num_types), dtype=np.float32)
    own[of_node, place, dags.node_type] = 1
    feeds = np.zeros((len(dags), n, n, 1), dtype=np.bool_)
    feeds[_graph_of_edge(dags), dags.edge_dst, dags.edge_src] = True
    paths = np.zeros((len(dags), n, 1), dtype=np.float32)
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
    return np.concatenate([np.log1p(number), *parts, whole / np.maximum(number, 1)], axis=1)


def _places(dags: Dags, space: SearchSpace) -> NDArray[np.float32]:
    """Type of each place, and which earlier place feeds it, as zeros and ones."""
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
