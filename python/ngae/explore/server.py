"""Serves the page and its answers on 127.0.0.1 to this page alone.

Whoever asks has to name this address as host, has to come from this page if from any, and gets
nothing but a few routes. Nothing of an unexpected error leaves the process.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from ngae.errors import NgaeError
from ngae.explore.asked import (
    BadRequestError,
    ascent_of,
    integer,
    interpolation_of,
    only,
    parse,
    place_of,
)
from ngae.explore.explorer import Explorer
from ngae.explore.page import Page

HOST = "127.0.0.1"
_MOST_BYTES = 64 * 1024  # of a body: two latent points of a thousand numbers fit
_DEFAULT_PORT = 80  # of HTTP: browsers leave it out
_SECONDS = 30.0  # until a connection that says nothing is closed
_MOST_AT_ONCE = 100  # connections, each with a thread
_BUSY = b'{"error": "too many requests at once"}'

Answer = Callable[[dict[str, Any]], Any]


class Server(ThreadingHTTPServer):
    """The server of one explorer.

    Args:
        explorer: Who answers.
        port: 0 for any free one.
        log: Told of unexpected errors.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads = True  # a slow request does not keep the process at its end
    request_queue_size = 128  # connections that wait to be taken; beyond, the system resets them

    def __init__(
        self, explorer: Explorer, port: int, log: Callable[[str], None] = lambda text: None
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.explorer, self.log = explorer, log
        self._guard = threading.Lock()
        self._held: dict[socket.socket, bool] = {}  # whether it has asked; the oldest first
        self.page = Page.of(explorer)
        self.overview = _json(explorer.overview)
        self.answers: dict[str, Answer] = {
            "/decode": lambda body: explorer.at_place(place_of(body)),
            "/row": lambda body: explorer.at_row(_row(body, len(explorer.rows))),
            "/interpolate": lambda body: explorer.between(interpolation_of(body, explorer.width)),
            "/search": lambda body: explorer.climb(
                ascent_of(body, explorer.width, len(explorer.names))
            ),
        }

    @property
    def port(self) -> int:
        """The port that it listens to."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which a request may call this server."""
        names = HOST, "localhost"
        whole = tuple(f"{name}:{self.port}" for name in names)
        return whole + names if self.port == _DEFAULT_PORT else whole

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection; where there are too many, the oldest that has not asked yet goes."""
        with self._guard:
            full = len(self._held) >= _MOST_AT_ONCE
            silent = next((held for held, asked in self._held.items() if full and not asked), None)
            if silent is not None:
                self._held[silent] = True
            if not full or silent is not None:
                self._held[request] = False
        if silent is not None:
            with suppress(OSError):
                silent.shutdown(socket.SHUT_RDWR)  # its thread sees the end
        elif full:
            self._refuse(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and count the connection no more."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._held.pop(request, None)

    def has_asked(self, request: Any) -> None:
        """Note that the question of a connection is there."""
        with self._guard:
            if request in self._held:
                self._held[request] = True

    def _refuse(self, request: socket.socket) -> None:
        """Say that there are too many, without waiting for anything."""
        heads = "HTTP/1.0 503 Busy\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
        heads += f"Content-Length: {len(_BUSY)}\r\n\r\n"
        request.setblocking(False)
        with suppress(OSError):
            request.recv(_MOST_BYTES)  # what lies there unread would reset the connection
        with suppress(OSError):
            request.send(heads.encode() + _BUSY)
        self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a broken connection go."""
        self.log("a connection broke off")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _SECONDS
    server_version, sys_version = "ngae", ""

    def do_GET(self) -> None:
        """Give the page or the map."""
        self._guarded(self._get)

    def do_HEAD(self) -> None:
        """Give the heads of the same."""
        self._guarded(self._get)

    def do_POST(self) -> None:
        """Answer a question."""
        self._guarded(self._post)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            self._check_caller()
            act()
        except BadRequestError as error:
            self._fail(error.status, str(error))
        except NgaeError as error:
            self._fail(400, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # what went wrong stays here
            self.server.log(f"unexpected {type(error).__name__}: {error}")
            self._fail(500, "unexpected error; the terminal has more")

    def _check_caller(self) -> None:
        """Refuse other names (rebound ones) and other pages."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0] not in self.server.hosts:
            raise BadRequestError(f"Host: expected {self.server.hosts[0]}, found another", 403)
        origin = self.headers.get("Origin")
        if origin is not None and origin not in [f"http://{host}" for host in self.server.hosts]:
            raise BadRequestError("Origin: expected this page, found another", 403)
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise BadRequestError("Sec-Fetch-Site: expected this page, found another", 403)

    def _get(self) -> None:
        self.server.has_asked(self.connection)
        if self.path == "/":
            self._send(200, "text/html; charset=utf-8", self.server.page.content)
        elif self.path == "/map":
            self._send(200, "application/json", self.server.overview)
        elif self.path in self.server.answers:
            raise BadRequestError(f"{self.path}: expected POST, found {self.command}", 405)
        else:
            raise BadRequestError("path: expected / or /map, found another", 404)

    def _post(self) -> None:
        answer = self.server.answers.get(self.path)
        if answer is None:
            known = ", ".join(self.server.answers)
            raise BadRequestError(f"path: expected one of {known}, found another", 404)
        body = self._body()
        self.server.has_asked(self.connection)
        self._send(200, "application/json", _json(answer(parse(body))))

    def _body(self) -> bytes:
        kind = (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise BadRequestError("Content-Type: expected application/json, found another", 415)
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            raise BadRequestError("Content-Length: expected a number, found none", 411)
        if len(length) > 9 or int(length) > _MOST_BYTES:
            raise BadRequestError(f"body: expected at most {_MOST_BYTES} bytes, found more", 413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise BadRequestError(f"body: expected {length} bytes, found {len(body)}")
        return body

    def _fail(self, status: int, message: str) -> None:
        self._send(status, "application/json", _json({"error": message}))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the standard library refuses, as everything else: in JSON."""
        self.close_connection = True
        self._fail(int(code), message or "expected GET or POST of HTTP, found something else")

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": f"{self.server.page.policy}; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing about requests."""


def _row(body: dict[str, Any], count: int) -> int:
    only(body, "row")
    return integer(body, "row", 0, count - 1)


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"expected a plain value, found {type(value).__name__}")
