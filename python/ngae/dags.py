"""`Dags`: many Dags in flat arrays, the form in which tables hold and hand on architectures.

A `Dag` is made when one is asked for; a hundred thousand graphs take a few megabytes. It knows no
tensors: `GraphBatch` is what ops take.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ngae.dag import Dag
from ngae.errors import GraphError
from ngae.space_like import SpaceLike

Integers = NDArray[np.integer[Any]]
_AT_ONCE = 32_768  # graphs that are hashed or taken together: what is at work is wider


@dataclass(frozen=True, eq=False)
class Dags(Sequence[Dag]):
    """Graphs one after the other; integers in the narrowest type that holds them.

    The arrays are taken as they are: whoever makes them has checked them, and a Dag that is made
    of them is checked once more.

    Attributes:
        node_type: (num_nodes,).
        graph_ptr: (num_graphs + 1,) first node of each graph, and num_nodes.
        edge_src: (num_edges,) sources, numbered from 0 in each graph.
        edge_dst: (num_edges,) targets, each after its source; edges of a graph are sorted.
        edge_ptr: (num_graphs + 1,) first edge of each graph, and num_edges.
        space: The search space of all, or None.
    """

    node_type: Integers
    graph_ptr: Integers
    edge_src: Integers
    edge_dst: Integers
    edge_ptr: Integers
    space: SpaceLike | None = None

    @classmethod
    def of(cls, dags: Iterable[Dag], space: SpaceLike | None = None) -> Dags:
        """Pack Dags; `Dags` come back as they are."""
        if isinstance(dags, Dags):
            return dags
        held = tuple(dags)
        nodes = np.fromiter((len(dag) for dag in held), np.int64, len(held))
        edges = np.fromiter((len(dag.edges) for dag in held), np.int64, len(held))
        types = chain.from_iterable(dag.node_types for dag in held)
        ends = chain.from_iterable(chain.from_iterable(dag.edges) for dag in held)
        pairs = np.fromiter(ends, np.int64, 2 * int(edges.sum())).reshape(-1, 2)
        return cls(
            narrow(np.fromiter(types, np.int64, int(nodes.sum()))),
            pointers(nodes),
            narrow(pairs[:, 0]),
            narrow(pairs[:, 1]),
            pointers(edges),
            space,
        )

    @classmethod
    def from_padded(
        cls, node_type: Integers, adjacency: NDArray[np.bool_], space: SpaceLike | None = None
    ) -> Dags:
        """Pack graphs of a common frame.

        Args:
            node_type: (num_graphs, max_nodes), negative past the end of a graph.
            adjacency: (num_graphs, max_nodes, max_nodes), `[g, u, v]` true where u feeds v; false
                past the end.
            space: The search space, or None.
        """
        real = node_type >= 0
        graph, source, target = adjacency.nonzero()
        return cls(
            narrow(node_type[real]),
            pointers(real.sum(axis=1)),
            narrow(source),
            narrow(target),
            pointers(np.bincount(graph, minlength=len(node_type))),
            space,
        )

    def padded(self, max_nodes: int | None = None) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return types and adjacency in the form of `from_padded`.

        Args:
            max_nodes: Size of the frame; the largest graph's by default.

        Returns:
            int32 (num_graphs, max_nodes), -1 past the end; bool (num_graphs, max_nodes, max_nodes).
        """
        sizes = np.diff(self.graph_ptr)
        frame = int(sizes.max(initial=0)) if max_nodes is None else max_nodes
        types = np.full((len(self), frame), -1, dtype=np.int32)
        types[np.arange(frame) < sizes[:, None]] = self.node_type
        adjacency = np.zeros((len(self), frame, frame), dtype=np.bool_)
        graph = np.repeat(np.arange(len(self)), np.diff(self.edge_ptr))
        adjacency[graph, self.edge_src, self.edge_dst] = True
        return types, adjacency

    def __len__(self) -> int:
        return len(self.graph_ptr) - 1

    @overload
    def __getitem__(self, row: int) -> Dag: ...

    @overload
    def __getitem__(self, row: slice) -> Dags: ...

    def __getitem__(self, row: int | slice) -> Dag | Dags:
        if isinstance(row, slice):
            start, stop, step = row.indices(len(self))
            return self._run(start, stop) if step == 1 else self.take(range(start, stop, step))
        at = range(len(self))[row]
        nodes = slice(self.graph_ptr[at], self.graph_ptr[at + 1])
        edges = slice(self.edge_ptr[at], self.edge_ptr[at + 1])
        pairs = zip(self.edge_src[edges].tolist(), self.edge_dst[edges].tolist(), strict=True)
        return Dag(tuple(self.node_type[nodes].tolist()), tuple(pairs), self.space)

    def __iter__(self) -> Iterator[Dag]:
        return (self[row] for row in range(len(self)))

    def _run(self, start: int, stop: int) -> Dags:
        """Graphs start .. stop - 1; only pointers are copied."""
        graph_ptr, edge_ptr = (
            ptr[start : max(start, stop) + 1] for ptr in (self.graph_ptr, self.edge_ptr)
        )
        nodes = slice(graph_ptr[0], graph_ptr[-1])
        edges = slice(edge_ptr[0], edge_ptr[-1])
        return Dags(
            self.node_type[nodes],
            graph_ptr - graph_ptr[0],
            self.edge_src[edges],
            self.edge_dst[edges],
            edge_ptr - edge_ptr[0],
            self.space,
        )

    def take(self, rows: ArrayLike) -> Dags:
        """Return the given rows, by number or by a mask, in their order."""
        wanted = np.asarray(rows)
        wanted = np.flatnonzero(wanted) if wanted.dtype == np.bool_ else wanted.astype(np.int64)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"Dags.take: expected rows 0..{len(self) - 1}, found {wanted}")
        graph_ptr, (node_type,) = _runs(self.graph_ptr, wanted, self.node_type)
        edge_ptr, (source, target) = _runs(self.edge_ptr, wanted, self.edge_src, self.edge_dst)
        return Dags(node_type, graph_ptr, source, target, edge_ptr, self.space)

    def digests(self) -> NDArray[np.uint8]:
        """Hash every graph, as `Dag.canonical_hash`: uint8 (num_graphs, 16)."""
        from ngae import _native

        digests = np.zeros((len(self), 16), dtype=np.uint8)
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        for start in range(0, len(self), _AT_ONCE):
            part = self[start : start + _AT_ONCE]
            arrays = (part.node_type, part.graph_ptr, part.edge_ptr, part.edge_src, part.edge_dst)
            digests[start : start + _AT_ONCE] = _native.load().canonical_hashes(
                *(np.ascontiguousarray(array, dtype=np.int32) for array in arrays), threads=threads
            )
        return digests

    def hashes(self) -> list[str]:
        """Hash every graph, as `Dag.canonical_hash`: 32 hexadecimal digits each."""
        return [digest.tobytes().hex() for digest in self.digests()]

    @staticmethod
    def joined(parts: Sequence[Dags]) -> Dags:
        """Put packs of one space, at least one, one after the other.

        Raises:
            GraphError: None is given.
        """
        if not parts:
            raise GraphError("Dags.joined: expected at least one part, found none")
        return Dags(
            np.concatenate([part.node_type for part in parts]),
            pointers(np.concatenate([np.diff(part.graph_ptr) for part in parts])),
            np.concatenate([part.edge_src for part in parts]),
            np.concatenate([part.edge_dst for part in parts]),
            pointers(np.concatenate([np.diff(part.edge_ptr) for part in parts])),
            parts[0].space,
        )


def pointers(counts: Integers) -> Integers:
    """Return where each of `counts` (n,) consecutive runs begins, and the end: (n + 1,).

    int32, or int64 where that is too narrow.
    """
    ptr = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=ptr[1:])
    return ptr.astype(np.int32) if ptr[-1] < 2**31 else ptr


def narrow(values: Integers) -> Integers:
    """Return integers from 0 in the narrowest unsigned type."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def _runs(
    ptr: Integers, rows: NDArray[np.int64], *values: Integers
) -> tuple[Integers, list[Integers]]:
    """Where each of the runs `rows` begins among them, and their entries of each of `values`."""
    starts, counts = ptr[rows], ptr[rows + 1] - ptr[rows]
    begins = pointers(counts)
    taken = [np.empty(begins[-1], dtype=each.dtype) for each in values]
    for row in range(0, len(rows), _AT_ONCE):  # numbers of entries are wider than entries
        part = slice(row, row + _AT_ONCE)
        here = begins[row : row + _AT_ONCE + 1]
        places = np.repeat(starts[part] - here[:-1], counts[part]) + np.arange(here[0], here[-1])
        for each, target in zip(values, taken, strict=True):
            target[here[0] : here[-1]] = each[places]
    return begins, taken
