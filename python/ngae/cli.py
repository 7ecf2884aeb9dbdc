"""`ngae <command>`: the same as `python -m ngae.<command>`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import ngae
from ngae.commands.names import COMMANDS as _COMMANDS


def usage() -> str:
    """Return the text of `ngae --help`."""
    width = max(map(len, _COMMANDS))
    lines = [f"  {name.ljust(width)}  {text}" for name, text in _COMMANDS.items()]
    return "\n".join(
        [
            f"ngae {ngae.__version__}: neural architecture optimization with a graph VAE",
            "",
            "usage: ngae <command> [flags]      (ngae <command> --help tells more)",
            "",
            *lines,
            "",
            "start with: ngae train",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    if arguments[0] == "--version":
        print(ngae.__version__)
        return 0
    name, *rest = arguments
    if name not in _COMMANDS:
        print(f"error: expected one of {', '.join(_COMMANDS)}, found {name!r}", file=sys.stderr)
        return 2
    code: int = import_module(f"ngae.commands.{name}").main(rest)
    return code
