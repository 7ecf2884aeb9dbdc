"""Neural architecture optimization with a graph VAE.

Names are imported when first used, so that `import ngae` and `--help` need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngae.api import NGAE as NGAE
    from ngae.dag import Dag as Dag
    from ngae.data import Dataset as Dataset
    from ngae.data import Record as Record
    from ngae.data import Table as Table
    from ngae.data import load as load
    from ngae.search.few_labels import FewLabelPredictor as FewLabelPredictor
    from ngae.searching import Search as Search

__version__ = "0.1.0"

_HOME = {
    "NGAE": "ngae.api",
    "Search": "ngae.searching",
    "FewLabelPredictor": "ngae.search.few_labels",
    "Dag": "ngae.dag",
    "Dataset": "ngae.data",
    "Record": "ngae.data",
    "Table": "ngae.data",
    "load": "ngae.data",
}
_ROOMS = (
    "baselines",
    "data",
    "evaluate",
    "figures",
    "models",
    "ops",
    "oracles",
    "search",
    "spaces",
)

__all__ = ["__version__", *_HOME, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _ROOMS:
        return import_module(f"ngae.{name}")
    raise AttributeError(f"module 'ngae' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
