"""`ngae data`: lists, gets, checks and converts tables, and describes their formats."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ngae import console
from ngae.commands.fetching import Bar, size_text
from ngae.data.catalog import ENTRIES, NOT_KNOWN, Entry, find, names
from ngae.data.config import DataConfig
from ngae.errors import UsageError
from ngae.settings import add_flags, given_flags, make

if TYPE_CHECKING:
    from ngae.data.records import Table

EXAMPLES = """\
examples:
  ngae data list
  ngae data get enas6
  ngae data formats
  ngae data check table.csv --arch-col arch --performance-col acc
  ngae data convert --from dvae final_structures6.txt table.csv
  ngae data sample enas12 enas12.csv --rows 100000
  ngae data pack table.csv table.packed --space space.py:Mine    read once, mapped ever after
"""

FORMATS = """\
.txt    one architecture a line, as in D-VAE's tables: [[type], [type, flag], ...], accuracy
.csv    a head line; columns named by --arch-col, --performance-col, --complexity-col
.jsonl  one JSON object a line with the same names as keys; an architecture is one of the texts
        below, the same as JSON, or {"node_types": [...], "edges": [[u, v], ...]}
Each may be compressed as .gz. Several columns of an architecture are joined by commas (--arch-col
adjacency,operations). Columns of further CSV files come with --join, matched by a shared column.
.packed  what `ngae data pack` made of one of these: arrays that are mapped, not parsed

space            columns                     an architecture
enas<layers>     arch                        [[type], [type, flag], ...]: 0 conv3x3, 1 sep3x3,
                                             2 conv5x5, 3 sep5x5, 4 avg3x3, 5 max3x3; skip flags
nas-bench-101    adjacency, operations       0100001..., and input,conv3x3-bn-relu,...,output
                 num_vertices, edge_bits, ops
nas-bench-201    arch_str                    |op~0|+|op~0|op~1|+|op~0|op~1|op~2|
nas-bench-graph  links, ops                  0-0-1-2, and gcn-gat-fc-skip
recurrent        recepie                     {"h_new_0": {"op": "linear", "input": ["x", ...]}, ...}
module:Name      arch                        conv(0) pool(0,1) output(1,2): your own Cell or Chain

Published forms that `ngae data convert --from FORM SOURCE TABLE` turns into these:"""

TRIED = "run on the original file"
NOT_TRIED = "never run on the original file: tested on made-up files of this form only"


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae data",
        description="List, get, check, convert, sample, pack and describe tables of architectures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="action", required=True, metavar="list|get|check|formats|convert|sample|pack"
    )
    console.add_common_flags(commands.add_parser("list", help="list the tables known by name"))
    commands.add_parser("formats", help="describe the files that can be read or converted")
    check = commands.add_parser("check", help="name every problem of a file")
    check.add_argument("file", metavar="FILE", help="the table")
    console.add_common_flags(check)
    add_flags(check, DataConfig, "data")
    _add_get(commands.add_parser("get", help="fetch a published table into the cache"))
    _add_convert(commands.add_parser("convert", help="turn a published file into a table"))
    _add_sample(commands.add_parser("sample", help="draw architectures of a space at random"))
    _add_pack(commands.add_parser("pack", help="write a table as arrays, for quick reading"))
    return parser


def _add_get(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the table, as in `list`")
    parser.add_argument(
        "--from-dir", metavar="DIR", help="take the originals from here; the net is not used"
    )
    parser.add_argument(
        "--sha256", default="", metavar="HEX", help="checksum, where the catalog states none"
    )
    parser.add_argument(
        "--accept-unverified", action="store_true", help="take a file of unknown checksum"
    )
    console.add_common_flags(parser)


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="form", required=True, metavar="FORM", help="see `formats`")
    parser.add_argument("source", metavar="SOURCE", help="the original file or folder")
    parser.add_argument("target", metavar="TABLE", help="the table to write; .gz may follow")
    parser.add_argument(
        "--skip", type=int, default=0, metavar="N", help="rows at the head to leave out"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a table that is there")
    console.add_common_flags(parser)


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("space", metavar="SPACE", help="its name, or yours as module:Name")
    parser.add_argument("target", metavar="TABLE", help="the .csv or .jsonl file to write")
    parser.add_argument("--rows", type=int, default=10_000, metavar="N", help="(default: 10000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--overwrite", action="store_true", help="replace a table that is there")
    console.add_common_flags(parser)


def _add_pack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="TABLE", help="a table, as for --data")
    parser.add_argument("target", metavar="FILE", help="the .packed file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    console.add_common_flags(parser)
    add_flags(parser, DataConfig, "data")


def command(arguments: argparse.Namespace) -> int:
    """Do the action; the exit code."""
    actions = {
        "list": _list,
        "formats": _formats,
        "check": _check,
        "get": _get,
        "convert": _convert,
        "sample": _sample,
        "pack": _pack,
    }
    actions[arguments.action](arguments)
    return 0


def _list(arguments: argparse.Namespace) -> None:
    from ngae.data.cache import state_of

    states = {entry.name: state_of(entry) for entry in ENTRIES}
    if arguments.json:
        found = [_facts(entry, states[entry.name]) for entry in ENTRIES]
        console.give(json.dumps(found, indent=2))
        return
    rows = [["name", "rows", "space", "fetch", "state", "licence"]]
    rows += [
        [e.name, f"{e.rows:,}", e.space, _size(e), states[e.name], e.licence.split(";")[0]]
        for e in ENTRIES
    ]
    console.give(console.table(rows))


def _size(entry: Entry) -> str:
    if entry.embedded:
        return "nothing"
    return NOT_KNOWN if entry.about is None else size_text(entry.about)


def _facts(entry: Entry, state: str) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": entry.title,
        "space": entry.space,
        "rows": entry.rows,
        "bytes": entry.size,
        "licence": entry.licence,
        "citation": entry.citation,
        "home": entry.home,
        "form": entry.way,
        "state": state,
        "by_hand": entry.by_hand,
        "files": [{"url": file.url, "sha256": file.sha256} for file in entry.files],
    }


def _formats(arguments: argparse.Namespace) -> None:
    from ngae.data.convert import FORMS

    console.give(FORMATS)
    for form in FORMS:
        console.give(
            f"{form.name}\n    from  {form.source}\n    to    {form.suffix}: {form.columns}\n"
            f"    {TRIED if form.tried else NOT_TRIED}"
        )


def _get(arguments: argparse.Namespace) -> None:
    from ngae.data.fetch import Request, get

    entry = find(arguments.name)
    if entry is None:
        raise UsageError(
            f"data get: expected one of {', '.join(names())}, found {arguments.name!r}",
            remedy="`ngae data list` shows the tables",
        )
    folder = arguments.from_dir and Path(arguments.from_dir)
    request = Request(
        from_dir=folder or None,
        sha256=arguments.sha256,
        accept_unverified=arguments.accept_unverified,
    )
    with Bar(entry.name) as bar:
        table = get(entry, request, progress=bar.moved, say=bar.say)
    if arguments.json:
        shown = {"name": entry.name, "path": str(table.path), "settings": table.settings}
        console.give(json.dumps(shown, indent=2))
        return
    console.give(f"{table.path}: {entry.rows:,} rows, space {entry.space}")
    console.say(f"licence: {entry.licence}")
    console.say(f"cite: {entry.citation}")
    if entry.by_hand:
        console.say(f"note: {entry.by_hand.replace('NAME', entry.name)}")
    console.say(f"next: ngae train --data {entry.name}")


def _convert(arguments: argparse.Namespace) -> None:
    from ngae.data.convert import convert

    if arguments.skip < 0:
        raise UsageError(f"--skip: expected a number from 0, found {arguments.skip}")
    made = convert(
        arguments.form,
        Path(arguments.source),
        Path(arguments.target),
        overwrite=arguments.overwrite,
        skip=arguments.skip,
    )
    if arguments.json:
        console.give(json.dumps({"path": str(made.path), "rows": made.rows}))
    else:
        console.give(f"{made.path}: {made.rows:,} rows")


def _sample(arguments: argparse.Namespace) -> None:
    if arguments.rows < 1 or arguments.seed < 0:
        raise UsageError(
            f"data sample: expected --rows from 1 and --seed from 0, found {arguments.rows} and "
            f"{arguments.seed}"
        )
    from ngae.data.sampling import draw_distinct, write_table
    from ngae.spaces import space_named

    space, target = space_named(arguments.space), Path(arguments.target)
    with Bar(space.name, "architectures") as bar:
        dags = draw_distinct(
            space, arguments.rows, arguments.seed, lambda n: bar.moved(n, arguments.rows)
        )
    write_table(dags, space, target, overwrite=arguments.overwrite)
    if arguments.json:
        console.give(json.dumps({"path": str(target), "rows": len(dags)}))
        return
    if len(dags) < arguments.rows:
        console.say(f"note: {space.name} gave no more than {len(dags):,} distinct architectures")
    console.give(f"{target}: {len(dags):,} rows, space {space.name}")
    console.say(
        f"next: ngae train --data {target} --space {arguments.space} --performance-col none"
    )


def _pack(arguments: argparse.Namespace) -> None:
    from ngae.data.registry import pack

    values = {**given_flags(arguments, DataConfig), "data": arguments.source}
    target = Path(arguments.target)
    table = pack(make(DataConfig, values, "flags"), target, overwrite=arguments.overwrite)
    if arguments.json:
        console.give(json.dumps({"path": str(target), "rows": len(table)}))
        return
    space = table.space.name
    console.give(f"{target}: {len(table):,} rows, space {space}")
    console.say(f"next: ngae train --data {target}" + f" --space {space}" * (":" in space))


def _check(arguments: argparse.Namespace) -> None:
    from ngae.data import load_config

    values = {**given_flags(arguments, DataConfig), "data": arguments.file}
    data = load_config(make(DataConfig, values, "flags"))
    targets = _targets(data.table)
    if arguments.json:
        performance = data.table.performance_name or None
        facts = {**data.as_dict(), "performance": performance, "targets": targets}
        console.give(json.dumps(facts, indent=2))
        return
    for note in data.notes:
        console.say(f"note: {note}")
    console.give(
        f"{arguments.file}: {len(data.table)} rows, space {data.space.name}, "
        f"{len(data.train)} training and {len(data.test)} test"
    )
    rows = [[name, *(f"{v:.6g}" for v in values.values())] for name, values in targets.items()]
    if rows:
        console.give(console.table([["target", "min", "mean", "max"], *rows]))


def _targets(table: Table) -> dict[str, dict[str, float]]:
    """Range and mean of each target with a known value: performance, then complexities."""
    columns = {table.performance_name: table.performance}
    columns |= {name: table.complexity[:, i] for i, name in enumerate(table.complexity_names)}
    known = {name: values[values == values] for name, values in columns.items()}
    return {
        name: {"min": float(v.min()), "mean": float(v.mean()), "max": float(v.max())}
        for name, v in known.items()
        if len(v)
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
