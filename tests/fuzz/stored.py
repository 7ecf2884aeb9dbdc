"""Files that runs and searches leave: settings, checkpoints, arrays, ledgers, folders."""

from __future__ import annotations

import contextlib
import json
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save

from ngae.baselines.dvae_checkpoint import load_checkpoint
from ngae.data import Table
from ngae.errors import NgaeError, RefusedError
from ngae.oracles.command_output import parse_output
from ngae.oracles.ledger import Ledger, answer_of
from ngae.oracles.weights_file import load_weights
from ngae.report.arrays import read_arrays
from ngae.report.files import read_lines, read_run
from ngae.report.runs import standings
from ngae.search.config import SearchConfig
from ngae.search.folder import SearchFolder
from ngae.search.history import Start
from ngae.settings import make, read_file
from ngae.spaces import space_named
from ngae.train import checkpoint as checkpoints
from ngae.train.config import RunConfig
from ngae.train.folder import RunFolder, cut_log
from tests.fuzz.place import choice, emptied, parts, written
from tests.fuzz.tables import PLAIN

SETTINGS = {"search": {"budget": 2, "seed": 0}, "oracle": {"name": "table"}}


def settings(data: bytes) -> None:
    """Settings for `--config`; the first byte chooses TOML or JSON."""
    number, content = choice(data, 2)
    path = written(("c.toml", "c.json")[number], content)
    sections = read_file(path)
    make(SearchConfig, sections.pop("search", {}), "search")
    config = RunConfig.from_sections(sections, str(path))
    assert RunConfig.from_sections(config.as_dict(), "again") == config


def checkpoint(data: bytes) -> None:
    """A checkpoint as it is, byte by byte."""
    _checkpoint(written("c.safetensors", data))


def facts(data: bytes) -> None:
    """A whole checkpoint whose text is anything, with the right digest where it is an object."""
    content = data.decode("utf-8", "replace")
    tensors = {"a": torch.zeros(2), "b": torch.zeros(0, dtype=torch.int64)}
    with contextlib.suppress(ValueError, RecursionError, AttributeError, TypeError):
        head = json.loads(content)
        head["sha256"] = checkpoints._digest(tensors, head.get("facts"))
        content = json.dumps(head)
    _checkpoint(written("c.safetensors", save(tensors, {"ngae": content})))


def _checkpoint(path: Path) -> None:
    found = checkpoints.read_checkpoint(path)
    assert isinstance(found.facts, dict)
    found.part("model.")
    checkpoints.write_checkpoint(path, found)
    assert checkpoints.read_checkpoint(path).facts == found.facts


def weights(data: bytes) -> None:
    """Shared weights, and a checkpoint of D-VAE; the first byte chooses."""
    number, content = choice(data, 2)
    (load_weights, load_checkpoint)[number](written("w.bin", content))


def arrays_file(data: bytes) -> None:
    """Arrays of NumPy."""
    for name, array in read_arrays(written("a.npz", data)).items():
        assert isinstance(name, str)
        assert array.dtype != object


def ledger(data: bytes) -> None:
    """A ledger that is opened, asked what is open, and opened again."""
    path = written("l.jsonl", data)
    with Ledger(path) as found:
        used, space = found.used, space_named("enas3")
        with contextlib.suppress(NgaeError):
            assert len(found.unanswered(space)) <= used
        for event in found.events:
            if event["event"] in ("answered", "failed", "known"):
                assert answer_of(event).status in ("ok", "failed")
    with Ledger(path) as again:
        assert (again.used, again.notes) == (used, ())


@cache
def _start() -> Start:
    return Start(Table.empty(space_named("enas3")))


def history(data: bytes) -> None:
    """What `--history` names: trials, a ledger or a table."""
    found = _start().with_history(str(written("h.jsonl", data)), PLAIN)
    assert len(found.known.labelled) == len(found.known)


def run_folder(data: bytes) -> None:
    """A run folder, as `ngae status`, `ngae report` and `--resume` read it."""
    path = emptied("run")
    (path / "search" / "s").mkdir(parents=True)
    names = ("config.json", "log.jsonl", "metrics.json", "error.json", "search/s/config.json",
             "search/s/trials.jsonl", "search/s/result.json", "search/s/ledger.jsonl")  # fmt: skip
    for name, content in zip(names, parts(data, len(names)), strict=True):
        if content:
            (path / name).write_bytes(content)
    for standing in standings(path.parent):
        assert standing.state
    steps = (
        lambda: read_run(path),
        lambda: RunFolder(path).read_config(),
        lambda: cut_log(path / "log.jsonl", 1),
        lambda: read_lines(path / "log.jsonl"),
    )
    for step in steps:
        with contextlib.suppress(NgaeError):
            step()


def search_folder(data: bytes) -> None:
    """The folder of a search that is to go on."""
    path = emptied("search")
    names = ("config.json", "trials.jsonl", "ledger.jsonl")
    for name, content in zip(names, parts(data, len(names)), strict=True):
        (path / name).write_bytes(content)
    with contextlib.suppress(RefusedError):
        folder = SearchFolder(path, SETTINGS)
        assert folder.continued
    with Ledger(path / "ledger.jsonl") as found:
        assert found.used >= 0


def command_output(data: bytes) -> None:
    """What a program says of an architecture."""
    output = parse_output(data.decode("utf-8", "replace"))
    assert output.performance == output.performance
