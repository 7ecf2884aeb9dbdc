"""Inputs that are right, or nearly so: what mutations begin with."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np
import torch
from safetensors.torch import save

from ngae.networks.macro import MacroConfig
from ngae.networks.macro_network import MacroBank
from ngae.oracles.weights_file import packed_weights
from ngae.train import checkpoint as checkpoints
from ngae.train.config import RunConfig
from tests.fuzz import reports
from tests.fuzz.graphs import spaces
from tests.fuzz.place import SEPARATOR, folder
from tests.fuzz.stored import SETTINGS

_ANSWER = {"performance": 0.5, "complexity": {"params": 3}, "cost_s": 1, "detail": {}, "error": ""}


def seeds(name: str) -> list[bytes]:
    """Return seeds of a target."""
    make = globals().get(f"_{name}")
    found = [] if make is None else list(make())
    return [seed if isinstance(seed, bytes) else seed.encode() for seed in found] or [b"0"]


def _drawn() -> Iterator[tuple[int, str, dict]]:
    """Number, text and object of two architectures of each space."""
    rng = np.random.default_rng(0)
    for number, space in enumerate(spaces()):
        for dag in (space.sample(rng), space.sample(rng)):
            yield number, space.format(dag), json.loads(dag.to_json())


def _csv() -> Iterator[str]:
    for _, text, _ in _drawn():
        quoted = text.replace('"', '""')
        yield f'0arch,p,c\n"{quoted}",0.5,3\n"{quoted}",.5,1e3\n'
        yield f'1c,"arch",p\n3,"{quoted}",.5\n1e3,"{quoted}",\n'
    yield '3adjacency,operations,p\n0100,"input,output",.5\n'
    yield "4arch_str,p,c\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,,1\n"
    yield "5links,ops,p,c\n0-0-1-2,gcn-gat-fc-skip,1,2\n0-1-2-3,fc-fc-fc-fc,2,\n"


def _json_lines() -> Iterator[str]:
    for _, text, value in _drawn():
        rows = [{"arch": text, "p": 0.5, "c": 1}, {"arch": value, "p": None, "c": 2}]
        yield "1" + "".join(json.dumps(row) + "\n" for row in rows)
        yield f'7{{"c":1, "arch": {json.dumps(text)}, "p": 3}}\n'


def _dvae() -> Iterator[str]:
    yield "0[[1], [2, 0], [3, 1, 1]], 0.5\n[[0], [1, 1], [5, 0, 0]],1\n"
    yield "7[[1], [2, 1]], 1e-1\r\n[[4], [5, 0]],0\n"


def _joined() -> Iterator[bytes]:
    yield b'arch,key,c\n"[[1], [2, 0]]",k,1\n' + SEPARATOR + b"key,p\nk,0.5\n"


def _architecture() -> Iterator[str]:
    for number, _, value in _drawn():
        yield str(number % 9) + json.dumps(value)
    yield '8{"node_types": [0, 1, 2], "edges": [[0, 1], [0, 2], [1, 2]]}'


def _text() -> Iterator[str]:
    for number, text, _ in _drawn():
        yield str(number) + text
    yield "23;7;0"


def _nodes_and_edges() -> Iterator[bytes]:
    yield bytes([4, ord("0"), 0, 1, 1, 2, 0, 1, 0, 2, 1, 3, 2, 3])
    yield bytes([2, ord("1"), 0, 0]) + np.array([0, 1], "<i4").tobytes()


def _arrays() -> Iterator[bytes]:
    five = [[0, 1, 2, 0], [0, 3, 4], [0, 0, 1], [1, 2, 2], [0, 3, 3]]
    sizes = bytes(len(array) for array in five)
    for number, kind in enumerate(("<i1", "<i4", "<i8", "<u8")):
        yield str(number).encode() + sizes + b"".join(np.array(a, kind).tobytes() for a in five)


def _limits() -> Iterator[str]:
    yield "params <= 0.5e6, latency<=5"


def _settings() -> Iterator[str]:
    yield '0[train]\nepochs = 3\nlr = 1\n[data]\ndata = "t.csv"\n[search]\nbudget = 9\n'
    yield "1" + json.dumps(RunConfig().as_dict())


def _tensors() -> dict[str, torch.Tensor]:
    return {"model.a": torch.zeros(2, 3), "b": torch.ones(1, dtype=torch.int64)}


def _checkpoint() -> Iterator[bytes]:
    path = folder() / "seed.safetensors"
    checkpoints.write_checkpoint(path, checkpoints.Checkpoint(_tensors(), {"step": 3}))
    yield path.read_bytes()
    for kind in (torch.bool, torch.bfloat16, torch.float8_e4m3fn, torch.complex64):
        yield save({"a": torch.zeros(2, dtype=kind)}, {"ngae": "{}"})


def _facts() -> Iterator[str]:
    yield json.dumps({"format": "ngae-checkpoint-1", "facts": {"step": 1, "best": None}})


def _weights() -> Iterator[bytes]:
    yield b"0" + packed_weights(MacroBank.complete(1, MacroConfig(channels=1)))
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(_tensors(), file, _use_new_zipfile_serialization=zipped)
        yield b"1" + file.getvalue()


def _arrays_file() -> Iterator[bytes]:
    for write in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        write(file, a=np.zeros((2, 3)), b=np.array(["x", "yz"]))
        yield file.getvalue()
    file = io.BytesIO()
    np.save(file, np.arange(3))
    yield file.getvalue()


def _events() -> list[dict]:
    dag = {"node_types": [0, 2, 1], "edges": [[0, 1], [1, 2]]}
    return [
        {"event": "opened", "version": 1, "oracle": "table, enas3"},
        {"event": "known", "hash": "b", "architecture": dag, **_ANSWER},
        {"event": "proposed", "count": 2},
        {"event": "asked", "hash": "a", "attempt": 1, "architecture": dag},
        {"event": "answered", "hash": "a", **_ANSWER},
        {"event": "asked", "hash": "c", "attempt": 1, "architecture": dag},
        {"event": "withdrawn", "hash": "c"},
        {"event": "asked", "hash": "d", "attempt": 1, "architecture": dag},
        {"event": "failed", "hash": "d", **_ANSWER, "performance": None, "error": "x"},
    ]


def _lines(values: list[dict]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def _ledger() -> Iterator[str]:
    yield _lines(_events())
    yield _lines(_events()[:4])[:-9]


def _trials() -> list[dict]:
    text = "[[1], [2, 0], [3, 1, 1]]"
    head = {"number": 0, "hash": "a", "architecture": text, "status": "ok"}
    return [{**head, **_ANSWER}, {**head, **_ANSWER, "number": 1, "performance": None}]


def _history() -> Iterator[str]:
    space, rng = spaces()[0], np.random.default_rng(1)
    dag = {name: json.loads(space.sample(rng).to_json())[name] for name in ("node_types", "edges")}
    yield _lines([{**e, "architecture": dag} if "architecture" in e else e for e in _events()])
    yield _lines(_trials())
    yield '{"arch": "[[1], [2, 0], [3, 1, 1]]", "performance": 1, "params": 1, "macs": 2}\n'


def _run_folder() -> Iterator[bytes]:
    epoch = {"epoch": 1, "objective": 2.0, "test": {"reconstruction": 0.5, "pearson_r": 0.1}}
    metrics = {"reconstruction": {"mean": 0.5}, "performance": {"pearson_r": 1, "kendall_tau": 0}}
    files = [
        json.dumps(RunConfig().as_dict()), _lines([epoch]), json.dumps(metrics),
        '{"kind": "E", "error": "x"}', json.dumps({**SETTINGS, "format_version": 1}),
        _lines(_trials()), '{"best": {"number": 0}}', _lines(_events()),
    ]  # fmt: skip
    yield SEPARATOR.join(file.encode() for file in files)
    yield SEPARATOR.join(file.encode() for file in [*files[:2], "", "", *files[4:6]])


def _search_folder() -> Iterator[bytes]:
    files = [json.dumps({**SETTINGS, "format_version": 1}), _lines(_trials()), _lines(_events())]
    yield SEPARATOR.join(file.encode() for file in files)


def _report() -> Iterator[bytes]:
    texts = [(reports.KEPT / name).read_bytes() for name in reports.TEXTS]
    yield SEPARATOR.join([*texts, b"", b"", b""])
    for number in range(len(texts)):
        yield SEPARATOR.join([b""] * number + [texts[number]])
    for place, changes in (
        (0, {"train_mean": [[0.5, 1]], "test_complexity": [[1], [2]]}),
        (1, {"graph_node_type": [0, 2, 1], "graph_graph_ptr": [0, 3], "node_types": ["a"]}),
        (1, {"predicted_performance": [1, 2], "ascents": [[[0.5]]], "graph_edge_src": [9, -1]}),
        (2, {"number": [0, 1], "mean": [[1, 2]]}),
    ):
        yield SEPARATOR.join([b""] * (len(texts) + place) + [json.dumps(changes).encode()])


def _command_output() -> Iterator[str]:
    yield "0.93"
    yield '{"performance": 0.9, "complexity": {"ms": 1}, "detail": {"test": 1e3}}'


def _http() -> Iterator[str]:
    host = "Host: 127.0.0.1:PORT\r\n"
    for path in ("/", "/map", "/row", "/x"):
        yield f"GET {path} HTTP/1.1\r\n{host}\r\n"
    yield "GET /\r\n"
    yield f"HEAD / HTTP/1.0\r\n{host}Origin: http://localhost:PORT\r\n\r\n"
    z = [0.5, -1, 2]
    for path, body in (
        ("/decode", {"x": 0.5, "y": -1}),
        ("/row", {"row": 3}),
        ("/interpolate", {"start": z, "end": [0, 0, 0], "count": 3}),
        ("/search", {"start": z, "weight": 0.5, "steps": 3, "column": 0}),
    ):
        text = json.dumps(body)
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
        yield f"POST {path} HTTP/1.1\r\n{host}{kind}\r\n{text}"
