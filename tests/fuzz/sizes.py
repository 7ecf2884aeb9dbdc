"""Inputs that are large where it hurts: what takes the square of their length, nests without end,
or counts beyond 32 and 64 bits. By target; each is made when it is asked for.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable

import numpy as np

from tests.fuzz.place import SEPARATOR

MANY = 30_000
_LONG = 300_000
_HUGE = "9" * 4000  # what JSON takes as an integer


def _dag(count: int, edges: list[list[int]]) -> str:
    return json.dumps({"node_types": [0] * count, "edges": edges})


def _chain(count: int) -> str:
    return _dag(count, [[node, node + 1] for node in range(count - 1)])


def _repeated_key() -> str:
    return "{" + "".join(f'"k{number}":0,' for number in range(MANY // 2)) + '"last":0,"last":0}'


def _nodes(count: int) -> str:
    """A text of named nodes, the last fed by all."""
    return (
        "".join(f"conv({n}) " for n in range(count)) + f"output({','.join(map(str, range(count)))})"
    )


def _cell(count: int) -> str:
    """A recurrent cell whose operations stand in the reverse of their order."""
    nodes = {f"n{n}": {"op": "activation_tanh", "input": [f"n{n + 1}"]} for n in range(count)}
    nodes[f"n{count}"] = {"op": "activation_tanh", "input": ["x"]}
    return json.dumps({**nodes, "h_new_0": {"op": "elementwise_sum", "input": ["n0"]}})


def _many_inputs() -> str:
    inputs = [f"h{number}" for number in range(MANY)]
    return json.dumps({"h_new_0": {"op": "elementwise_sum", "input": inputs}})


def _npy(shape: str) -> bytes:
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


def _npz(shape: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.npy", _npy(shape))
    return file.getvalue()


def _safetensors(head: str, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(head) if size is None else size) + head.encode()


def _tensor(shape: list[int], end: int) -> str:
    return json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}})


def _numbers(kind: str, *arrays: list[int]) -> bytes:
    sizes = bytes(len(array) for array in arrays)
    choice = {"<i4": b"1", "<i8": b"2", "<u8": b"3"}[kind]
    return choice + sizes + b"".join(np.array(array, kind).tobytes() for array in arrays)


def _event(count: int) -> str:
    opened = '{"event": "opened", "version": 1, "oracle": "x"}\n'
    return opened + '{"event": "proposed", "count": 1}\n' * count


def _request(body: str) -> str:
    heads = "Host: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
    return f"POST /decode HTTP/1.1\r\n{heads}Content-Length: {len(body)}\r\n\r\n{body}"


def _nested(depth: int, inner: str = "") -> str:
    return "[" * depth + inner + "]" * depth


SIZES: dict[str, dict[str, Callable[[], str | bytes]]] = {
    "csv": {
        "many columns": lambda: "0arch,p," + ",".join(f"c{n}" for n in range(MANY)) + "\n1,2",
        "one column many times": lambda: "0arch,p" + ",c" * MANY + "\n1,2\n" * 3,
        "open quotes": lambda: "0arch,p\n" + '"\n' * MANY,
        "quotes in quotes": lambda: "0arch,p\n" + 'a,"""\n' * MANY,
        "an open quote at last": lambda: "0arch,p\n" + "1,2\n" * MANY + '"',
        "a long cell": lambda: "0arch,p\n" + '"' + "[" * _LONG + '",1',
        "a long number": lambda: '0arch,p\n"[[1]]",' + "1" * _LONG,
    },
    "json_lines": {
        "a key twice at the end": lambda: "0" + _repeated_key(),
        "nested lists": lambda: '0{"arch": ' + _nested(MANY) + ', "p": 1}',
        "nested as deep as it goes": lambda: "".join(
            f'0{{"arch": {{"node_types": {_nested(depth)}, "edges": []}}, "p": 1}}\n'[bool(n) :]
            for n, depth in enumerate(range(60, 1100))
        ),
        "many nodes": lambda: '0{"arch": ' + _chain(MANY // 2) + ', "p": 1}',
        "brackets in a text": lambda: '0{"arch": "' + '\\"[' * (2 * MANY) + '", "p": 1}',
        "a number of many digits": lambda: f'1{{"arch": {{"edges": [{_HUGE}]}}, "p": {_HUGE}}}',
    },
    "dvae": {
        "many layers": lambda: "0[" + ", ".join(["[1]"] * (MANY // 2)) + "], 0.5",
        "one long layer": lambda: "0[[" + "1, " * (MANY // 2) + "1]], 0.5",
        "blank lines": lambda: "0" + "\n" * MANY + "[[1]], 0.5",
    },
    "joined": {
        "many keys": lambda: (
            b"arch,key,c\nx,k,1\n"
            + SEPARATOR
            + b"key,p\n"
            + b"".join(b"%d,1\n" % n for n in range(MANY))
        ),
    },
    "architecture": {
        "a chain": lambda: "8" + _chain(MANY // 2),
        "no edges": lambda: "8" + _dag(MANY, []),
        "pairs": lambda: "8" + _dag(MANY, [[n, n + 1] for n in range(0, MANY, 2)]),
        "a star": lambda: "8" + _dag(MANY, [[0, n] for n in range(1, MANY)]),
        "a type beyond 32 bits": lambda: '8{"node_types": [2147483648], "edges": []}',
        "a type beyond 64 bits": lambda: '8{"node_types": [18446744073709551616], "edges": []}',
        "an edge beyond 64 bits": lambda: f'8{{"node_types": [0, 1], "edges": [[0, {_HUGE}]]}}',
        "nested lists": lambda: '8{"node_types": [' + _nested(99) + '], "edges": []}',
        "a long version": lambda: f'8{{"node_types": [0], "edges": [], "format_version": {_HUGE}}}',
    },
    "text": {
        "named nodes": lambda: "6" + _nodes(10_000),
        "a recurrent cell": lambda: "5" + _cell(10_000),
        "one node of many inputs": lambda: "5" + _many_inputs(),
        "a key twice at the end": lambda: "5" + _repeated_key(),
        "many operations": lambda: "2" + "0" * MANY + ";" + "conv3x3-bn-relu," * MANY,
        "a matrix of ones": lambda: "2" + "1" * _LONG + ";input," + "maxpool3x3," * 546 + "output",
        "many bits": lambda: "27;" + "9" * _LONG + ";00000",
        "many links": lambda: "4" + "0-" * MANY + ";" + "gcn-" * MANY,
        "many layers": lambda: "1[" + ", ".join(["[1]"] * MANY) + "]",
    },
    "nodes_and_edges": {
        "edges beyond 32 bits": lambda: b"\22\0\0" + struct.pack("<2q", 0, 2**32 + 1),
    },
    "arrays": {
        "nodes that wrap": lambda: _numbers("<i8", [0, 0], [0, 2**32 + 2], [], [], [0, 0]),
        "edges that wrap": lambda: _numbers("<u8", [0, 0], [0, 2], [2**32], [2**32 + 1], [0, 1]),
        "unsigned for negative": lambda: _numbers("<u8", [2**64 - 1], [0, 1], [], [], [0, 0]),
        "pointers that fall": lambda: _numbers("<i4", [0, 0], [0, 2**31 - 1, 2], [], [], [0, 0, 0]),
        "edge pointers beyond": lambda: _numbers("<i4", [0], [0, 1], [0], [0], [0, 2**31 - 1]),
    },
    "settings": {
        "nested TOML": lambda: "0[train]\nepochs = " + _nested(5000),
        "nested JSON": lambda: '1{"train": {"epochs": ' + _nested(5000) + "}}",
        "a long integer": lambda: f"0[train]\nlr = {_HUGE}",
        "a long integer in JSON": lambda: f'1{{"train": {{"seed": {_HUGE}}}}}',
        "an integer without end": lambda: "0[train]\nseed = 0x" + "F" * MANY,
        "dotted names": lambda: "0" + "a." * MANY + "a = 1",
        "a long name": lambda: "0[train]\n" + "a" * _LONG + " = 1",
    },
    "checkpoint": {
        "a head beyond the file": lambda: _safetensors("{}", 2**63),
        "a head of nothing": lambda: _safetensors("", 0),
        "a shape beyond 64 bits": lambda: _safetensors(_tensor([2**33, 2**33], 4)),
        "a shape that wraps": lambda: _safetensors(_tensor([2**32, 2**32], 0)),
        "a nested head": lambda: _safetensors(_nested(MANY)),
    },
    "facts": {
        "nested": lambda: '{"format": "ngae-checkpoint-1", "facts": {"a": ' + _nested(5000) + "}}",
        "nested a little": lambda: (
            '{"format": "ngae-checkpoint-1", "facts": {"a": ' + _nested(90) + "}}"
        ),
    },
    "arrays_file": {
        "a shape of terabytes": lambda: _npz(f"({2**40},)"),
        "a shape beyond 64 bits": lambda: _npz(f"({2**62}, {2**62})"),
        "a negative shape": lambda: _npz("(-1,)"),
        "a nested shape": lambda: _npz("(" * 3000 + ")" * 3000),
        "one array of terabytes": lambda: _npy(f"({2**40},)"),
    },
    "ledger": {
        "many events": lambda: _event(MANY // 3),
        "nested": lambda: _event(0) + _nested(MANY) + "\n",
        "attempts that do not count": lambda: (
            _event(0) + '{"event": "asked", "hash": "a", "attempt": 0, "architecture": {}}\n'
        ),
    },
    "history": {
        "nested": lambda: _event(0) + '{"event": "known", "hash": ' + _nested(5000) + "}\n",
        "many events": lambda: _event(MANY // 3),
    },
    "run_folder": {
        "nested": lambda: SEPARATOR.join([_nested(MANY).encode()] * 8),
        "nested a little": lambda: SEPARATOR.join(
            f'{{"error": {_nested(98)}, "hash": {_nested(98)}, "event": "asked"}}\n'.encode()
            for _ in range(8)
        ),
    },
    "search_folder": {"nested": lambda: SEPARATOR.join([_nested(MANY).encode()] * 3)},
    "command_output": {
        "nested": lambda: _nested(MANY),
        "a key twice at the end": _repeated_key,
        "a long number": lambda: "9" * MANY,
    },
    "http": {
        "a nested body": lambda: _request(_nested(32_000)),
        "a body nested a little": lambda: _request('{"x": ' + _nested(98) + ', "y": 1}'),
        "a long number": lambda: _request(f'{{"x": {_HUGE}, "y": 1}}'),
        "a long body": lambda: _request(" " * 70_000),
        "a long line": lambda: "GET /" + "a" * 70_000 + " HTTP/1.1\r\n\r\n",
        "many heads": lambda: "GET / HTTP/1.1\r\n" + "A: b\r\n" * 200 + "\r\n",
        "a long head": lambda: "GET / HTTP/1.1\r\nA: " + "b" * 70_000 + "\r\n\r\n",
    },
    "limits": {
        "many limits": lambda: ",".join(["params <= 1"] * MANY),
        "a long name": lambda: "a" * _LONG,
        "many dots": lambda: "a <= " + "1." * MANY,
    },
}
