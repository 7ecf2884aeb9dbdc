"""Downloads from servers that cut, stall, lie, redirect and have no ranges."""

import errno
import hashlib
import json
import random
from io import FileIO

import pytest

from ngae.data.download import Limits, download
from ngae.data.request import check_url
from ngae.errors import DataError, NgaeError, RefusedError, UsageError

QUICK = Limits(timeout_s=5.0, attempts=3, pause_s=0.01)
CONTENT = random.Random(0).randbytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(serve):
    return serve(CONTENT)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "t.txt"


def _names(target):
    return sorted(path.name for path in target.parent.iterdir())


def _get(server, target, limits=QUICK, **changes):
    said, moves = [], []
    extra = {k: changes.pop(k) for k in ("accept_unverified", "open_part") if k in changes}
    found = download(
        server.wanted(**changes),
        target,
        limits=limits,
        say=said.append,
        progress=lambda done, total: moves.append((done, total)),
        **extra,
    )
    return found, said, moves


def test_a_whole_file_comes_in_one_request(server, target):
    found, said, moves = _get(server, target)
    assert found == SHA256
    assert target.read_bytes() == CONTENT
    assert said == []
    assert moves[0] == (0, 700_000)
    assert moves[-1] == (700_000, 700_000)
    assert [done for done, _ in moves] == sorted(done for done, _ in moves)
    assert server.asked == [""]
    assert _names(target) == ["t.txt"]


def test_a_cut_connection_is_resumed_where_it_broke(server, target):
    server.script = [{"cut": 300_000}, {"cut": 500_001}, {}]
    _, said, _ = _get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-", "bytes=500001-"]
    assert server.sent == len(CONTENT)
    assert [line.rsplit("after", 1)[1] for line in said] == [" 300000 bytes", " 500001 bytes"]


def test_a_connection_that_always_breaks_gives_up_and_the_next_call_goes_on(server, target):
    server.script = [{"cut": 100_000}]
    with pytest.raises(NgaeError, match="expected 700000 bytes, connection broken after 100000"):
        _get(server, target)
    assert server.asked == ["", "bytes=100000-", "bytes=100000-"]
    assert _names(target) == ["t.txt.part", "t.txt.part.json"]
    assert target.with_name("t.txt.part").read_bytes() == CONTENT[:100_000]
    server.script, server.asked = [{}], []
    _get(server, target)
    assert server.asked == ["bytes=100000-"]
    assert target.read_bytes() == CONTENT
    assert _names(target) == ["t.txt"]


def test_a_server_without_ranges_sends_all_of_it_again(server, target):
    server.script = [{"cut": 300_000}, {"ranges": False}]
    _get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-"]
    assert server.sent == 1_000_000


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_range_that_begins_elsewhere_is_not_used(server, target, shift):
    server.script = [{"cut": 300_000}, {"shift": shift}, {}]
    _get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-", ""]


def test_a_server_that_never_sends_the_range_is_named(server, target):
    server.script = [{"cut": 300_000}, {"status": 206, "range": "bytes 7-8/9"}]
    message = rf"{server.url}: expected the bytes from 0, found the range 'bytes 7-8/9'"
    with pytest.raises(NgaeError, match=message) as caught:
        _get(server, target)
    assert "--from-dir" in caught.value.remedy
    assert server.asked == ["", "bytes=300000-", ""]


@pytest.mark.parametrize("location", ["https://[", "https://a b/\x07"])
def test_a_redirect_that_is_no_address_is_named(server, target, location):
    server.script = [{"location": location}]
    with pytest.raises(DataError, match=f"{server.url}: expected an address that can be asked"):
        _get(server, target)


def test_a_length_of_a_thousand_digits_is_not_taken(server, target):
    server.script = [{"length": "9" * 5000}]
    _get(server, target)
    assert target.read_bytes() == CONTENT


def test_the_entity_tag_guards_a_resumed_file(server, target):
    other = random.Random(1).randbytes(700_000)
    server.script = [{"cut": 300_000, "etag": '"a"', "content": other}, {"etag": '"b"'}]
    _get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.if_range == ["", '"a"']
    assert server.sent == 1_000_000


def test_a_part_of_another_tag_is_thrown_away_though_the_server_sends_a_range(server, target):
    other = random.Random(1).randbytes(700_000)
    server.script = [{"cut": 300_000, "content": other, "etag": '"a"'}, {"careless": True}]
    _get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-", ""]


def test_weak_tags_are_not_sent(server, target):
    server.script = [{"cut": 300_000, "etag": 'W/"a"'}, {}]
    _get(server, target)
    assert server.if_range == ["", ""]
    assert target.read_bytes() == CONTENT


def test_a_wrong_checksum_removes_the_file_and_names_both(server, target):
    wrong = "0" * 64
    with pytest.raises(DataError, match=f"expected sha256 {wrong}, found {SHA256}"):
        _get(server, target, sha256=wrong)
    assert _names(target) == []


def test_a_part_with_wrong_bytes_is_found_out(server, target):
    server.script = [{"cut": 300_000}]
    with pytest.raises(NgaeError):
        _get(server, target)
    part = target.with_name("t.txt.part")
    part.write_bytes(b"x" + part.read_bytes()[1:])
    server.script = [{}]
    with pytest.raises(DataError, match="expected sha256"):
        _get(server, target)
    assert _names(target) == []
    _get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_address_is_not_used(server, target):
    server.script = [{"cut": 300_000}]
    with pytest.raises(NgaeError):
        _get(server, target)
    server.script, server.asked = [{}], []
    _get(server, target, url=server.url + "?v=2")
    assert server.asked == [""]
    assert target.read_bytes() == CONTENT


def test_a_whole_part_needs_no_request(server, target):
    server.script = [{"cut": 300_000}]
    with pytest.raises(NgaeError):
        _get(server, target)
    target.with_name("t.txt.part").write_bytes(CONTENT)
    server.asked = []
    _get(server, target)
    assert server.asked == []
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("fault", "changes", "message"),
    [
        ({"total": 700_001}, {}, "expected 700000 bytes, found 700001 announced"),
        ({"total": 699_999}, {}, "expected 700000 bytes, found 699999 announced"),
        ({}, {"size": None, "most": 5}, "expected at most 5 bytes, found 700000 announced"),
        ({"unsized": True}, {"size": 699_999}, "expected at most 699999 bytes, found more"),
        ({"unsized": True}, {"size": None, "most": 600_000}, "at most 600000 bytes, found more"),
        ({"encoding": "gzip"}, {}, "expected the file as it is, found the encoding gzip"),
        ({"status": 404}, {}, "expected status 200, found 404"),
        ({"status": 403}, {}, "expected status 200, found 403"),
    ],
)
def test_what_is_not_the_file_is_refused_at_once(server, target, fault, changes, message):
    server.script = [fault]
    with pytest.raises(DataError, match=message):
        _get(server, target, **changes)
    assert len(server.asked) == 1
    assert _names(target) == []


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_is_asked_again(server, target, status):
    server.script = [{"status": status}, {"status": status}, {}]
    _, said, _ = _get(server, target)
    assert target.read_bytes() == CONTENT
    assert [f"found {status}" in line for line in said] == [True, True]


def test_redirects_go_to_https_or_stay_on_loopback(server, serve, target):
    other = serve(CONTENT)
    server.script = [{"location": other.url}]
    _get(server, target)
    assert target.read_bytes() == CONTENT
    assert other.asked == [""]


@pytest.mark.parametrize("location", ["http://example.org/t.txt", "ftp://127.0.0.1/t"])
def test_redirects_to_anything_else_are_refused(server, target, location):
    server.script = [{"location": location}]
    with pytest.raises(DataError, match=f"expected a redirect to https, found {location}"):
        _get(server, target)
    assert _names(target) == []


@pytest.mark.parametrize(
    "url", ["http://example.org/t", "ftp://example.org/t", "file:///etc/passwd", "https:", "t.txt"]
)
def test_only_https_is_asked(url, server, target):
    with pytest.raises(UsageError, match="expected an https address"):
        _get(server, target, url=url)
    assert not target.parent.exists()


@pytest.mark.parametrize("url", ["https://a.b/t", "http://localhost/t", "http://[::1]:80/t"])
def test_https_and_loopback_may_be_asked(url):
    check_url(url)


def test_a_server_that_stalls_is_left_and_asked_for_the_rest(server, target):
    server.script = [{"cut": 300_000, "stall_s": 20}, {}]
    limits = Limits(timeout_s=0.2, attempts=2, pause_s=0.01)
    _, said, _ = _get(server, target, limits)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-"]
    assert "timed out" in said[0]


def test_nobody_there_is_said(server, target):
    with pytest.raises(NgaeError, match=r"expected an answer: .*refused") as caught:
        _get(server, target, url="http://127.0.0.1:9/t.txt")
    assert "--from-dir" in caught.value.remedy
    assert caught.value.exit_code == 1


class _FullDisk(FileIO):
    """Takes some bytes, then half of the next piece, then none."""

    left = 400_000

    def write(self, piece):
        if not self.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(piece[: self.left])
        self.left -= taken
        return taken


def test_a_full_disk_keeps_the_whole_pieces_and_says_so(server, target):
    with pytest.raises(NgaeError, match=r"the disk is full after [0-9]+ of 700000 bytes") as caught:
        _get(server, target, open_part=_FullDisk)
    assert caught.value.exit_code == 1
    part = target.with_name("t.txt.part").read_bytes()
    assert len(part) <= 400_000
    assert part == CONTENT[: len(part)]
    assert not target.exists()
    assert len(server.asked) == 1
    _get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked[-1] == (f"bytes={len(part)}-" if part else "")


def test_an_unknown_checksum_is_refused_and_nothing_comes_twice(server, target):
    unknown = {"sha256": None, "size": None}
    with pytest.raises(RefusedError, match=f"found {SHA256}") as caught:
        _get(server, target, **unknown)
    assert caught.value.remedy == (
        f"compare it with a source that you trust, then add --sha256 {SHA256} "
        "(or --accept-unverified)"
    )
    assert _names(target) == ["t.txt.part", "t.txt.part.json"]
    with pytest.raises(RefusedError):
        _get(server, target, **unknown)
    assert _get(server, target, **unknown, accept_unverified=True)[0] == SHA256
    assert server.asked == [""]
    assert target.read_bytes() == CONTENT


def test_an_unknown_checksum_may_be_given_later(server, target):
    with pytest.raises(RefusedError):
        _get(server, target, sha256=None, size=None)
    _get(server, target, size=None)
    assert server.asked == [""]
    assert target.read_bytes() == CONTENT


def test_without_checksum_and_tag_a_part_is_not_trusted(server, target):
    unknown = {"sha256": None, "size": None, "accept_unverified": True}
    server.script = [{"cut": 300_000}]
    with pytest.raises(NgaeError):
        _get(server, target, Limits(5.0, 1, 0.01), **unknown)
    server.script, server.asked = [{}], []
    _get(server, target, **unknown)
    assert server.asked == [""]
    assert target.read_bytes() == CONTENT


def test_a_tag_makes_a_part_without_checksum_good(server, target):
    unknown = {"sha256": None, "size": None, "accept_unverified": True}
    server.script = [{"cut": 300_000, "etag": '"a"'}, {"etag": '"a"'}]
    _get(server, target, **unknown)
    assert server.asked == ["", "bytes=300000-"]
    assert server.if_range == ["", '"a"']
    assert target.read_bytes() == CONTENT


def test_nothing_left_to_send_is_the_end(server, target):
    unknown = {"sha256": None, "size": None, "accept_unverified": True}
    server.script = [{"etag": '"a"'}]
    target.parent.mkdir()
    target.with_name("t.txt.part").write_bytes(CONTENT)
    facts = {"url": server.url, "etag": '"a"'}
    target.with_name("t.txt.part.json").write_text(json.dumps(facts))
    _get(server, target, **unknown)
    assert server.asked == ["bytes=700000-"]
    assert target.read_bytes() == CONTENT
