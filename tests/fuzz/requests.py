"""Bytes that somebody sends to `ngae explore`, answered by a real model without a network."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import re
from functools import cache

import numpy as np

from ngae.cli import main
from ngae.commands.exploring import opened
from ngae.explore.config import ExploreConfig
from ngae.explore.server import Server, _Handler
from ngae.spaces.enas import EnasSpace
from tests.fuzz.place import folder

_PORT = b"PORT"  # in an input: the server's port
_HEAD = re.compile(rb"HTTP/1\.0 (\d{3}) [^\r\n]*\r\n")
_STATUSES = {200, 400, 403, 404, 405, 409, 411, 413, 414, 415, 431, 501, 505}


@cache
def server() -> Server:
    """Train a tiny model, once, and return the server that would show it."""
    space, rng = EnasSpace(3), np.random.default_rng(0)
    dags = list({space.sample(rng): None for _ in range(60)})[:30]
    table = folder() / "explored.txt"
    table.write_text("".join(f"{space.format(d)}, {len(d.edges) / 20}\n" for d in dags))
    sizes = ["--hidden-dim", "8", "--latent-dim", "3", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "9", "--protocol-points", "2", "--epochs", "1"]
    run = folder() / "explored"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert main(["train", "--data", str(table), "--out", str(run), *sizes, *few]) == 0
        made = opened(run, ExploreConfig(port=0))
    made.log = _never
    atexit.register(made.server_close)
    return made


def _never(text: str) -> None:
    raise AssertionError(text)


class _Connection:
    """A connection that has said all that it will say."""

    def __init__(self, said: bytes) -> None:
        self.said, self.heard = said, bytearray()

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self.said)

    def sendall(self, content: bytes) -> None:
        self.heard += content

    def settimeout(self, _: float) -> None:
        pass


def http(data: bytes) -> None:
    """Whatever comes, the answer is none, or one of HTTP with a known status and its length."""
    port = str(server().port).encode()
    connection = _Connection(data.replace(_PORT, port))
    _Handler(connection, ("127.0.0.1", 1), server())
    heard = bytes(connection.heard)
    match = _HEAD.match(heard)
    if match is None:  # HTTP/0.9 has no heads
        assert not heard or heard[:1] in (b"{", b"[", b"<"), heard[:80]
        return
    heads, _, body = heard.partition(b"\r\n\r\n")
    assert int(match[1]) in _STATUSES, heads
    length = int(re.search(rb"Content-Length: (\d+)", heads)[1])
    assert len(body) in (0, length)
    if int(match[1]) != 200 and body:
        assert list(json.loads(body)) == ["error"]
