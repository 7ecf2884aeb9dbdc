"""`ngae <command>`: the same as `python -m ngae.<command>`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import ngae

_COMMANDS = {
    "train": "train, judge and save a model (the main job)",
    "search": "look for better architectures with a trained model",
    "evaluate": "measure a trained model",
    "rank": "rank architectures from few labels",
    "data": "list, get, check, convert, sample and describe tables",
    "export": "write an architecture as JSON, DOT, SVG, PyTorch source or ONNX",
    "reproduce": "make the tables and figures of the paper anew",
    "report": "write one HTML file about a run and its searches",
    "explore": "look around in the latent space of a run, live in a browser",
    "doctor": "versions, backend and a self-test: what to paste into an issue",
}


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
