"""Chooses the backend of the ops and registers the native ones with torch."""

from __future__ import annotations

import os

from ngae.errors import UsageError

BACKENDS = ("cpp", "torch")


def active_backend() -> str:
    """Return the backend that the ops use: NGAE_OPS where it is set, else "cpp".

    Raises:
        UsageError: NGAE_OPS names none.
    """
    backend = os.environ.get("NGAE_OPS") or "cpp"
    if backend not in BACKENDS:
        raise UsageError(f"NGAE_OPS: expected one of {', '.join(BACKENDS)}, found {backend}")
    return backend
