"""Architectures of strangers: JSON, the texts of every space, arrays of numbers."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError
from ngae.search.limits import Limit
from ngae.spaces import Cell, Chain, SearchSpace, space_named
from tests.fuzz.place import choice

NAMES = ("enas3", "enas2-4", "nas-bench-101", "nas-bench-201", "nas-bench-graph", "recurrent")
_DRAWN = 40  # nodes of a graph that is drawn, too


class _Cells(Cell):
    operations = ("conv", "pool")


class _Chains(Chain):
    operations = ("conv", "pool")
    least_length = 1


@cache
def spaces() -> tuple[SearchSpace, ...]:
    """Return a space of each kind."""
    return (*map(space_named, NAMES), _Cells(), _Chains())


def architecture(data: bytes) -> None:
    """JSON as `Dag.to_json` writes it; the first byte chooses the space, or none."""
    number, text = choice(data, len(NAMES) + 3)
    known = (*spaces(), None)
    dag = Dag.from_json(text.decode("utf-8", "replace"), known[number])
    assert Dag.from_json(dag.to_json(), dag.space) == dag
    assert len(dag.canonical_hash) == 32
    if len(dag) <= _DRAWN:
        assert dag.to_svg().startswith("<svg")
        assert dag.to_dot().startswith("digraph")


def text(data: bytes) -> None:
    """A text of a space, which the first byte chooses: one by one and many at once agree."""
    number, content = choice(data, len(NAMES) + 2)
    space, line = spaces()[number], content.decode("utf-8", "replace")
    try:
        dag = space.parse(line)
    except GraphError:
        _must_refuse(space, line)
        raise
    assert space.parse_many([line, line]).hashes() == [dag.canonical_hash] * 2
    again = space.parse(space.format(dag))
    assert again.canonical_hash == dag.canonical_hash
    assert np.isfinite(space.complexity([dag])).all()


def _must_refuse(space: SearchSpace, line: str) -> None:
    try:
        space.parse_many([line])
    except GraphError:
        return
    raise AssertionError("one by one it is refused, many at once it is read")


def nodes_and_edges(data: bytes) -> None:
    """Numbers as `Dag.from_edges` takes them, in any order, with cycles."""
    types, pairs = _numbers(data)
    dag = Dag.from_edges(types, pairs)
    batch = GraphBatch.pack([dag, dag])
    assert batch.num_nodes == 2 * len(dag)
    assert batch.num_edges == 2 * len(dag.edges)
    assert Dags.of([dag])[0] == dag
    place = list(range(len(types)))[::-1]
    turned = Dag.from_edges(types[::-1], [(place[u], place[v]) for u, v in pairs])
    assert turned.canonical_hash == dag.canonical_hash


def _numbers(data: bytes) -> tuple[list[int], list[tuple[int, int]]]:
    """Types, of as many bytes as the first one says, then pairs; the second byte is their width."""
    count, data = (data[0] % 24, data[1:]) if data else (0, data)
    width, data = choice(data, 3)
    types, rest = list(data[:count]), data[count:]
    form = "<" + ("B", "i", "q")[width]
    size = struct.calcsize(form)
    values = [v for (v,) in struct.iter_unpack(form, rest[: len(rest) // size * size])]
    return types, list(zip(values[::2], values[1::2], strict=False))


def arrays(data: bytes) -> None:
    """Five arrays as `GraphBatch.from_arrays` takes them; whatever packs can be merged and sent."""
    number, data = choice(data, 4)
    dtype = np.dtype(("<i1", "<i4", "<i8", "<u8")[number])
    five = _five(data, dtype)
    batch = GraphBatch.from_arrays(*five)
    batch._check("arrays")
    merged, place = batch.merge(2, use_index=True)
    assert merged.num_nodes <= batch.num_nodes == len(place)
    assert batch.reverse().reverse().num_edges == len(five[2])


def _five(data: bytes, dtype: np.dtype) -> list[np.ndarray]:
    """Sizes of five arrays are the first five bytes."""
    sizes, rest = data[:5].ljust(5, b"\0"), data[5:]
    found = []
    for size in sizes:
        count = min(size % 32, len(rest) // dtype.itemsize)
        found.append(np.frombuffer(rest, dtype, count))
        rest = rest[count * dtype.itemsize :]
    return found


def limits(data: bytes) -> None:
    """What `--constraint` says."""
    for limit in Limit.parse_all(data.decode("utf-8", "replace")):
        assert limit.name
