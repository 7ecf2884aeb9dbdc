"""What a reproduction tells, as chapters of text, tables and pictures for any kind of page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ngae.report.published import PAPER, TABLE_1_SOURCE
from ngae.reproduce.claims import claims
from ngae.reproduce.figures import drawing_of
from ngae.reproduce.folder import Stage
from ngae.reproduce.limits import differences, missing, oracle_text
from ngae.reproduce.results import MEASURES, Found, Results
from ngae.reproduce.stages import METHODS


@dataclass(frozen=True)
class Grid:
    """A table of text; the first row is the head, the first column names the rows."""

    rows: Sequence[Sequence[str]]
    own: int | None = None  # number of the column that is ours
    prose: bool = False  # whether cells are sentences


@dataclass(frozen=True)
class Picture:
    """A drawing in `figures/`."""

    name: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side, under a heading of their own."""

    title: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Bullets:
    """Sentences, some with a command."""

    items: Sequence[tuple[str, str]]  # text, command or ""


@dataclass(frozen=True)
class Chapter:
    """One part of the page."""

    key: str
    title: str
    lead: str
    parts: Sequence[Grid | Gallery | Bullets]


def chapters(results: Results, stages: Sequence[Stage]) -> list[Chapter]:
    """Write all chapters."""
    return [
        _table_1(results),
        _figure_3(results),
        _figure_4(results),
        _figure_5(results),
        _claims(results),
        Chapter(
            "differences", "What is done otherwise than in the paper", "",
            [Bullets([(text, "") for text in differences(results)])],
        ),
        Chapter(
            "missing", "What is not reproduced here", "",
            [Bullets(missing(results))],
        ),
        _stages(results, stages),
    ]  # fmt: skip


def facts(results: Results) -> list[str]:
    """Say in a few words of what this is a reproduction."""
    data, plan = results.data, results.plan
    model = plan.run.model
    several = f"seeds {plan.seeds[0]} to {plan.seeds[-1]}"
    return [
        f"{data['name']}, space {data['space']}",
        f"{data['train_rows']:,} training and {data['test_rows']:,} test rows",
        f"hidden {model.hidden_dim}, latent {model.latent_dim}, {plan.run.train.epochs} epochs",
        several if len(plan.seeds) > 1 else f"seed {plan.seeds[0]}",
    ]


def _table_1(results: Results) -> Chapter:
    rows = [["measure", "epochs: paper", "ours", "paper", "ours", "difference", "seeds", "time"]]
    for cell in results.table_1:
        spread = "" if cell.deviation != cell.deviation else f" ± {100 * cell.deviation:.2f}"
        rows.append(
            [
                MEASURES[cell.measure], str(cell.paper_epochs), str(cell.epochs),
                f"{100 * cell.paper:.2f} %", f"{100 * cell.ours:.2f}{spread} %",
                f"{100 * cell.difference:+.2f}", str(cell.seeds), duration(cell.seconds),
            ]
        )  # fmt: skip
    published = results.data["published"]
    where = (
        "The paper's values are of ENAS-6, as these."
        if published
        else f"The paper's values are of ENAS-6; ours are of {results.data['name']}, another table."
    )
    protocol = results.plan.run.evaluate
    lead = (
        f"{where} Reconstruction: the probability that a stochastic decoding of a test network's "
        f"posterior mean is that network. The other three: {protocol.protocol_points:,} draws of "
        f"the prior, {protocol.protocol_decodings} stochastic decodings each, as the paper's code "
        "has it. Differences are in percentage points; time is that of training until the "
        f"checkpoint. Source: {TABLE_1_SOURCE}."
    )
    return Chapter(
        "table1", "Table 1: reconstruction, validity, uniqueness, novelty", lead,
        [Grid(rows, own=4), _further(results)],
    )  # fmt: skip


def _further(results: Results) -> Grid:
    """Measures that the paper's Table 1 lacks, at the same checkpoints."""
    asked = (
        ("reconstruction, z drawn from the posterior", ("reconstruction", "sampled"), True),
        ("prior, one decoding a draw: uniqueness", ("prior", "uniqueness"), True),
        ("performance: RMSE / std of training rows", ("performance", "rmse_normalised"), False),
        ("performance: Pearson r", ("performance", "pearson_r"), False),
        ("performance: Kendall tau", ("performance", "kendall_tau"), False),
    )
    rows = [["also measured, ours only", *(f"{e} epochs" for e in results.plan.checkpoints)]]
    for title, keys, is_share in asked:
        values = [results.over_seeds(e, "metrics", *keys) for e in results.plan.checkpoints]
        rows.append([title, *(_number(*value, is_share=is_share) for value in values)])
    return Grid(rows)


def _number(mean: float, deviation: float, *, is_share: bool) -> str:
    factor, digits, unit = (100, 2, " %") if is_share else (1, 4, "")
    spread = "" if deviation != deviation else f" ± {factor * deviation:.{digits}f}"
    return f"{factor * mean:.{digits}f}{spread}{unit}"


def _figure_3(results: Results) -> Chapter:
    seed = results.plan.seeds[0]
    return Chapter(
        "figure3", "Figure 3: training, and the latent space",
        "The paper shows both as pictures without numbers; what it says of them stands in the "
        f"table of statements below. Training of seed {seed}.",
        [Gallery("", [
            Picture("figure3-training", "Means over the training rows of each epoch: nodes and "
                    "edges together, and the KL divergence, before its weight of "
                    f"{results.plan.run.loss.beta:g}.", "Reconstruction loss and KL by epoch"),
            Picture("figure3-map", "One draw of the prior, moved along the first two principal "
                    "components of the encodings; the colour is the predicted performance.",
                    "Predicted performance on a plane of the latent space"),
        ])],
    )  # fmt: skip


def _figure_4(results: Results) -> Chapter:
    slope, intercept = results.fit
    ascents = results.plan.own.ascents
    return Chapter(
        "figure4", "Figure 4: the performance predictor",
        "Test rows are never learned from. The paper shows pictures without numbers.",
        [Gallery("", [
            Picture("figure4-predicted", f"Test networks drawn at random; fitted line: predicted "
                    f"= {slope:.4f} true {intercept:+.4f}.", "Predicted against true performance"),
            Picture("figure4-rmse", "Training rows while they are learned from, with z drawn from "
                    "the posterior; test rows after each epoch; training rows at the three "
                    "checkpoints.", "Error by epoch"),
            Picture("figure4-ascent", f"Mean and standard deviation of {ascents} ascents of the "
                    "predicted performance. One step follows the gradient at the start and is as "
                    "long as the many together.", "Predicted performance by steps"),
        ])],
    )  # fmt: skip


def _figure_5(results: Results) -> Chapter:
    names = results.data["complexities"]
    shown = [name for name in names if all(name in one.complexity for one in results.found)]
    rows = [["method", "seed", "rank", "performance", "predicted", *shown]]
    for one in results.found:
        predicted = "–" if one.predicted is None else f"{one.predicted:.4f}"
        rows.append(
            [one.method.title, str(one.seed), str(one.rank), f"{one.performance:.4f}", predicted,
             *(f"{one.complexity[name]:,.0f}" for name in shown)]
        )  # fmt: skip
    summary = [["mean of the top three", "performance", *shown]]
    for method in METHODS:
        if results.of(method):
            means = [f"{results.mean_of(method.key, name):,.0f}" for name in shown]
            summary.append([method.title, f"{results.mean_of(method.key):.4f}", *means])
    best = f"Best known row of the table: {results.data['performance_best']:.4f}."
    lead = (
        f"{oracle_text(results)} Each search asked about {results.plan.own.budget} networks; no "
        f"row of the table is among them. {best}"
    )
    galleries = [_gallery(results, results.of(method)) for method in METHODS]
    found = [gallery for gallery in galleries if gallery is not None]
    return Chapter(
        "figure5", "Figure 5: the top three networks of each method", lead,
        [Grid(summary), *found, Grid(rows, own=3)],
    )  # fmt: skip


def _gallery(results: Results, found: Sequence[Found]) -> Gallery | None:
    first = [one for one in found if one.seed == results.plan.seeds[0]]
    weighed = results.data["weighed"]
    pictures = [
        Picture(
            drawing_of(one),
            f"{one.rank}. performance {one.performance:.4f}, "
            f"{one.complexity.get(weighed, float('nan')):,.0f} {weighed}",
            f"Network {one.architecture}",
        )
        for one in first
    ]
    return Gallery(first[0].method.title, pictures) if first else None


def _claims(results: Results) -> Chapter:
    verdicts = {True: "yes", False: "no", None: "–"}
    rows = [["the paper says", "section", "here", "counted as held if", "held"]]
    rows += [[c.text, c.section, c.here, c.rule, verdicts[c.holds]] for c in claims(results)]
    lead = f"Statements of {PAPER}, shortened, and what was measured here."
    return Chapter("claims", "What the paper says", lead, [Grid(rows, prose=True)])


def _stages(results: Results, stages: Sequence[Stage]) -> Chapter:
    times = results.folder.times()
    rows = [["stage", "time"]]
    rows += [[s.title, duration(times[s.key])] for s in stages if s.key in times]
    rows.append(["all", duration(sum(times[s.key] for s in stages if s.key in times))])
    machine = results.data["environment"]
    lead = (
        f"Where a stage was cut off, the time is that of its last attempt. torch "
        f"{machine['torch']}, {machine['threads']} threads, {machine['platform']}."
    )
    return Chapter("stages", "Stages and time", lead, [Grid(rows)])


def duration(seconds: float) -> str:
    """Write a time for people."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
