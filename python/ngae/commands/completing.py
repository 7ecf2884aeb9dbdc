"""What a shell can complete, read off the commands' parsers. Holds no torch."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from ngae.commands.names import COMMANDS
from ngae.data.catalog import names

# Values that a parser does not list, by the placeholder in its help.
_VALUES = {("--device", "NAME"): ("auto", "cpu", "cuda"), ("name", "NAME"): tuple(names())}


@dataclass(frozen=True)
class Flag:
    """A flag of a command.

    Attributes:
        names: `--out`, and others of the same meaning.
        help: One line.
        takes: Whether a value follows.
        values: What the value can be; empty: anything.
        files: Whether the value may be a path.
    """

    names: tuple[str, ...]
    help: str
    takes: bool
    values: tuple[str, ...] = ()
    files: bool = False


@dataclass(frozen=True)
class Completed:
    """What can follow a command.

    Attributes:
        path: `("train",)`, or `("data", "get")`.
        help: One line.
        flags: In the order of `--help`.
        words: What a word that is no flag can be; empty: anything.
        files: Whether such a word may be a path.
    """

    path: tuple[str, ...]
    help: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...]
    files: bool

    def values_of(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Yield the flags whose values are known, with these."""
        return ((flag.names, flag.values) for flag in self.flags if flag.values)


def commands() -> list[Completed]:
    """Return every command, each before its own commands."""
    found: list[Completed] = []
    for name, text in COMMANDS.items():
        parser = import_module(f"ngae.commands.{name}").build_parser()
        found += _commands((name,), text, parser)
    return found


def _commands(
    path: tuple[str, ...], text: str, parser: argparse.ArgumentParser
) -> Iterator[Completed]:
    flags: list[Flag] = []
    words: tuple[str, ...] = ()
    files = False
    inner: list[tuple[str, argparse.ArgumentParser, str]] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            inner = [(name, each, helps[name]) for name, each in action.choices.items()]
            words = tuple(action.choices)
        elif action.option_strings:
            flags.append(_flag(action))
        else:
            words += _values(action)
            files = files or not _values(action)
    yield Completed(path, text, tuple(flags), words, files)
    for name, each, help_ in inner:
        yield from _commands((*path, name), help_, each)


def _flag(action: argparse.Action) -> Flag:
    takes, values = action.nargs != 0, _values(action)
    # A text may be a path; a number, and a placeholder of which the values are known, is none.
    files = takes and not values and action.type in (None, str)
    help_ = (action.help or "").replace("%%", "%").split("\n")[0]
    return Flag(tuple(action.option_strings), help_, takes, values, files)


def _values(action: argparse.Action) -> tuple[str, ...]:
    if action.choices is not None:
        return tuple(map(str, action.choices))
    name = action.option_strings[0] if action.option_strings else action.dest
    return _VALUES.get((name, str(action.metavar)), ())
