"""Named settings: the files of `configs/`, one named run a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ngae.errors import UsageError
from ngae.settings import read_file


def preset(name: str) -> dict[str, dict[str, Any]]:
    """Return the settings called `name`, by section.

    Raises:
        UsageError: There is no such file in this installation.
    """
    here = Path(__file__).parent
    # Installed beside the package; in an editable installation they stay in the source tree.
    for folder in (here / "configs", here.parents[1] / "configs"):
        if (folder / f"{name}.toml").is_file():
            return read_file(folder / f"{name}.toml")
    raise UsageError(f"--preset: expected the name of a file in configs, found {name!r}")
