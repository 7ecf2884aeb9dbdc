"""Search benchmarks by name: a table that answers, what guides, what is reported.

Holds neither torch nor numpy: `ngae search --help` names them.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from ngae.data.config import DataConfig
from ngae.errors import UsageError
from ngae.settings import check_ranges, setting

OWN = "table"  # the benchmark that is a table of the user's
DEVICES = (
    "1080ti_1", "1080ti_32", "1080ti_256", "2080ti_1", "2080ti_32", "2080ti_256",
    "titan_rtx_1", "titan_rtx_32", "titan_rtx_256", "titanx_1", "titanx_32", "titanx_256",
    "titanxp_1", "titanxp_32", "titanxp_256", "gold_6226", "gold_6240", "silver_4114",
    "silver_4210r", "pixel2", "pixel3", "samsung_a50", "samsung_s7", "essential_ph_1", "raspi4",
    "eyeriss", "fpga",
)  # fmt: skip
PARAMETER_LIMITS = (0.1, 0.2, 0.5, 0.8, 1.0)  # 10^6
_PARAMETERS = re.compile(r"nas-bench-201/cifar10/params<=(\d+(?:\.\d*)?|\.\d+)")


@dataclass(frozen=True)
class Benchmark:
    """What strategies are compared on.

    Attributes:
        name: As on the command line.
        data: Name of the table in the catalog, where no file is given; "" for one's own.
        space: Name of its search space; auto: as the file tells.
        performance: Column that guides.
        reported: Column that is reported of the best, and guides nothing; "" for none.
        complexity: Columns of complexities; none: computed exactly by the space.
        join: Whether a published table lacks columns that come in a file of their own.
        down: Complexities that count beside the performance.
        constraint: Limits, as `SearchConfig.constraint`.
        floor: Performance below which an answer counts in no hypervolume; None for none.
        reference: Of the hypervolume: performance, then each of `down`; None stands for the worst
            of the rows that count.
        seeds: Seeds, where none are given.
        budget: Queries of a search, where none are given.
        lower_is_better: Whether the performance is a loss.
    """

    name: str
    data: str
    space: str
    performance: str
    reported: str = ""
    complexity: tuple[str, ...] = ()
    join: bool = False
    down: tuple[str, ...] = ()
    constraint: str = ""
    floor: float | None = None
    reference: tuple[float | None, ...] = ()
    seeds: int = 20
    budget: int = 200
    lower_is_better: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of numbers that are read."""
        reported = tuple(name.strip() for name in self.reported.split(",") if name.strip())
        return (self.performance, *self.complexity, *reported)

    def settings(self, given: DataConfig) -> DataConfig:
        """Return how its table is read: as `given`, with the benchmark's columns and space."""
        if self.name == OWN:
            return given
        return replace(
            given,
            space=self.space if given.space == "auto" else given.space,
            performance_col=self.performance,
            lower_is_better=self.lower_is_better,
            complexity_col=",".join(self.complexity),
            report_col=self.reported,
        )


def _nasbench201(data: str) -> Benchmark:
    column = data.replace("-", "_")
    return Benchmark(
        f"nas-bench-201/{data}",
        data="nas-bench-201",
        space="nas-bench-201",
        performance=f"{column}_val_acc_200ep",
        reported=f"{column}_test_acc_200ep",
    )


def _latency(device: str) -> Benchmark:
    return Benchmark(
        f"nas-bench-201/cifar10/latency-{device}",
        data="nas-bench-201",
        space="nas-bench-201",
        performance="cifar10_test_acc_200ep",
        complexity=(device,),
        join=True,
        down=(device,),
        floor=80.0,
        reference=(80.0, None),
    )


def _limited(millions: float) -> Benchmark:
    return replace(
        _nasbench201("cifar10"),
        name=f"nas-bench-201/cifar10/params<={millions}",
        constraint=f"params <= {millions * 1e6:.12g}",
    )


def _graph(data: str) -> Benchmark:
    return Benchmark(
        f"nas-bench-graph/{data}",
        data="nas-bench-graph" if data == "cora" else f"nas-bench-graph-{data}",
        space="nas-bench-graph",
        performance="valid_perf",
        reported="test_perf",
        complexity=("params_m", "latency_s"),
    )


_NASBENCH101 = Benchmark(
    "nas-bench-101",
    data="nas-bench-101",
    space="nas-bench-101",
    performance="val_acc_108ep",
    complexity=("trainable_parameters",),
)

_GRAPHS = ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins")

BENCHMARKS: tuple[Benchmark, ...] = (
    *(_nasbench201(data) for data in ("cifar10", "cifar100", "imagenet16-120")),
    *(_limited(millions) for millions in PARAMETER_LIMITS),
    *(_latency(device) for device in DEVICES),
    _NASBENCH101,
    *(_graph(data) for data in _GRAPHS),
)


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is compared on what."""

    benchmark: str = setting("", "compare strategies on a table that answers (names: see below)")
    table: str = setting(
        "", "the benchmark's table: a file, or a fetched table; unset: what `ngae data get` fetched"
    )
    strategies: str = setting(
        "random",
        "strategies to compare, joined by commas, each a name, or name:field=value;field=value",
    )
    seeds: int = setting(
        0, "searches of each strategy, of seeds 0 to N - 1; 0: as the benchmark says", least=0
    )

    def __post_init__(self) -> None:
        check_ranges(self)


def names() -> tuple[str, ...]:
    """Return the names of all benchmarks, that of one's own table last."""
    return (*(benchmark.name for benchmark in BENCHMARKS), OWN)


def short_names() -> str:
    """Return the names in a few lines, the many of one form as one."""
    return (
        "nas-bench-201/{cifar10,cifar100,imagenet16-120}, nas-bench-201/cifar10/params<=X "
        "(10^6), nas-bench-201/cifar10/latency-DEVICE, nas-bench-101, "
        f"nas-bench-graph/{{{','.join(_GRAPHS)}}}, {OWN}"
    )


def benchmark_named(
    name: str, given: DataConfig, down: str = "", constraint: str = ""
) -> Benchmark:
    """Return the benchmark called `name`.

    Args:
        name: Its name.
        given: How one's own table is read; `table` alone takes its columns from there.
        down: Complexity that counts beside the performance, of one's own table.
        constraint: Limits, of one's own table.

    Raises:
        UsageError: No benchmark of that name.
    """
    limited = _PARAMETERS.fullmatch(name)
    if limited:
        return _limited(float(limited[1]))
    if name == OWN:
        return _own(given, down, constraint)
    for benchmark in BENCHMARKS:
        if benchmark.name == name:
            return benchmark
    near = difflib.get_close_matches(name, names(), 1)
    known = f"latency devices: {', '.join(DEVICES)}"
    raise UsageError(
        f"--benchmark: expected one of {short_names()}; found {name!r}",
        remedy=f"did you mean {near[0]}?" if near else known,
    )


def _own(given: DataConfig, down: str, constraint: str) -> Benchmark:
    complexity = () if given.complexity_col == "none" else given.complexity_col.split(",")
    return Benchmark(
        OWN,
        data="",
        space=given.space,
        performance=given.performance_col,
        reported=given.report_col,
        complexity=tuple(name.strip() for name in complexity if name.strip()),
        join=bool(given.join),
        down=(down,) if down else (),
        constraint=constraint,
        reference=(None, None) if down else (),
        lower_is_better=given.lower_is_better,
    )
