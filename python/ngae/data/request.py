"""One request over https: where it may go, what the answer announces, which errors may pass.

Plain http is for loopback addresses only; no redirect leaves https.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from ngae.errors import DataError, NgaeError, UsageError, shown

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # worth another attempt
_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")


class BrokenConnectionError(NgaeError):
    """A connection that failed in a way that another attempt may mend."""


@dataclass(frozen=True)
class Answer:
    """The head of an answer, and the stream of its body.

    Attributes:
        body: The stream.
        start: First byte of the file that the body holds; 0 where the whole file comes.
        total: Bytes of the whole file as announced, or None.
        etag: The strong entity tag, or "".
    """

    body: http.client.HTTPResponse
    start: int
    total: int | None
    etag: str


class CompleteError(NgaeError):
    """The server says that nothing comes after what is already here."""


class StaleError(NgaeError):
    """The server does not go on where the part ends."""


def check_url(url: str) -> None:
    """Raise UsageError unless `url` is https, or http to a loopback address."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise UsageError(f"download: expected an https address, found {url}")


def ask(url: str, start: int, etag: str, timeout_s: float) -> Answer:
    """Ask for a file from byte `start` on.

    Args:
        url: Its address.
        start: 0, or the length of the part that is already here.
        etag: The entity tag that came with the part, or "".
        timeout_s: Seconds without a byte after which the connection counts as broken.

    Raises:
        BrokenConnectionError: Nothing came, or a status that may pass.
        CompleteError: The file has no byte after `start`.
        StaleError: The answer's range does not begin at `start`.
        DataError: The server has no such file, sends it in another encoding, or redirects to
            something that is not https or no address.
        NgaeError: The server's certificate is not trusted.
        UsageError: The address is not https.
    """
    check_url(url)
    headers = {"Accept-Encoding": "identity", "User-Agent": "ngae"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if etag:
            headers["If-Range"] = etag
    try:
        body = _opener(url).open(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, start, error) from error
    except (http.client.InvalidURL, ValueError) as error:  # of a redirect
        raise DataError(f"{url}: expected an address that can be asked: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise NgaeError(
                f"{url}: expected a server that is trusted: {reason}",
                remedy="check this machine's clock and certificates, or use --from-dir",
            ) from error
        raise BrokenConnectionError(f"{url}: expected an answer: {reason}") from error
    try:
        return _answer(url, start, body)
    except BaseException:
        body.close()
        raise


def _answer(url: str, start: int, body: http.client.HTTPResponse) -> Answer:
    encoding = body.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise DataError(f"{url}: expected the file as it is, found the encoding {encoding}")
    tag = body.headers.get("ETag", "")
    etag = tag if tag.startswith('"') else ""  # a weak one does not promise the same bytes
    length = body.headers.get("Content-Length", "")
    total = int(length) if _LENGTH.fullmatch(length) else None
    if body.status not in (200, 206):
        raise DataError(f"{url}: expected status 200, found {body.status}")
    if body.status == 200:
        return Answer(body, 0, total, etag)
    span = body.headers.get("Content-Range", "")
    found = _RANGE.fullmatch(span)
    if found is None or found[1] is None or int(found[1]) != start:
        raise StaleError(f"{url}: expected the bytes from {start}, found the range {shown(span)}")
    return Answer(body, start, None if found[3] == "*" else int(found[3]), etag)


def _refusal(url: str, start: int, error: urllib.error.HTTPError) -> Exception:
    if error.code == 416 and start:
        span = error.headers.get("Content-Range", "")
        found = _RANGE.fullmatch(span)
        text = f"{url}: expected bytes after the first {start}, found the range {shown(span)}"
        return (CompleteError if found and found[3] == str(start) else StaleError)(text)
    text = f"{url}: expected status 200, found {error.code} {error.reason}"
    if error.code in PASSING:
        return BrokenConnectionError(text)
    return DataError(text, remedy="the file may have moved: get it by hand, then use --from-dir")


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Follow a redirect to https, or from loopback to loopback."""
        fp.close()
        to = urllib.parse.urlsplit(newurl)
        inside = req.type == to.scheme == "http" and _is_loopback(to.hostname or "")
        if to.scheme != "https" and not inside:
            raise DataError(f"{req.full_url}: expected a redirect to https, found {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_OnlyHttps]
    if _is_loopback(urllib.parse.urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
