"""Figures for papers and notebooks in one style, by matplotlib; extra `plot`.

Names are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.figures.plots import latent_map as latent_map
    from ngae.figures.plots import learning_curves as learning_curves
    from ngae.figures.plots import pareto_front as pareto_front
    from ngae.figures.plots import predicted_against_true as predicted_against_true
    from ngae.figures.plots import regret_curves as regret_curves

_HOME = {
    "latent_map": "plots",
    "learning_curves": "plots",
    "pareto_front": "plots",
    "predicted_against_true": "plots",
    "regret_curves": "plots",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.figures", _HOME)
