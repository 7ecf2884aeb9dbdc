"""The parts of a report that are text: key numbers, measures beside published ones, settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ngae.report.files import RunFiles
from ngae.report.html import Html, element, joined
from ngae.report.published import METHODS, is_enas6, rows_of

_ARROW = {"up": "↑", "down": "↓"}


def tiles(run: RunFiles) -> Html:
    """Show the few numbers that most readers look for."""
    found = [
        _tile("reconstruction", run.metrics, ("reconstruction", "mean"), "of test rows, z = mean"),
        _tile("valid", run.metrics, ("prior", "validity"), "of networks drawn from the prior"),
        _tile("novel", run.metrics, ("prior", "novelty"), "of the valid ones"),
        _plain("Pearson r", run.metrics, ("performance", "pearson_r"), "predicted against true"),
        _best(run),
    ]
    return element("ul", *[tile for tile in found if tile is not None], class_="tiles")


def measures(metrics: Mapping[str, Any], data: Mapping[str, Any]) -> Html:
    """Lay out `metrics.json` beside published measures, and say which table these are of."""
    head = ["measure", "better", "this run", *(method.title for method in METHODS)]
    rows = []
    for row in rows_of(metrics):
        published = [row.text(method.values.get(row.key)) for method in METHODS]
        rows.append(
            element(
                "tr",
                element("th", row.title, scope="row"),
                element("td", _ARROW[row.better], title=f"better {row.better}"),
                element("td", row.text(row.value), class_="own"),
                *[element("td", text) for text in published],
            )
        )
    comparable = is_enas6(data)
    note = (
        "Published values are of ENAS-6, as this run."
        if comparable
        else "Published values are of another table, ENAS-6: they show what is usual, "
        f"and are no comparison with {data.get('name')}."
    )
    sources = "; ".join(f"{method.title}: {method.source}" for method in METHODS)
    return joined(
        [
            element("p", note, class_="lead"),
            _scrolling(_table(head, rows)),
            element("p", f"Sources: {sources}.", class_="note"),
        ]
    )


def settings(run: RunFiles) -> Html:
    """Lay out the settings by section, what is known of the data, and the machine."""
    groups: dict[str, Mapping[str, Any]] = {
        **{name: values for name, values in run.config.items() if isinstance(values, dict)},
        "the table": run.data,
        "the machine": run.environment,
    }
    cards = [
        element(
            "details",
            element("summary", name),
            element("dl", *_pairs(values)),
            open=name in ("model", "train"),
        )
        for name, values in groups.items()
    ]
    return element("div", *cards, class_="groups")


def _table(head: Iterable[str], rows: Iterable[Html]) -> Html:
    names = [element("th", name, scope="col") for name in head]
    return element(
        "table", element("thead", element("tr", *names)), element("tbody", *rows)
    )  # fmt: skip


def _scrolling(table: Html) -> Html:
    """Let a wide table scroll by itself, by keyboard, too."""
    return element(
        "div", table, class_="scroll", tabindex="0", role="region", aria_label="Measures"
    )


def _pairs(values: Mapping[str, Any]) -> list[Html]:
    return [
        element("div", element("dt", name), element("dd", _shown(value)))
        for name, value in values.items()
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in ("", None) else str(value)


def _value(metrics: Mapping[str, Any], keys: tuple[str, str]) -> float | None:
    section = metrics.get(keys[0])
    value = section.get(keys[1]) if isinstance(section, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _tile(title: str, metrics: Mapping[str, Any], keys: tuple[str, str], note: str) -> Html | None:
    value = _value(metrics, keys)
    return None if value is None else _card(title, f"{100 * value:.2f} %", note)


def _plain(title: str, metrics: Mapping[str, Any], keys: tuple[str, str], note: str) -> Html | None:
    value = _value(metrics, keys)
    return None if value is None else _card(title, f"{value:.4f}", note)


def _best(run: RunFiles) -> Html | None:
    """The best answer of all searches, beside the best known row."""
    best = [(search.result.get("best") or {}).get("performance") for search in run.searches]
    answers = [float(value) for value in best if value is not None]
    known = run.rows.performance[run.rows.performance == run.rows.performance]
    if not answers:
        return None
    beside = f"best of known rows: {known.max():.4f}" if len(known) else "no row is known"
    name = str(run.data.get("performance") or "performance")
    return _card(f"best {name} found", f"{max(answers):.4f}", beside)


def _card(title: str, value: str, note: str) -> Html:
    return element(
        "li",
        element("span", title, class_="name"),
        element("strong", value),
        element("span", note, class_="note"),
    )
