"""How time grows with the number of graphs and of nodes; the native ops alone, in float32."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from bench.cases import NATIVE
from bench.graphs import NASBENCH101_FILE, GraphArrays, data_folder, enas, read_nasbench101
from bench.machine import extra_memory
from bench.measure import Row
from bench.models import LATENT_DIM, encoder
from bench.timing import interleaved
from bench.work import propagation
from ngae.models.encoder import Encoder
from ngae.ops._library import forced

GRAPHS, NODES = (1_000, 10_000, 100_000, 1_000_000), (8, 20, 50, 100, 200)
LIMIT = 0.15  # largest deviation that is called linear
_MOST_REPEATS = 20
_CHUNK = 1024  # graphs that are packed and encoded at a time; 4,096 take longer and more memory


@dataclass(frozen=True)
class Growth:
    """Times of the same work at growing sizes.

    Attributes:
        name: What is done.
        size: What grows.
        sizes: Rising.
        seconds: Median time at each size.
    """

    name: str
    size: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def deviation(self) -> float:
        """Largest relative deviation of time / size from its median over the sizes."""
        each = [t / n for n, t in zip(self.sizes, self.seconds, strict=True)]
        middle = statistics.median(each)
        return max(abs(value / middle - 1) for value in each)

    @property
    def verdict(self) -> str:
        """Whether the time is proportional to the size, in words."""
        kind = "linear" if self.deviation <= LIMIT else "NOT linear"
        return (
            f"{kind}: time per {self.size} differs by up to {self.deviation:.0%} "
            f"from its median ({LIMIT:.0%} allowed)"
        )


def grow(
    name: str,
    size: str,
    sizes: Sequence[int],
    prepare: Callable[[int], Callable[[], object]],
    *,
    seconds: float,
    rounds: int = 3,
) -> Growth:
    """Time `prepare(n)()` for each size in turn; small sizes several times a reading."""
    repeats = {n: min(_MOST_REPEATS, max(1, max(sizes) // n)) for n in sizes}
    calls = {str(n): partial(_repeat, prepare(n), repeats[n]) for n in sizes}
    times, _ = interleaved(calls, seconds=seconds, rounds=rounds)
    return Growth(name, size, tuple(sizes), tuple(times[str(n)] / repeats[n] for n in sizes))


def _repeat(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()


def with_graphs(sizes: Sequence[int] = GRAPHS, hidden_dim: int = 128) -> Growth:
    """Pack and encode ENAS graphs, 1,024 at a time."""
    module, arrays = encoder("enas", hidden_dim, "float32"), enas(max(sizes))
    first = arrays.pack(0, 64)
    with torch.no_grad(), forced("torch"):
        expected = module(first).mean
    torch.testing.assert_close(encode_all(module, arrays, 64), expected)
    return grow(
        f"pack and encode ENAS graphs, hidden {hidden_dim}",
        "graph",
        sizes,
        lambda n: partial(encode_all, module, arrays, n),
        seconds=0,
    )


def with_nodes(sizes: Sequence[int] = NODES, hidden_dim: int = 256, graphs: int = 64) -> Growth:
    """Propagate random DAGs of as many graphs, forward and backward."""

    def prepare(nodes: int) -> Callable[[], object]:
        return propagation("forward + backward", f"random{nodes}", hidden_dim, graphs).call(NATIVE)

    name = f"propagate {graphs} random DAGs forward and backward, hidden {hidden_dim}"
    return grow(name, "node", sizes, prepare, seconds=3)


def encode_all(module: Encoder, arrays: GraphArrays, graphs: int | None = None) -> Tensor:
    """Pack and encode the first `graphs` of `arrays` (all by default), 1,024 at a time.

    Returns:
        The means (graphs, latent_dim).
    """
    count = arrays.num_graphs if graphs is None else min(graphs, arrays.num_graphs)
    means = torch.empty(count, LATENT_DIM)
    with torch.no_grad(), forced(NATIVE.ops):
        for begin in range(0, count, _CHUNK):
            end = min(begin + _CHUNK, count)
            means[begin:end] = module(arrays.pack(begin, end)).mean
    return means


def nasbench101_row(hidden_dim: int = 256) -> Row:
    """Pack and encode every graph of NAS-Bench-101.

    Raises:
        FileNotFoundError: Naming the file that is not there.
    """
    path = data_folder() / NASBENCH101_FILE
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; NGAE_TEST_DATA names another folder")
    arrays = read_nasbench101(path)
    module = encoder("nasbench101", hidden_dim, "float32")
    with torch.no_grad(), forced("torch"):
        expected = module(arrays.pack(0, 256)).mean
    torch.testing.assert_close(encode_all(module, arrays, 256), expected)
    work = partial(encode_all, module, arrays)
    memory = extra_memory(work)
    times, _ = interleaved({"all": work}, seconds=0, rounds=1)
    return Row(
        f"pack and encode NAS-Bench-101, all {arrays.num_graphs:,} graphs, hidden {hidden_dim}",
        "float32",
        arrays.num_graphs / times["all"],
        "graphs/s",
        times["all"],
        memory=memory,
    )
