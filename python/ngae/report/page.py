"""`report.html`: what the files of a run say, as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ngae
from ngae.errors import DataError
from ngae.files import write_text
from ngae.report.config import ReportConfig
from ngae.report.document import asset, document
from ngae.report.files import RunFiles, read_run
from ngae.report.html import Html, data_block, element, joined
from ngae.report.payload import report_payload
from ngae.report.tables import measures, settings, tiles

STYLE = ("style.css",)
SCRIPTS = (
    "base.js", "network.js", "plot.js", "zoom.js", "map.js", "curves.js", "found.js", "report.js",
)  # fmt: skip


def write_report(path: Path, config: ReportConfig | None = None) -> Path:
    """Write `report.html` into a run folder, of the files in it.

    Args:
        path: The run folder.
        config: How much is shown.

    Returns:
        Where the page is.

    Raises:
        RefusedError: A file of a finished run is missing.
        DataError: A file that is not what it should be.
    """
    try:
        text = page(read_run(path), config or ReportConfig())
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise DataError(
            f"{path}: expected the files of a finished run, found {type(error).__name__}: {error}"
        ) from error
    place = path / "report.html"
    write_text(place, text)
    return place


def page(run: RunFiles, config: ReportConfig) -> str:
    """Write the page."""
    payload = report_payload(run, config.points)
    name = run.path.resolve().name
    body = joined(
        [
            element("a", "Skip to the map", href="#map", class_="skip"),
            _header(run, name),
            element(
                "main",
                _map(payload),
                _found(payload),
                _prediction(payload),
                _training(run),
                _section("measures", "Measures", measures(run.metrics, run.data)),
                _section("settings", "Settings and machine", settings(run)),
            ),
            element(
                "footer",
                f"Written by ngae {ngae.__version__} from the files of {name}. "
                "Nothing on this page is fetched from elsewhere.",
            ),
            data_block("payload", payload),
        ]
    )
    style, script = asset(*STYLE), asset(*SCRIPTS)
    return document(f"{name}: report of ngae", body, style=style, script=script)


def _header(run: RunFiles, name: str) -> Html:
    data, model = run.data, run.config.get("model") or {}
    facts = [
        f"{data.get('name')}, space {data.get('space')}",
        f"{data.get('train_rows'):,} training and {data.get('test_rows'):,} test rows",
        f"latent space of {model.get('latent_dim')} dimensions",
        f"{run.metrics.get('epochs')} epochs",
    ]
    return element(
        "header",
        element("p", "Neural architecture optimization with a graph VAE", class_="over"),
        element("h1", name),
        element("p", " · ".join(facts), class_="facts"),
        tiles(run),
    )


def _section(key: str, title: str, *content: object, lead: str = "") -> Html:
    return element(
        "section",
        element("h2", title, id=f"{key}-title"),
        element("p", lead, class_="lead") if lead else None,
        *content,
        id=key,
        aria_labelledby=f"{key}-title",
    )


def _map(payload: Mapping[str, Any]) -> Html:
    table = payload["table"]
    count, total = len(table["graphs"]), table["total"]
    shown = f"{count:,} rows" if count == total else f"{count:,} of {total:,} rows"
    return _section(
        "map",
        "The latent space",
        element("div", class_="bar", id="map-controls"),
        element(
            "div",
            element("div", id="map-plot"),
            element("div", id="front-plot"),
            class_="pair",
        ),
        element("div", id="detail", class_="card detail", aria_live="polite"),
        lead=f"Each dot is a known architecture ({shown}), where the encoder puts it, on the "
        "plane of the first two principal components. Click a dot, or use the arrow keys and "
        "Enter, to see its network; it is marked in every figure.",
    )


def _found(payload: Mapping[str, Any]) -> Html:
    if not payload["searches"]:
        command = element("code", "ngae search RUN")
        text = ("No search in this folder yet. Make one by ", command, ", then the report anew.")
        return _section("found", "What searches found", element("p", *text, class_="lead"))
    return _section(
        "found",
        "What searches found",
        element("p", id="found-note", class_="note"),
        element("div", id="gallery", class_="gallery"),
        lead="The best answers first. Predicted is what the model said before the oracle answered.",
    )


def _prediction(payload: Mapping[str, Any]) -> Html | None:
    table = payload["table"]
    if table["predicted"] is None and not table["predicted_complexity"]:
        return None
    return _section(
        "prediction",
        "Predicted against true",
        element("div", id="prediction-plots", class_="grid"),
        lead="Test rows, which the model has not learned from, predicted at their encoding. "
        "On the line a prediction is exact.",
    )


def _training(run: RunFiles) -> Html:
    lead = (
        "Means over the training rows of each epoch: the objective, what it takes to write nodes "
        "and edges, and squared errors of the predictors in units of the training rows' variance."
    )
    if not run.log:
        lead = "There is no log of the training in this folder."
    return _section(
        "training", "Training", element("div", id="curves", class_="grid small"), lead=lead
    )
