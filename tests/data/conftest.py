"""A file server on loopback that misbehaves as it is told."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ngae.data.catalog import Entry, SourceFile
from ngae.data.convert import convert
from ngae.data.part import Wanted
from ngae.errors import DataError


class Server:
    """Serves `content`; `script` holds one dictionary of faults a request, the last one stays.

    Faults: `cut` bytes of body after which the connection closes; `ranges` False ignores Range;
    `status`; `location` redirects; `total` is announced instead of the length; `unsized` announces
    none; `pause_s` between pieces of `piece` bytes; `stall_s` at the end; `shift` of the range that
    is named; `range` as it is named; `length` likewise; `etag`; `careless` of If-Range;
    `encoding`; `content` of its own.
    """

    def __init__(self, content):
        self.content = content
        self.script = [{}]
        self.asked = []  # the Range header of each request, "" where there was none
        self.if_range = []
        self.sent = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}/t.txt"

    def wanted(self, **changes):
        values = {
            "url": self.url,
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "size": len(self.content),
            "most": len(self.content),
        }
        return Wanted(**{**values, **changes})

    def entry(self, name="made", rows=19_020, form="", table="t.txt", **changes):
        wanted = self.wanted(**changes)
        file = SourceFile("t.txt", wanted.url, wanted.sha256, wanted.size, wanted.most)
        return Entry(name, "made", "enas6", rows, "none", "none", "", table, form, (file,))

    def stop(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def _handler(server):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                with server.lock:
                    fault = server.script[min(len(server.asked), len(server.script) - 1)]
                    server.asked.append(self.headers.get("Range", ""))
                    server.if_range.append(self.headers.get("If-Range", ""))
                server.answer(self, fault)

        return Handler

    def answer(self, handler, fault):
        content = fault.get("content", self.content)
        if "location" in fault or fault.get("status", 200) >= 400:
            handler.send_response(fault.get("status", 302))
            if "location" in fault:
                handler.send_header("Location", fault["location"])
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start, etag = 0, fault.get("etag", "")
        asked = handler.headers.get("Range", "")
        fresh = fault.get("careless") or handler.headers.get("If-Range", etag) == etag
        if asked and fault.get("ranges", True) and fresh and "range" not in fault:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{len(content)}")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            handler.send_response(206)
            shown = start + fault.get("shift", 0)
            handler.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
        else:
            handler.send_response(fault.get("status", 200))
        if "range" in fault:
            handler.send_header("Content-Range", fault["range"])
        if etag:
            handler.send_header("ETag", etag)
        if "encoding" in fault:
            handler.send_header("Content-Encoding", fault["encoding"])
        if "length" in fault:
            handler.send_header("Content-Length", fault["length"])
        elif not fault.get("unsized"):
            handler.send_header("Content-Length", str(fault.get("total", len(content)) - start))
        handler.end_headers()
        self.send(handler, content[start : fault.get("cut", len(content))], fault)

    def send(self, handler, body, fault):
        piece = fault.get("piece", 65536)
        for place in range(0, len(body), piece):
            try:
                handler.wfile.write(body[place : place + piece])
                handler.wfile.flush()
            except OSError:
                return
            with self.lock:
                self.sent += len(body[place : place + piece])
            if fault.get("pause_s"):
                self.closing.wait(fault["pause_s"])
        if fault.get("stall_s"):
            self.closing.wait(fault["stall_s"])


@pytest.fixture
def serve():
    """Make servers of the given bytes."""
    servers = []

    def start(content):
        servers.append(Server(content))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def wait_until():
    """Wait for a condition, for half a minute at most."""

    def wait(condition):
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.01)

    return wait


@pytest.fixture
def broken():
    """Check that a form refuses a source with a message, and leaves no file."""

    def check(form, source, message, suffix=".csv"):
        target = source.parent / "out" / f"t{suffix}"
        with pytest.raises(DataError, match=message) as caught:
            convert(form, source, target)
        assert caught.value.exit_code == 3
        assert list(target.parent.iterdir()) == []

    return check
