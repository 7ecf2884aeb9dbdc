"""Search in the latent space: ascent, trials, Pareto front."""

from ngae.search.base import Trial
from ngae.search.config import SearchConfig
from ngae.search.gradient import GradientSearch, ascend
from ngae.search.pareto import pareto_front
from ngae.search.run import SearchResult, run_search

__all__ = [
    "GradientSearch",
    "SearchConfig",
    "SearchResult",
    "Trial",
    "ascend",
    "pareto_front",
    "run_search",
]
