"""Search in the latent space: ascent, trials, Pareto front.

Names are imported when first used: settings are read where there is no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.search.base import Trial as Trial
    from ngae.search.config import SearchConfig as SearchConfig
    from ngae.search.folder import SearchFolder as SearchFolder
    from ngae.search.gradient import GradientSearch as GradientSearch
    from ngae.search.pareto import non_dominated as non_dominated
    from ngae.search.random import RandomSearch as RandomSearch
    from ngae.search.result import SearchResult as SearchResult
    from ngae.search.run import run_search as run_search

_HOME = {
    "Trial": "base",
    "SearchConfig": "config",
    "GradientSearch": "gradient",
    "non_dominated": "pareto",
    "RandomSearch": "random",
    "SearchFolder": "folder",
    "SearchResult": "result",
    "run_search": "run",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.search", _HOME)
