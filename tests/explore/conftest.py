"""A server of the tiny run, in a thread, and a plain client of it."""

import http.client
import json
import threading
from dataclasses import dataclass

import pytest

from ngae.commands.exploring import opened
from ngae.explore.config import ExploreConfig


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    heads: dict
    body: bytes

    @property
    def value(self):
        return json.loads(self.body)


class Client:
    """Sends requests as they are given, right or wrong."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, **heads):
        """Send; `Host` and the type of a body are right where none are given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = {name.replace("_", "-"): value for name, value in heads.items()}
        given.setdefault("Host", f"127.0.0.1:{self.server.port}")
        if body is not None:
            given.setdefault("Content-Type", "application/json")
            given.setdefault("Content-Length", str(len(body)))
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        try:
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, path, value):
        return self.ask("POST", path, json.dumps(value).encode())


@pytest.fixture(scope="session")
def server(searched_run):
    log = []
    with opened(searched_run, ExploreConfig(port=0)) as server:
        server.log = log.append
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def client(server):
    return Client(server)
