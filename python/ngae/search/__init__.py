"""Search: in the latent space, or without a model; trials, Pareto front.

Names are imported when first used: settings are read where there is no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.search.ascent import AscentSearch as AscentSearch
    from ngae.search.base import Trial as Trial
    from ngae.search.bo import BOSearch as BOSearch
    from ngae.search.config import SearchConfig as SearchConfig
    from ngae.search.evolution import EvolutionSearch as EvolutionSearch
    from ngae.search.folder import SearchFolder as SearchFolder
    from ngae.search.gradient import GradientSearch as GradientSearch
    from ngae.search.limits import Limit as Limit
    from ngae.search.local import LocalSearch as LocalSearch
    from ngae.search.nao import NAOSearch as NAOSearch
    from ngae.search.nsga2 import NSGA2Search as NSGA2Search
    from ngae.search.pareto import non_dominated as non_dominated
    from ngae.search.plain_gp import GPSearch as GPSearch
    from ngae.search.problem import Objective as Objective
    from ngae.search.problem import Problem as Problem
    from ngae.search.random import RandomSearch as RandomSearch
    from ngae.search.reinforce import ReinforceSearch as ReinforceSearch
    from ngae.search.result import SearchResult as SearchResult
    from ngae.search.run import run_search as run_search

_HOME = {
    "AscentSearch": "ascent",
    "Trial": "base",
    "BOSearch": "bo",
    "SearchConfig": "config",
    "EvolutionSearch": "evolution",
    "GradientSearch": "gradient",
    "LocalSearch": "local",
    "NAOSearch": "nao",
    "NSGA2Search": "nsga2",
    "non_dominated": "pareto",
    "GPSearch": "plain_gp",
    "Limit": "limits",
    "Objective": "problem",
    "Problem": "problem",
    "RandomSearch": "random",
    "ReinforceSearch": "reinforce",
    "SearchFolder": "folder",
    "SearchResult": "result",
    "run_search": "run",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.search", _HOME)
