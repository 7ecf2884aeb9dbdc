"""Tables as CSV and figures as SVG, made of the stages' files; one pair of files each."""

from __future__ import annotations

import numpy as np

from ngae.files import write_text
from ngae.report.charts import Series, chart, heat_map
from ngae.reproduce.folder import write_csv
from ngae.reproduce.results import MEASURES, Found, Results
from ngae.spaces.base import SearchSpace


def write_all(results: Results, space: SearchSpace) -> None:
    """Write every CSV and every drawing that is made of other files."""
    _tables(results)
    performance = str(results.data["performance"])
    drawings = {
        "figure3-training": _training(results),
        "figure3-map": _map(results, performance),
        "figure4-predicted": _predicted(results, performance),
        "figure4-rmse": _errors(results),
        "figure4-ascent": _ascent(results, performance),
    }
    for name, text in drawings.items():
        write_text(results.folder / f"figures/{name}.svg", text)
    for one in results.found:
        if one.seed == results.plan.seeds[0]:
            drawn = space.parse(one.architecture).to_svg()
            write_text(results.folder / f"figures/{drawing_of(one)}.svg", drawn)


def drawing_of(one: Found) -> str:
    """Name the drawing of a network of figure 5."""
    return f"figure5-{one.method.key}-{one.rank}"


def _tables(results: Results) -> None:
    place = results.folder
    write_csv(
        place / "table1.csv",
        ("measure", "paper_epochs", "epochs", "paper", "ours", "difference", "deviation", "seeds",
         "training_s"),
        [
            (MEASURES[c.measure], c.paper_epochs, c.epochs, c.paper, c.ours, c.difference,
             "" if c.deviation != c.deviation else c.deviation, c.seeds, c.seconds)
            for c in results.table_1
        ],
    )  # fmt: skip
    write_csv(
        place / "figure3-training.csv",
        ("epoch", "reconstruction", "kl"),
        [(line["epoch"], line["nodes"] + line["edges"], line["kl"]) for line in results.log],
    )
    known = {e: results.measured[results.plan.seeds[0], e] for e in results.plan.checkpoints}
    write_csv(
        place / "figure4-rmse.csv",
        ("epoch", "train_while_learning", "test", "train_at_mean"),
        [
            (
                line["epoch"],
                line["performance"] ** 0.5,
                line["test"]["rmse_normalised"],
                known[line["epoch"]]["train_rmse_normalised"] if line["epoch"] in known else "",
            )
            for line in results.log
        ],
    )
    names = results.data["complexities"]
    write_csv(
        place / "figure5.csv",
        ("method", "seed", "rank", "performance", "predicted", *names, "architecture"),
        [
            (one.method.title, one.seed, one.rank, one.performance, one.predicted,
             *(one.complexity.get(name, "") for name in names), one.architecture)
            for one in results.found
        ],
    )  # fmt: skip


def _training(results: Results) -> str:
    epoch, reconstruction, kl = results.column(
        "figure3-training.csv", "epoch", "reconstruction", "kl"
    )
    series = [
        Series("reconstruction loss", epoch, reconstruction, "one"),
        Series("KL divergence", epoch, kl, "two"),
    ]
    return chart("Training", "epoch", "nats a graph", series, log=True)


def _map(results: Results, performance: str) -> str:
    first, second, found = results.column("figure3-map.csv", "first", "second", "predicted")
    shares = results.column("figure3-map.csv", "first_share", "second_share")
    x, y = np.unique(first), np.unique(second)
    across, up = (
        f"{name} component, {100 * share[0]:.1f} % of the variance"
        for name, share in zip(("first", "second"), shares, strict=True)
    )
    values = found.reshape(len(y), len(x))
    named = f"predicted {performance}"
    return heat_map("Latent space, in standard deviations", across, up, x, y, values, named)


def _predicted(results: Results, performance: str) -> str:
    true, found = results.column("figure4-predicted.csv", "true", "predicted")
    slope, intercept = results.fit
    ends = np.array([true.min(), true.max()])
    series = [
        Series(f"{len(true)} test networks", true, found, "one", "dots"),
        Series("fitted line", ends, slope * ends + intercept, "two"),
        Series("predicted = true", ends, ends, "soft", "dashed"),
    ]
    titles = (f"true {performance}", f"predicted {performance}")
    return chart("Predicted against true", *titles, series, alike=True)


def _errors(results: Results) -> str:
    epoch, train, test = results.column("figure4-rmse.csv", "epoch", "train_while_learning", "test")
    first = results.plan.seeds[0]
    checkpoints = np.array(results.plan.checkpoints, dtype=np.float64)
    at_mean = np.array(
        [results.measured[first, e]["train_rmse_normalised"] for e in results.plan.checkpoints]
    )
    series = [
        Series("training, z drawn", epoch, train, "two"),
        Series("test, z = mean", epoch, test, "one"),
        Series("training, z = mean", checkpoints, at_mean, "three", "dots"),
    ]
    return chart("Error of the predictor", "epoch", "RMSE / std of training rows", series)


def _ascent(results: Results, performance: str) -> str:
    step, many, many_std, one, one_std = results.column(
        "figure4-ascent.csv", "step", "many_mean", "many_std", "one_mean", "one_std"
    )
    series = [
        Series("many steps", step, many, "one", spread=many_std),
        Series("one step as long", step, one, "two", "dashed", spread=one_std),
    ]
    return chart("Ascent from draws of the prior", "steps", f"predicted {performance}", series)
