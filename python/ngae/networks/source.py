"""Networks as Python source that needs torch alone: the frame, and how its lines are broken.

What is written for each kind of network stands in the files `source_*.py`; a space picks one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from ngae import __version__
from ngae.files import without_folder

_WIDTH = 100
_CALL = '    print("output", tuple(model(*inputs).shape))'


@dataclass(frozen=True)
class NetworkSource:
    """The part of a module that differs between kinds of networks.

    Attributes:
        code: Definitions, among them a class `Network` without arguments.
        example: Arguments for a call of the network, as Python expressions; none: unknown.
        imports: Lines of import before torch's own.
        later: Lines of import after them.
    """

    code: str
    example: tuple[str, ...]
    imports: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


def module_of(space: str, text: str, sizes: Any, source: NetworkSource) -> str:
    """Write a whole module.

    Args:
        space: Name of the architecture's search space.
        text: The architecture in the space's text form.
        sizes: Sizes of the network, a frozen dataclass, or None.
        source: What is in it.

    Returns:
        Python source with a function `network()`; run as a program, it calls the network once.
    """
    values = {} if sizes is None else dataclasses.asdict(sizes)
    named = quiet(", ".join(f"{name} = {value}" for name, value in values.items()))
    head = [
        f'"""A network of the search space {quiet(without_folder(space))}.',
        "",
        f"Plain PyTorch, written by ngae {__version__}. `network()` makes it, untrained; weights",
        "are named as in ngae: `load_state_dict` takes those of `Dag.to_torch()`.",
        *(["", *wrap(f"Sizes: {named}.", 96)] if named else []),
        '"""',
        "",
        *source.imports,
        *([""] if source.imports else []),
        "import torch",
        "from torch import Tensor, nn",
        *source.later,
        "",
        "# The architecture, in the text form of its space.",
        *assigned("ARCHITECTURE", text),
        "",
        "",
        "def network() -> nn.Module:",
        '    """Make the network, untrained."""',
        "    return Network()",
    ]
    called = [f"    inputs = ({', '.join(source.example)},)", _CALL] if source.example else []
    foot = [
        'if __name__ == "__main__":',
        "    model = network().eval()",
        '    print(sum(weight.numel() for weight in model.parameters()), "parameters")',
        *called,
    ]
    return "\n\n\n".join(["\n".join(head), source.code.strip("\n"), "\n".join(foot)]) + "\n"


def assigned(name: str, text: str) -> list[str]:
    """Write an assignment of a text, over several lines where it is long."""
    line = f"{name} = {text!r}"
    if len(line) <= _WIDTH:
        return [line]
    parts = [text[i : i + 88] for i in range(0, len(text), 88)]
    return [f"{name} = (", *(f"    {part!r}" for part in parts), ")"]


def listed(head: str, items: Sequence[str], tail: str, indent: int = 0, width: int = _WIDTH) -> str:
    """Write `head`, items with commas between them, and `tail`: in one line, or one item a line.

    An item may hold a comment after two blanks and a number sign, and there is one item a line
    then; an item may have several lines.

    Args:
        head: Such as `return torch.cat([`.
        items: Expressions.
        tail: Such as `])`.
        indent: Blanks before the first line.
        width: Of the lines.
    """
    blanks = " " * indent
    line = f"{blanks}{head}{', '.join(items)}{tail}"
    if len(line) <= width and not any("  #" in item or "\n" in item for item in items):
        return line
    lines = [f"{blanks}{head}"]
    for item in items:
        code, mark, comment = item.rpartition("  #") if "  #" in item else (item, "", "")
        lines += [f"{blanks}    {part}" for part in f"{code},{mark}{comment}".splitlines()]
    return "\n".join([*lines, f"{blanks}{tail}"])


def total(terms: Sequence[str], indent: int, head: str) -> str:
    """Write `head` and a sum, over several lines where it is long."""
    blanks = " " * indent
    line = f"{blanks}{head}{' + '.join(terms)}"
    if len(line) <= _WIDTH:
        return line
    first, *others = terms
    lines = [f"{blanks}{head}(", f"{blanks}    {first}", *(f"{blanks}    + {t}" for t in others)]
    return "\n".join([*lines, f"{blanks})"])


def quiet(text: str) -> str:
    """Return a text that ends neither the docstring nor the comment in which it stands."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown.replace("\\", "/").replace('"', "'")
