"""The server answers its own page alone, and says plainly what it refuses."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from ngae.cli import main
from ngae.explore.asked import MOST_POINTS
from ngae.report.arrays import read_arrays, write_arrays


def test_it_listens_to_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.port}/"


@pytest.mark.parametrize("path", ["/", "/map"])
def test_every_answer_has_the_heads_that_browsers_obey(client, path):
    answer = client.ask("GET", path)
    assert answer.status == 200
    policy = answer.heads["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "connect-src 'self'" in policy
    assert policy.endswith("frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert answer.heads["X-Content-Type-Options"] == "nosniff"
    assert answer.heads["X-Frame-Options"] == "DENY"
    assert answer.heads["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.heads["Cache-Control"] == "no-store"
    assert not [name for name in answer.heads if name.startswith("Access-Control")]
    assert "Python" not in answer.heads["Server"]


def test_heads_alone_are_the_same(client):
    whole, heads = client.ask("GET", "/"), client.ask("HEAD", "/")
    assert heads.status == 200
    assert heads.body == b""
    assert heads.heads["Content-Length"] == str(len(whole.body))


@pytest.mark.parametrize(
    "heads",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": "localhost.evil.example:{port}"},
        {"Host": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/map"), ("POST", "/decode")])
def test_other_names_and_other_pages_are_refused(client, server, method, path, heads):
    body = b'{"x": 0, "y": 0}' if method == "POST" else None
    named = {k: v if v is None else v.format(port=server.port) for k, v in heads.items()}
    answer = client.ask(method, path, body, **named)
    assert answer.status == 403
    assert list(answer.value) == ["error"]
    assert "evil" not in answer.value["error"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_its_own_page_is_answered(client, server, host):
    name = f"{host}:{server.port}"
    heads = {"Host": name, "Origin": f"http://{name}", "Sec-Fetch-Site": "same-origin"}
    assert client.ask("POST", "/decode", b'{"x": 0, "y": 0}', **heads).status == 200


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"])
def test_browsers_leave_the_default_port_out(server, client, monkeypatch, name):
    other = type(client)(SimpleNamespace(port=server.port))
    monkeypatch.setattr(type(server), "port", 80)
    heads = {"Host": name, "Origin": f"http://{name}", "Sec-Fetch-Site": "same-origin"}
    assert other.ask("POST", "/decode", b'{"x": 0, "y": 0}', **heads).status == 200
    for wrong in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        assert other.ask("GET", "/map", **(heads | wrong)).status == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
        ("GET", "/map?x=1", 404),
        ("GET", "/decode", 405),
        ("POST", "/", 404),
        ("POST", "/map", 404),
        ("PUT", "/decode", 501),
        ("OPTIONS", "/decode", 501),
        ("DELETE", "/", 501),
    ],
)
def test_there_are_a_few_routes_and_no_others(client, method, path, status):
    answer = client.ask(method, path, b"{}" if method == "POST" else None)
    assert answer.status == status
    assert list(answer.value) == ["error"]
    assert answer.heads["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("heads", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": None}, 415),
        ({"Content-Length": None}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "x"}, 411),
        ({"Content-Length": None, "Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "65537"}, 413),
        ({"Content-Length": "9" * 40}, 413),
    ],
)
def test_bodies_are_json_of_a_known_and_small_size(client, heads, status):
    answer = client.ask("POST", "/decode", b'{"x": 0, "y": 0}', **heads)
    assert answer.status == status
    assert list(answer.value) == ["error"]


def test_a_body_that_breaks_off_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(
            f"POST /decode HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{}".encode()
        )
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert b" 400 " in answer.splitlines()[0]
    assert b"expected 50 bytes, found 2" in answer


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"1", b"null", b"[" * 60_000, b'{"x": NaN, "y": 0}',
        b'{"x": Infinity, "y": 0}', b'{"x": 1e400, "y": 0}', b'{"x": "0", "y": 0}', b'{"x": 0}',
        b'{"x": true, "y": 0}', b'{"x": 0, "y": 0, "z": 1}', b'{"x": 1e9, "y": 0}',
        b'{"x": ' + b"9" * 5000 + b', "y": 0}',
    ],
)  # fmt: skip
def test_malformed_places_are_told_apart(client, body):
    answer = client.ask("POST", "/decode", body)
    assert answer.status == 400
    assert "expected" in answer.value["error"]
    assert len(answer.value["error"]) < 200


ZERO = [0.0] * 4


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("/row", {"row": 80}, "row: expected an integer from 0 to 79, found 80"),
        ("/row", {"row": -1}, "row: expected an integer from 0 to 79, found -1"),
        ("/row", {"row": 1.0}, "row: expected an integer from 0 to 79, found 1.0"),
        ("/interpolate", {"start": ZERO, "end": [0.0], "count": 3}, "end: expected a list of 4"),
        ("/interpolate", {"start": "0000", "end": ZERO, "count": 3}, "start: expected a list of 4"),
        (
            "/interpolate",
            {"start": ZERO, "end": ZERO, "count": MOST_POINTS + 1},
            f"count: expected an integer from 2 to {MOST_POINTS}",
        ),
        (
            "/search",
            {"start": ZERO, "weight": -1, "steps": 5, "column": 0},
            "weight: expected a number from 0, found -1",
        ),
        (
            "/search",
            {"start": ZERO, "weight": 0, "steps": 10_000, "column": 0},
            "steps: expected an integer from 1 to 200",
        ),
        (
            "/search",
            {"start": ZERO, "weight": 0, "steps": 5, "column": 2},
            "column: expected an integer from 0 to 1, found 2",
        ),
        (
            "/search",
            {"start": [*ZERO[:3], None], "weight": 0, "steps": 5, "column": 0},
            "start[3]: expected a number",
        ),
    ],
)
def test_what_is_asked_is_bounded(client, path, value, message):
    answer = client.post(path, value)
    assert answer.status == 400
    assert message in answer.value["error"]


def test_nothing_of_an_unexpected_error_leaves(client, server, monkeypatch):
    def broken(body):
        raise RuntimeError("the password is in /home/me")

    seen = []
    monkeypatch.setitem(server.answers, "/decode", broken)
    monkeypatch.setattr(server, "log", seen.append)
    answer = client.post("/decode", {"x": 0, "y": 0})
    assert answer.status == 500
    assert answer.value == {"error": "unexpected error; the terminal has more"}
    assert seen == ["unexpected RuntimeError: the password is in /home/me"]


def test_a_request_that_is_none_gets_json_too(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert b'{"error": ' in answer
    assert b"<html" not in answer.lower()


def test_a_port_that_is_taken_is_refused(server, searched_run, capsys):
    assert main(["explore", str(searched_run), "--no-browser", "--port", str(server.port)]) == 4
    shown = capsys.readouterr().err
    assert f"--port {server.port}: expected a free port of 127.0.0.1" in shown
    assert "--port 0" in shown


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--port", "70000"], 2, "--port: expected a number from 0 up to 65535, found 70000"),
        ([], 4, "expected a run folder"),
    ],
)
def test_wrong_flags_end_with_their_code(tmp_path, capsys, flags, code, message):
    assert main(["explore", str(tmp_path), "--no-browser", *flags]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", [["explore", "--no-browser", "--port", "0"], ["report"]])
def test_encodings_of_another_table_are_refused(searched_run, tmp_path, capsys, command):
    folder = tmp_path / "copy"
    shutil.copytree(searched_run, folder)
    arrays = read_arrays(folder / "latents.npz")
    write_arrays(folder / "latents.npz", arrays | {"test_mean": arrays["test_mean"][1:]})
    assert main([command[0], str(folder), *command[1:]]) == 4
    assert "latents.npz: expected 80 rows of 4 numbers" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["explore", "--no-browser", "--port", "0"], ["report"]])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_mean": None}, "latents.npz: expected the array train_mean, found train_perf"),
        ({"test_mean": np.zeros(3)}, "test_mean: expected numbers along 2 axes, found float64"),
        ({"test_mean": np.zeros((3, 2))}, "test_mean: expected rows of (4,), as in train_mean,"),
        ({"test_performance": np.array(["a"])}, "test_performance: expected numbers along 1 axes"),
    ],
)
def test_damaged_encodings_are_named(searched_run, tmp_path, capsys, command, change, message):
    folder = tmp_path / "copy"
    shutil.copytree(searched_run, folder)
    arrays = read_arrays(folder / "latents.npz") | change
    kept = {name: array for name, array in arrays.items() if array is not None}
    write_arrays(folder / "latents.npz", kept)
    assert main([command[0], str(folder), *command[1:]]) == 3
    shown = capsys.readouterr().err
    assert message in shown
    assert f"remedy: training writes it: ngae train --config {folder / 'config.json'}" in shown


@pytest.mark.end_to_end
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(searched_run, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "ngae.explore", str(searched_run), "--no-browser", "--port", "0"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # What a shell starts in the background ignores SIGINT, and so would what that starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("explore: http://127.0.0.1:"):
            break
    process.send_signal(number)
    try:
        out, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert "Traceback" not in rest
    assert out == ""
    assert json.dumps(lines).count("explore:") == 1
