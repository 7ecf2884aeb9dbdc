"""What `reproduce` shows: each stage with its time, Table 1, figure 5, where the page is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ngae import console
from ngae.commands.banner import show_banner
from ngae.commands.training import Progress, show_data
from ngae.files import finite
from ngae.reproduce.config import Plan
from ngae.reproduce.content import duration
from ngae.reproduce.figures import write_all
from ngae.reproduce.folder import ReproduceFolder, Stage
from ngae.reproduce.page import write_pages
from ngae.reproduce.results import MEASURES, Results
from ngae.reproduce.stages import METHODS, Laboratory, methods
from ngae.train.interrupt import Interrupted
from ngae.train.model import pick_device


class Stages:
    """Shows stages on stderr."""

    def begun(self, stage: Stage, number: int, count: int) -> None:
        """Say that a stage begins."""
        console.say(f"[{number}/{count}] {stage.title}")

    def ended(self, stage: Stage, seconds: float) -> None:
        """Say how long it took."""
        console.say(f"      done in {duration(seconds)}")

    def kept(self, stage: Stage, number: int, count: int) -> None:
        """Say that it was done before."""
        console.say(f"[{number}/{count}] {stage.title}: done before")


def reproduce_and_show(plan: Plan, out: Path, *, overwrite: bool, as_json: bool) -> int:
    """Do all stages, write the pages, show the numbers; the exit code."""
    show_banner(pick_device(plan.run.train.device))
    folder = ReproduceFolder(out)
    with folder.claimed(plan, overwrite=overwrite):
        console.say(f"folder: {out}")
        laboratory = Laboratory(plan, folder, Progress)
        show_data(laboratory.data)
        console.say(f"oracle: {laboratory.oracle.name}")
        if len(methods()) < len(METHODS):
            console.say("note: D-VAE + BO is left out; it needs BoTorch: pip install 'ngae[bo]'")
        stages = laboratory.stages()
        try:
            folder.do(stages, Stages())
        except Interrupted as error:
            error.remedy = "the same command goes on"
            raise
        results = Results(folder, plan)
        write_all(results, laboratory.data.space)
        write_pages(results, stages)
    _show(results, as_json=as_json)
    console.say(f"wrote {folder / 'reproduce.html'}, reproduce.md, *.csv and figures/*.svg")
    console.say(f"next: open {folder / 'reproduce.html'}")
    return 0


def _show(results: Results, *, as_json: bool) -> None:
    if as_json:
        told = {
            "table_1": [
                {**dataclasses.asdict(c), "difference": c.difference} for c in results.table_1
            ],
            "figure_5": [
                {**dataclasses.asdict(one), "method": one.method.key} for one in results.found
            ],
            "times": results.folder.times(),
            "page": str(results.folder / "reproduce.html"),
        }
        console.give(json.dumps(finite(told)))
        return
    rows = [["Table 1", "epochs", "paper", "ours", "difference", "seeds", "time"]]
    for cell in results.table_1:
        rows.append(
            [
                MEASURES[cell.measure], f"{cell.paper_epochs} | {cell.epochs}",
                f"{100 * cell.paper:.2f} %", f"{100 * cell.ours:.2f} %",
                f"{100 * cell.difference:+.2f}", str(cell.seeds), duration(cell.seconds),
            ]
        )  # fmt: skip
    console.give(console.table(rows))
    weighed = results.data["weighed"]
    best = [["Figure 5, mean of the top three", "performance", weighed]]
    for method in METHODS:
        if results.of(method):
            means = results.mean_of(method.key), results.mean_of(method.key, weighed)
            best.append([method.title, f"{means[0]:.4f}", f"{means[1]:,.0f}"])
    console.give("")
    console.give(console.table(best))
