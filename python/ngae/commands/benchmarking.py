"""What `search --benchmark` does and shows: searches, a table of strategies, curves."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ngae import console
from ngae.commands.graph_model import check_unlabelled, model_of
from ngae.data.config import DataConfig
from ngae.data.lock import locked
from ngae.errors import UsageError
from ngae.files import finite, write_json, write_text
from ngae.search.benchmark_report import Outcome, Possible
from ngae.search.benchmark_run import SETTINGS, BenchmarkFolder, searched
from ngae.search.benchmark_task import Ground, Line, Task, data_of, ground_of
from ngae.search.benchmarks import OWN, Benchmark, BenchmarkConfig, benchmark_named
from ngae.search.config import (
    BOConfig,
    GPConfig,
    GradientConfig,
    SearchConfig,
    StrategyConfig,
)
from ngae.search.curves import mean_curves
from ngae.search.registry import NEED_A_MODEL
from ngae.search.variants import variants_of
from ngae.settings import as_dict, flag_of, make
from ngae.train.folder import RunFolder

_OF_THE_BENCHMARK = ("performance_col", "lower_is_better", "complexity_col", "report_col")


@dataclass(frozen=True)
class Places:
    """Where a benchmark's files go.

    Attributes:
        folder: Trials, curves, model.
        result: The JSON file.
    """

    folder: Path
    result: Path

    @classmethod
    def of(cls, out: str | None, result: str | None, name: str, budget: int) -> Places:
        """Settle the places.

        Args:
            out: The folder, or None.
            result: A file that ends in .json, else a folder; or None.
            name: Of the benchmark.
            budget: Queries of a search.
        """
        named = None if result is None else Path(result)
        file = named if named is not None and named.suffix == ".json" else None
        if file is not None and file.name == SETTINGS:
            raise UsageError(f"--json: expected another name than {SETTINGS}, found {result}")
        short = re.sub(r"[^A-Za-z0-9.]+", "-", name)
        folder = named or Path("runs") / f"search-{short}-b{budget}"
        if file is not None:
            folder = file.parent
        if out is not None:
            folder = Path(out)
        return cls(folder, file or (named or folder) / "result.json")


class Progress:
    """Shows searches on stderr: a bar on a terminal, a line a search elsewhere."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.done = total, done
        self.bar: tqdm[Any] | None = None
        if sys.stderr.isatty():
            self.bar = tqdm(total=total, initial=done, unit="search", dynamic_ncols=True)

    def ended(self, task: Task, lines: Sequence[Line]) -> None:
        """Show a search that ended."""
        self.done += 1
        kept = [line["performance"] for line in lines if line["kept"]]
        best = f"best {max(kept):.6g}" if kept else "nothing that counts"
        text = f"{task.pair[0]}, seed {task.search.seed}: {best}"
        if self.bar is None:
            console.say(f"{self.done}/{self.total} {text}")
        else:
            self.bar.update(1)
            self.bar.set_postfix_str(text)

    def close(self) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


def benchmark_and_show(
    config: BenchmarkConfig,
    search: Mapping[str, Any],
    table: Mapping[str, Any],
    own: Mapping[str, StrategyConfig],
    *,
    run: str | None,
    out: str | None,
    result: str | None,
    workers: int,
    overwrite: bool,
    as_json: bool,
    device: str | None,
) -> int:
    """Compare strategies on a benchmark and show it; the exit code.

    Args:
        config: Benchmark, table, strategies, seeds.
        search: Fields of `SearchConfig` that were given.
        table: Fields of `DataConfig` that were given.
        own: Settings of each strategy, by its name; variants replace some of them.
        run: Run folder of a model, or None: one is trained where a strategy needs it.
        out: Folder, or None.
        result: Where the JSON result goes: a .json file or a folder, or None.
        workers: Searches at once.
        overwrite: Whether searches in the folder are dropped.
        as_json: Whether the result is printed as JSON.
        device: Where models are to be, or None.
    """
    benchmark = _benchmark(config, search, table)
    own = {name: _aimed(values, benchmark) for name, values in own.items()}
    variants = variants_of(config.strategies, own)
    shared = {
        **search,
        "budget": search.get("budget", benchmark.budget),
        "constraint": benchmark.constraint,
    }
    settings = make(SearchConfig, shared, "flags")
    places = Places.of(out, result, benchmark.name, settings.budget)
    data = data_of(benchmark, config.table, DataConfig(**table)).located()
    ground = ground_of(benchmark, data)
    possible = Possible.of(ground)
    _show_ground(ground, possible, places)
    decisive = _decisive(ground, settings, own, run)
    with locked(places.folder / ".lock", console.say):
        files = [places.result, *(places.folder / f"{name}.svg" for name in _CHARTS)]
        folder = BenchmarkFolder(places.folder, decisive, files, overwrite=overwrite)
        tasks = [
            Task(
                benchmark,
                data,
                _one(shared, variant.strategy, seed),
                variant.own,
                device=device or "",
                label=variant.label,
            )
            for variant in variants
            for seed in range(config.seeds or benchmark.seeds)
        ]
        _search(tasks, folder, run, workers)
        outcomes = {
            variant.label: Outcome.of(
                [folder.finished[task.pair] for task in tasks if task.label == variant.label],
                possible,
                settings.budget,
            )
            for variant in variants
        }
        _write(outcomes, ground, places)
    _show(outcomes, as_json=as_json)
    return 0


def _aimed(config: StrategyConfig, benchmark: Benchmark) -> StrategyConfig:
    """Where complexities count beside the performance, the whole front is looked for."""
    if benchmark.down and isinstance(config, GradientConfig | BOConfig | GPConfig):
        return dataclasses.replace(config, aim="front")
    return config


def _one(shared: Mapping[str, Any], strategy: str, seed: int) -> SearchConfig:
    return make(SearchConfig, {**shared, "strategy": strategy, "seed": seed}, "flags")


def _benchmark(
    config: BenchmarkConfig, search: Mapping[str, Any], table: Mapping[str, Any]
) -> Benchmark:
    """The benchmark; settings that it decides itself may not be given."""
    weigh, constraint = search.get("weigh", ""), search.get("constraint", "")
    benchmark = benchmark_named(config.benchmark, DataConfig(**table), weigh, constraint)
    if benchmark.name != OWN:
        given = {**{name: search.get(name) for name in ("weigh", "constraint")}, **table}
        for name in ("weigh", "constraint", *_OF_THE_BENCHMARK):
            if given.get(name):
                raise UsageError(
                    f"{flag_of(name)}: expected none, the benchmark {benchmark.name} decides on "
                    f"it, found {given[name]}",
                    remedy=f"--benchmark {OWN} takes it",
                )
    return benchmark


def _decisive(
    ground: Ground, settings: SearchConfig, own: Mapping[str, StrategyConfig], run: str | None
) -> dict[str, Any]:
    """What decides on the trials of any strategy and seed."""
    search = {k: v for k, v in as_dict(settings).items() if k not in ("strategy", "seed")}
    model = "trained on the table's graphs"
    if run is not None:
        check_unlabelled(run)
        model = hashlib.sha256(RunFolder(Path(run)).last.read_bytes()).hexdigest()
    return {
        "benchmark": ground.benchmark.name,
        "table": ground.table.fingerprint,
        "performance": ground.table.performance_name,
        "search": search,
        "strategies": {name: as_dict(values) for name, values in own.items()},
        "model": model,
    }


def _search(tasks: Sequence[Task], folder: BenchmarkFolder, run: str | None, workers: int) -> None:
    """Search whatever is not in the folder yet."""
    left = [task for task in tasks if task.pair not in folder.finished]
    if len(left) < len(tasks):
        console.say(f"note: {len(tasks) - len(left)} of {len(tasks)} searches are there already")
    if any(task.search.strategy in NEED_A_MODEL for task in left):
        model = run or model_of(left[0].data, folder.path / "model", left[0].device)
        left = [dataclasses.replace(task, model=str(Path(model).absolute())) for task in left]
    progress = Progress(len(tasks), len(tasks) - len(left))
    try:
        with closing(searched(left, workers)) as results:
            for task, lines in results:
                folder.add(task, lines)
                progress.ended(task, lines)
    finally:
        progress.close()
    folder.order()


_CHARTS = ("regret", "hypervolume")


def _write(outcomes: Mapping[str, Outcome], ground: Ground, places: Places) -> None:
    write_json(places.result, {name: outcome.as_dict() for name, outcome in outcomes.items()})
    title, unit = ground.benchmark.name, ground.table.performance_name
    regrets = {name: outcome.regrets for name, outcome in outcomes.items()}
    chart = mean_curves(title, f"simple regret of {unit}", regrets, log=True)
    write_text(places.folder / "regret.svg", chart)
    shares = {name: o.shares for name, o in outcomes.items() if o.shares is not None}
    if shares:
        chart = mean_curves(title, "hypervolume, share of the best", shares)
        write_text(places.folder / "hypervolume.svg", chart)


def _show_ground(ground: Ground, possible: Possible, places: Places) -> None:
    table = ground.table
    console.say(
        f"benchmark: {ground.benchmark.name}, {len(table)} rows of {table.name}, best "
        f"{table.performance_name} {possible.best:.6g}; folder: {places.folder}"
    )


def _show(outcomes: Mapping[str, Outcome], *, as_json: bool) -> None:
    results = {name: outcome.as_dict() for name, outcome in outcomes.items()}
    if as_json:
        console.give(json.dumps(finite(results)))
        return
    budget = next(iter(outcomes.values())).regrets.shape[1]
    head = [
        "strategy", "regret", "std", f"success in {budget}", "median queries to best",
        "reported", "std", "hypervolume", "std", "s/query", "seeds",
    ]  # fmt: skip
    rows = [head, *(_row(name, values, budget) for name, values in results.items())]
    shown = [i for i in range(len(head)) if any(row[i] for row in rows[1:])]
    console.give(console.table([[row[i] for i in shown] for row in rows]))


def _row(name: str, values: Mapping[str, Any], budget: int) -> list[str]:
    median = values["median_queries_to_optimum"]
    return [
        name,
        *_pair(values["regret"], "{:.4f}"),
        f"{100 * values['success'][str(budget)]:.0f} %",
        "none" if median is None else f"{median:g}",
        *_pair(values["reported"], "{:.4f}"),
        *_pair(values["hypervolume"], "{:.4f}"),
        f"{values['model_seconds_per_query']:.2g}",
        str(values["seeds"]),
    ]


def _pair(moments: Mapping[str, float] | None, form: str) -> list[str]:
    if moments is None:
        return ["", ""]
    return [form.format(moments["mean"]), form.format(moments["std"])]
