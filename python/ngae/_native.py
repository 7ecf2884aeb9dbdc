"""Loads the native core `ngae._C`, and says what to do where it is missing."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType


def load() -> ModuleType:
    """Import `ngae._C`.

    Returns:
        The native module: graph packing, propagation, decoding and ascent on the CPU.

    Raises:
        ImportError: It is not there or cannot be loaded; the message names the folder that was
            searched and the command that builds it.
    """
    try:
        from ngae import _C
    except ImportError as error:
        raise ImportError(
            f"ngae's native core could not be loaded from {Path(__file__).parent}: {error}. "
            "Build it with `pip install .` in ngae's source folder "
            "(a C++17 compiler is needed), and start Python elsewhere than in python/."
        ) from error
    module: ModuleType = _C
    return module
