"""What the paper says in words, beside what was measured here, and by which rule it is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ngae.reproduce.results import Results

_NEAR = 0.99  # a share around 100 %
_FALLEN = 0.1  # of the greatest value: near zero
_SLOPE = 0.15  # how far the slope of a line close to y = x may be from 1


@dataclass(frozen=True)
class Claim:
    """One statement of the paper.

    Attributes:
        section: Of the paper.
        text: What it says, shortened.
        here: What was measured.
        rule: When it counts as held.
        holds: Whether it does; None where it cannot be told.
    """

    section: str
    text: str
    here: str
    rule: str
    holds: bool | None


def claims(results: Results) -> list[Claim]:
    """List the paper's statements on Table 1 and figures 3 to 5."""
    return [*_of_table_1(results), *_of_figure_3(results), *_of_figure_4(results),
            *_of_figure_5(results)]  # fmt: skip


def _of_table_1(results: Results) -> list[Claim]:
    by = {
        name: [cell.ours for cell in results.table_1 if cell.measure == name]
        for name in ("reconstruction", "validity", "uniqueness", "novelty")
    }
    steady = min(by["validity"] + by["novelty"])
    return [
        Claim(
            "5.1", "Reconstruction accuracy grows with the epochs.",
            _percents(by["reconstruction"]), "no checkpoint is below the one before",
            bool((np.diff(by["reconstruction"]) >= 0).all()),
        ),
        Claim(
            "5.1", "Uniqueness declines with the epochs.",
            _percents(by["uniqueness"]), "the last checkpoint is below the first",
            by["uniqueness"][-1] < by["uniqueness"][0],
        ),
        Claim(
            "5.1", "Validity and novelty stay around 100 %.",
            f"least: {100 * steady:.2f} %", f"at least {100 * _NEAR:.0f} %", steady >= _NEAR,
        ),
    ]  # fmt: skip


def _of_figure_3(results: Results) -> list[Claim]:
    epoch, loss, kl = results.column("figure3-training.csv", "epoch", "reconstruction", "kl")
    top = int(kl.argmax())
    (values,) = results.column("figure3-map.csv", "predicted")
    side = round(len(values) ** 0.5)
    grid = values.reshape(side, side)
    jump = max(float(np.abs(np.diff(grid, axis=axis)).max()) for axis in (0, 1))
    span = float(np.ptp(values)) or 1.0
    return [
        Claim(
            "5.1", "The reconstruction loss falls to near zero.",
            f"from {loss[0]:.3g} to {loss[-1]:.3g} nats a graph",
            f"below {100 * _FALLEN:.0f} % of the first epoch", bool(loss[-1] < _FALLEN * loss[0]),
        ),
        Claim(
            "5.1", "The KL divergence first grows, then falls to near zero.",
            f"{kl[0]:.3g} in the first epoch, at most {kl[top]:.3g} (epoch {epoch[top]:.0f}), "
            f"{kl[-1]:.3g} in the last",
            f"below {100 * _FALLEN:.0f} % of the greatest", bool(kl[-1] < _FALLEN * kl[top]),
        ),
        Claim(
            "5.1", "Predicted accuracy changes smoothly over the latent space.",
            f"neighbours on the map differ by at most {100 * jump / span:.1f} % of the range",
            "not counted", None,
        ),
    ]  # fmt: skip


def _of_figure_4(results: Results) -> list[Claim]:
    slope, intercept = results.fit
    errors = [
        results.over_seeds(epoch, "metrics", "performance", "rmse_normalised")[0]
        for epoch in results.plan.checkpoints
    ]
    many, one = results.column("figure4-ascent.csv", "many_mean", "one_mean")
    return [
        Claim(
            "5.2", "The line through true and predicted accuracies is close to y = x.",
            f"slope {slope:.3f}, intercept {intercept:.3f}",
            f"slope within {_SLOPE:g} of 1", abs(slope - 1) <= _SLOPE,
        ),
        Claim(
            "5.2", "The RMSE falls with the epochs.",
            "test RMSE / std " + ", ".join(f"{error:.3f}" for error in errors),
            "the last checkpoint is below the first", errors[-1] < errors[0],
        ),
        Claim(
            "5.2", "Many gradient steps reach more than one step.",
            f"mean prediction {many[-1]:.4f} after {len(many) - 1} steps; "
            f"{one.max():.4f} after the best single one",
            "many steps end above the best single one", bool(many[-1] > one.max()),
        ),
    ]  # fmt: skip


def _of_figure_5(results: Results) -> list[Claim]:
    weighed = results.data["weighed"]
    full, bare, dvae = (
        results.mean_of(key) for key in ("ngae", "ngae-without-complexity", "dvae-bo")
    )
    costs = [results.mean_of(key, weighed) for key in ("ngae", "ngae-without-complexity")]
    saved = 1 - costs[0] / costs[1]
    has_dvae = dvae == dvae
    here = f"{full:.4f} and {bare:.4f}" + (
        f" against {dvae:.4f}" if has_dvae else "; D-VAE was not run"
    )
    return [
        Claim(
            "5.3", "NGAE with and without complexity predictor outperforms D-VAE.",
            f"mean of the top three: {here}", "both means are higher",
            min(full, bare) > dvae if has_dvae else None,
        ),
        Claim(
            "5.3", "Without the complexity predictor results are best, complexity is high.",
            f"{bare:.4f} at {costs[1]:,.0f} {weighed}; NGAE: {full:.4f} at {costs[0]:,.0f}",
            "both are higher than NGAE's", bare > full and costs[1] > costs[0],
        ),
        Claim(
            "5.3", "NGAE saves much complexity for little accuracy.",
            f"{100 * saved:.1f} % less {weighed}, performance lower by {bare - full:.4f}",
            "not counted", None,
        ),
    ]  # fmt: skip


def _percents(shares: list[float]) -> str:
    return ", ".join(f"{100 * share:.2f} %" for share in shares)
