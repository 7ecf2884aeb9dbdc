"""Tables of known architectures: reading, splitting, the embedded one.

Names are imported when first used: settings are read where there is neither numpy nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngae._lazy import lazily

if TYPE_CHECKING:
    from ngae.data.config import DataConfig as DataConfig
    from ngae.data.records import Dataset as Dataset
    from ngae.data.records import Record as Record
    from ngae.data.records import Table as Table
    from ngae.data.registry import load as load
    from ngae.data.registry import load_config as load_config

_HOME = {
    "DataConfig": "config",
    "Dataset": "records",
    "Record": "records",
    "Table": "records",
    "load": "registry",
    "load_config": "registry",
}

__all__ = list(_HOME)

__getattr__ = lazily("ngae.data", _HOME)
