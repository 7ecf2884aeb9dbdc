"""`ngae completion`: prints a script by which a shell completes commands, flags and values."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ngae import console

EXAMPLES = """\
examples:
  bash:  ngae completion bash > ~/.local/share/bash-completion/completions/ngae
  zsh:   ngae completion zsh > "${fpath[1]}/_ngae"      (then start a new shell)
  fish:  ngae completion fish > ~/.config/fish/completions/ngae.fish
or, for the shell that runs alone:
  eval "$(ngae completion bash)"
"""
SHELLS = ("bash", "zsh", "fish")


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae completion",
        description="Print a script that completes commands, flags, their values, and files. It "
        "is of this version of ngae; print it again after an update.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help="whose script")
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Print; the exit code."""
    from ngae.commands.completing import commands
    from ngae.commands.completion_scripts import script

    console.give(script(arguments.shell, commands()))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
