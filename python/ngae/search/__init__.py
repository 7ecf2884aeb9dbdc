"""Search in the latent space: ascent, trials, Pareto front.

Names are imported when first used: settings are read where there is no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngae.search.base import Trial as Trial
    from ngae.search.config import SearchConfig as SearchConfig
    from ngae.search.gradient import GradientSearch as GradientSearch
    from ngae.search.gradient import ascend as ascend
    from ngae.search.pareto import pareto_front as pareto_front
    from ngae.search.random import RandomSearch as RandomSearch
    from ngae.search.run import SearchResult as SearchResult
    from ngae.search.run import run_search as run_search

_HOME = {
    "Trial": "base",
    "SearchConfig": "config",
    "GradientSearch": "gradient",
    "ascend": "gradient",
    "pareto_front": "pareto",
    "RandomSearch": "random",
    "SearchResult": "run",
    "run_search": "run",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"ngae.search.{_HOME[name]}"), name)
    raise AttributeError(f"module 'ngae.search' has no attribute {name!r}")
