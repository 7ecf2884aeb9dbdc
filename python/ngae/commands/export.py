"""`ngae export`: writes an architecture as JSON, DOT, SVG, PyTorch source or ONNX."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngae import console
from ngae.errors import DataError, GraphError, ParseError, UsageError, cut, shown
from ngae.files import parse_json

if TYPE_CHECKING:
    from ngae.dag import Dag
    from ngae.spaces.base import SearchSpace

SUFFIXES = (".json", ".dot", ".svg", ".py", ".onnx")
_MOST = 1_000_000  # largest size of a network that a file or a flag may ask for
_MOST_REPEATED = 1_000
# Sizes that repeat a part; each further stack doubles the channels.
_REPEATED = {
    "cells": _MOST_REPEATED,
    "cells_per_stack": _MOST_REPEATED,
    "num_layers": _MOST_REPEATED,
    "num_stacks": 20,
}
_MOST_WEIGHTS = 500_000_000  # of a network in ONNX, whose files end at 2 GB
_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "an integer up to {}"),
    float: ((int, float), "a number up to {}"),
}
EXAMPLES = """\
forms of OUT:
  .json  node types, edges, space and sizes (docs/export.md tells the schema)
  .dot   for Graphviz
  .svg   a drawing; with --against, of two architectures over each other
  .py    the network as a module of plain PyTorch that needs no ngae
  .onnx  the network for ONNX runtimes (pip install 'ngae[onnx]')

examples:
  ngae export runs/digits6-ngae-s0/search/gradient-b50-s0/best.json best.svg
  ngae export best.json best.py --size num_classes=100
  ngae export best.json best.onnx --weights trained.safetensors
  ngae export best.json difference.svg --against other.json
  ngae export '[[0], [1, 0], [2, 0, 1], [3, 0, 0, 0], [4, 1, 1, 0, 0], [5, 0, 0, 0, 0, 1]]' a.py
  ngae export 'conv3x3(0) output(1)' a.svg --space examples/own_space.py:ConvCell
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae export",
        description="Write an architecture as JSON, DOT, SVG, PyTorch source or ONNX.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "architecture", metavar="FILE", help="a JSON file of a search or of a Dag, or a text form"
    )
    parser.add_argument("file", metavar="OUT", help=f"where to; its end is {', '.join(SUFFIXES)}")
    parser.add_argument("--space", help="search space (default: what the file or the text says)")
    parser.add_argument(
        "--size", metavar="NAME=VALUE", action="append", default=[],
        help="a size of the network, such as num_classes=100; may be given several times",
    )  # fmt: skip
    parser.add_argument("--against", metavar="FILE", help="for .svg: an architecture to compare to")
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="for .onnx: safetensors of the network (default: untrained)",
    )
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Read, write, and say so; the exit code."""
    suffix = _checked_suffix(arguments)
    dag = _architecture(arguments.architecture, arguments.space, _sizes(arguments.size))
    if arguments.against is not None:
        from ngae.files import write_text

        other = _architecture(arguments.against, arguments.space, {})
        names = _name(arguments.architecture, "a"), _name(arguments.against, "b")
        write_text(
            Path(arguments.file), dag.to_svg(other, names if len(set(names)) > 1 else ("a", "b"))
        )
    elif suffix == ".onnx":
        _write_onnx(dag, arguments.file, arguments.weights)
    else:
        dag.save(arguments.file)
    console.say(f"wrote {arguments.file}")
    return 0


def _checked_suffix(arguments: argparse.Namespace) -> str:
    suffix = Path(arguments.file).suffix
    if suffix not in SUFFIXES:
        raise UsageError(
            f"OUT: expected a file that ends in {', '.join(SUFFIXES)}, found {arguments.file}"
        )
    for flag, wanted in (("against", ".svg"), ("weights", ".onnx")):
        if getattr(arguments, flag) is not None and suffix != wanted:
            raise UsageError(f"--{flag}: expected OUT to end in {wanted}, found {arguments.file}")
    return suffix


def _sizes(flags: Sequence[str]) -> dict[str, Any]:
    """Sizes of the network by name; numbers and truth values are written as in JSON."""
    sizes: dict[str, Any] = {}
    for flag in flags:
        name, mark, text = flag.partition("=")
        try:
            sizes[name] = json.loads(text)
        except ValueError:
            mark = ""
        if not mark or not isinstance(sizes[name], int | float):
            raise UsageError(f"--size: expected NAME=NUMBER, true or false, found {flag!r}")
    return sizes


def _architecture(source: str, name: str | None, sizes: dict[str, Any]) -> Dag:
    """Read a file, or a text where there is no such file."""
    path = Path(source)
    try:
        is_file = path.is_file()
    except OSError:  # a text too long for a name
        is_file = False
    if is_file:
        return _of_file(path, name, sizes)
    if path.suffix == ".json":
        raise DataError(f"{source}: expected a file, found nothing of that name")
    return _of_text(source, name, sizes)


def _of_file(path: Path, name: str | None, sizes: dict[str, Any]) -> Dag:
    from ngae.dag import Dag
    from ngae.spaces.registry import space_named

    values = _read(path)
    inner = values.get("dag")
    values = inner if isinstance(inner, dict) else values
    space = space_named(name) if name else _space_of_file(path, values.get("space"))
    stored = values.get("network")
    space = _resized(space, stored if isinstance(stored, dict) else {}, str(path))
    try:
        return Dag.from_json(values, _by_flags(space, sizes))
    except GraphError as error:
        raise GraphError(f"{path}: {error}", remedy=error.remedy) from error


def _space_of_file(path: Path, found: object) -> SearchSpace:
    """The space that a file names; code that it names is not run."""
    from ngae.spaces.registry import space_named

    if not isinstance(found, str):
        raise DataError(
            f"{path}: space: expected a name, found {found!r}", remedy="name it by --space"
        )
    if ":" in found:
        raise DataError(
            f"{path}: space: expected a space that ngae knows, found {found!r}",
            remedy=f"if you trust that code: --space {shlex.quote(repr(found)[1:-1])}",
        )
    try:
        return space_named(found)
    except UsageError as error:
        raise DataError(f"{path}: {error}", remedy="name it by --space") from error


def _by_flags(space: SearchSpace, sizes: dict[str, Any]) -> SearchSpace:
    """The space with the sizes of `--size`."""
    for size, value in sizes.items():
        wanted = _expected(space, size, value)
        if wanted:
            raise UsageError(f"--size {cut(size)}: expected {wanted}, found {shown(value)}")
    return space.resized(**sizes)


def _expected(space: SearchSpace, size: str, value: object) -> str:
    """What a size should be where `value` is of another kind or too large; "" where it will do."""
    kinds, wanted = _KINDS.get(type(getattr(space.network, size, None)), ((), ""))
    most = _REPEATED.get(size, _MOST)
    good = not kinds or (type(value) in kinds and isinstance(value, int | float) and value <= most)
    return "" if good else wanted.format(most)


def _resized(space: SearchSpace, sizes: dict[str, Any], place: str) -> SearchSpace:
    for size, value in sizes.items():
        wanted = _expected(space, size, value)
        if wanted:
            raise DataError(f"{place}: network: {size}: expected {wanted}, found {shown(value)}")
    try:
        return space.resized(**sizes)
    except UsageError as error:
        raise DataError(f"{place}: network: {error}") from error


def _of_text(text: str, name: str | None, sizes: dict[str, Any]) -> Dag:
    from ngae.spaces.registry import guess_space, space_named

    try:
        space = _by_flags(space_named(name or guess_space(text, (), text)), sizes)
        return space.parse(text)
    except ParseError as error:
        raise DataError(
            f"FILE: {cut(text)!r}: expected a JSON file, or an architecture as text: {error}",
            remedy="name the text's space by --space" if name is None else None,
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        values = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected an architecture in JSON: {error}") from error
    if not isinstance(values, dict):
        raise GraphError(f"{path}: expected a JSON object, found {type(values).__name__}")
    return values


def _name(source: str, otherwise: str) -> str:
    """What a legend calls an architecture: its file's name."""
    return Path(source).stem if source.endswith(".json") else otherwise


def _write_onnx(dag: Dag, file: str, weights: str | None) -> None:
    import torch

    from ngae.files import write_bytes
    from ngae.networks.counts import count_parameters

    weights_in = count_parameters(dag.to_torch)
    if weights_in > _MOST_WEIGHTS:
        raise UsageError(
            f"OUT: expected a network of at most {_MOST_WEIGHTS:,} weights for .onnx, found one of "
            f"{weights_in:,}",
            remedy="take smaller sizes by --size, or write .py",
        )
    torch.manual_seed(0)  # the same untrained weights each time
    network = dag.to_torch()
    if weights is not None:
        _load(network, weights)
    write_bytes(Path(file), dag.to_onnx(network))


def _load(network: Any, file: str) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    try:
        load_model(network, file)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{file}: expected weights of the network in safetensors: {cut(reason, 200)}",
            remedy="safetensors.torch.save_model(network, FILE) writes them",
        ) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
