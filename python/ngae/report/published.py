"""Published measures of the table ENAS-6, to stand beside a run's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAMES = ("enas6", "final_structures6.txt", "final_structures6.txt.gz")


@dataclass(frozen=True)
class Method:
    """What a paper tells of one method on ENAS-6.

    Attributes:
        title: Name and training.
        source: Where the values stand.
        values: By the key of `rows_of`; what is not told is absent.
    """

    title: str
    source: str
    values: Mapping[str, float]


# Shares by epochs. The paper prints them in per cent.
TABLE_1: Mapping[int, Mapping[str, float]] = {
    100: {"reconstruction": 0.8283, "validity": 0.9998, "uniqueness": 0.5155, "novelty": 1.0},
    200: {"reconstruction": 0.9997, "validity": 1.0, "uniqueness": 0.4205, "novelty": 1.0},
    300: {"reconstruction": 0.9999, "validity": 1.0, "uniqueness": 0.3856, "novelty": 1.0},
}
TITLE = "Neural Architecture Optimization with Graph VAE"
PAPER = f"Li, Liu, Liu, Wang: {TITLE}"
TABLE_1_SOURCE = f"{PAPER}, Table 1"

METHODS = (
    Method(
        "NGAE, 300 epochs",
        f"{TITLE}, Table 1; RMSE: section 5.2, figure 4",
        {**TABLE_1[300], "rmse_normalised": 0.357},
    ),
    Method(
        "D-VAE",
        "Zhang et al., NeurIPS 2019; RMSE by a sparse Gaussian process",
        {
            "reconstruction": 0.9996,
            "validity": 1.0,
            "uniqueness": 0.3726,
            "novelty": 1.0,
            "rmse_normalised": 0.375,
        },
    ),
    Method(
        "PACE", "Dong et al., ICML 2022", {"rmse_normalised": 0.2477, "pearson_r": 0.9678}
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One line of the table of measures.

    Attributes:
        key: What published values are filed under; "" where there are none.
        title: What is measured.
        unit: "%" for shares, else "".
        better: up or down.
        value: The run's own, or None.
        digits: Decimals that are shown.
    """

    key: str
    title: str
    unit: str
    better: str
    value: float | None
    digits: int

    def text(self, value: float | None) -> str:
        """Write a value of this measure."""
        if value is None:
            return "–"
        return f"{100 * value:.{self.digits}f} %" if self.unit else f"{value:.{self.digits}f}"


def is_enas6(data: Mapping[str, Any]) -> bool:
    """Whether `data.json` describes the table that the published measures are of."""
    return str(data.get("name")) in _NAMES


def rows_of(metrics: Mapping[str, Any]) -> list[Measure]:
    """List the measures in `metrics.json`; a section that is missing gives no row."""
    rows = []
    reconstruction = metrics.get("reconstruction") or {}
    for name, title, key in (
        ("mean", "reconstruction, z = mean", "reconstruction"),
        ("sampled", "reconstruction, z sampled", ""),
    ):
        rows.append(Measure(key, title, "%", "up", reconstruction.get(name), 2))
    for section, title in (("published_protocol", "published protocol"), ("prior", "prior")):
        for name in ("validity", "uniqueness", "novelty"):
            key = name if section == "published_protocol" else ""
            value = (metrics.get(section) or {}).get(name)
            rows.append(Measure(key, f"{title}: {name}", "%", "up", value, 2))
    targets = {"performance": metrics.get("performance"), **(metrics.get("complexity") or {})}
    for target, values in targets.items():
        for name, title, better in (
            ("rmse_normalised", "RMSE / std of training rows", "down"),
            ("pearson_r", "Pearson r", "up"),
            ("kendall_tau", "Kendall tau", "up"),
        ):
            key = name if target == "performance" else ""
            value = (values or {}).get(name)
            rows.append(Measure(key, f"{target}: {title}", "", better, value, 4))
    return [row for row in rows if row.value is not None]
