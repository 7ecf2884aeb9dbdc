"""Downloads over https: from a server whose certificate is trusted, and from one that is not."""

import shutil
import ssl
import subprocess

import pytest

from ngae.data.download import Limits, download
from ngae.errors import DataError, NgaeError

CONTENT = bytes(range(256)) * 1000
QUICK = Limits(timeout_s=5.0, attempts=2, pause_s=0.01)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost, signed by itself, and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(path), "-out", str(path.with_name("certificate.pem"))]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_name("certificate.pem").read_bytes())
    return path


@pytest.fixture
def server(serve, certificate):
    made = serve(CONTENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made.http.socket = context.wrap_socket(
        made.http.socket, server_side=True, do_handshake_on_connect=False
    )
    return made


def _https(server):
    return server.url.replace("http://127.0.0.1", "https://localhost")


def test_a_certificate_that_nobody_signed_ends_it(server, tmp_path):
    said = []
    with pytest.raises(NgaeError, match=r"expected a server that is trusted: .*VERIFY_FAILED"):
        download(
            server.wanted(url=_https(server)), tmp_path / "t.txt", limits=QUICK, say=said.append
        )
    assert said == []  # no second attempt
    assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_trusted_server_is_resumed_over_https(server, tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("certificate.pem")))
    server.script = [{"cut": 100_000}, {}]
    download(server.wanted(url=_https(server)), tmp_path / "t.txt", limits=QUICK)
    assert (tmp_path / "t.txt").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-"]


def test_a_redirect_never_leaves_https(server, serve, tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("certificate.pem")))
    plain = serve(CONTENT)
    server.script = [{"location": plain.url}]
    with pytest.raises(DataError, match="expected a redirect to https, found http://127"):
        download(server.wanted(url=_https(server)), tmp_path / "t.txt", limits=QUICK)
    assert plain.asked == []
