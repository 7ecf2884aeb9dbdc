"""Compares gradient search with random sampling on a finished run, over several seeds.

Example: python scripts/compare_search.py runs/digits6-ngae-s0 --seeds 5 --budget 50 --scratch 3
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any

from ngae.api import NGAE
from ngae.oracles import SharedWeights, Training, TrainingConfig
from ngae.search import SearchConfig, run_search
from ngae.search.base import Trial
from ngae.search.problem import Problem
from ngae.search.registry import strategy_named


def found(run: NGAE, strategy: str, seed: int, budget: int) -> tuple[Trial, ...]:
    """Search once with shared weights as the oracle; all trials, best first."""
    config = SearchConfig(strategy=strategy, seed=seed, budget=budget)
    problem = Problem(run.data.space, run.data.table)
    proposing = strategy_named(config, problem, model=run.model)
    result = run_search(proposing, SharedWeights.for_digits6(), problem, config)
    return tuple(sorted(result.trials, key=lambda trial: -trial.answer.performance))


def from_scratch(run: NGAE, dags: list[Any], seeds: int) -> list[float]:
    """Mean accuracy of each architecture over trainings from scratch."""
    oracles = [Training(run.data.space, TrainingConfig(seed=seed)) for seed in range(seeds)]
    return [statistics.mean(o.query(dag).performance for o in oracles) for dag in dags]


def main() -> None:
    """Run the comparison and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--budget", type=int, default=50, metavar="N")
    parser.add_argument("--scratch", type=int, default=3, metavar="N", help="train the N best")
    arguments = parser.parse_args()
    run = NGAE.load(arguments.run)
    table = run.data.table
    best_row = int(table.performance.argmax())
    report: dict[str, Any] = {"best_of_table": float(table.performance.max())}
    everything: list[Trial] = []
    for strategy in ("gradient", "random"):
        trials = [found(run, strategy, s, arguments.budget) for s in range(arguments.seeds)]
        report[strategy] = {
            "best": [t[0].answer.performance for t in trials],
            "mean_of_queries": [statistics.mean(x.answer.performance for x in t) for t in trials],
        }
        if strategy == "gradient":
            everything = sorted((x for t in trials for x in t), key=lambda x: -x.answer.performance)
    distinct = list({trial.dag: None for trial in everything})[: arguments.scratch]
    order = (-table.performance).argsort()[: arguments.scratch]
    report["top_from_scratch"] = from_scratch(run, distinct, 3)
    report["table_top_from_scratch"] = from_scratch(run, [table.dags[i] for i in order], 3)
    middle = table.performance.argsort()[len(table) // 2]
    report["table_median_from_scratch"] = from_scratch(run, [table.dags[middle]], 3)
    report["top"] = [run.data.space.format(dag) for dag in distinct]
    report["best_row"] = run.data.space.format(table.dags[best_row])
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
