"""The cache: two processes at once, killed ones, what is here and whether it is whole."""

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ngae.data import catalog
from ngae.data.cache import cache_folder, state_of, table_of
from ngae.data.config import DataConfig
from ngae.data.download import Limits
from ngae.data.fetch import Request, get
from ngae.errors import DataError, NgaeError, RefusedError, UsageError

QUICK = Limits(timeout_s=5.0, attempts=2, pause_s=0.01)
TEXT = "".join(f"[[{i % 6}], [{i % 5}, {i % 2}]], 0.{i}\n" for i in range(100, 20_000)).encode()
CHILD = """
import sys
from pathlib import Path
from ngae.data.fetch import Request, get
from ngae.data.catalog import Entry, SourceFile
url, sha256, size, folder = sys.argv[1:]
file = SourceFile("t.txt", url, sha256, int(size), int(size))
entry = Entry("made", "made", "enas6", 1, "none", "none", "", "t.txt", "", (file,))
print(get(entry, Request(folder=Path(folder)), say=lambda text: print(text, flush=True)).path)
"""


@pytest.fixture
def server(serve):
    return serve(TEXT)


def _child(server, folder):
    file = server.entry().files[0]
    command = [sys.executable, "-c", CHILD, file.url, file.sha256, str(file.size), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _request(folder, **changes):
    return Request(folder=folder, limits=QUICK, **changes)


def _listed(monkeypatch, entry):
    monkeypatch.setattr(catalog, "ENTRIES", (entry,))
    return entry


def test_a_table_as_it_is_comes_with_its_facts(server, tmp_path, monkeypatch):
    entry = _listed(monkeypatch, dataclasses.replace(server.entry(), settings={"burn_in": 7}))
    assert state_of(entry, tmp_path) == "not fetched"
    table = get(entry, _request(tmp_path))
    assert table.path == tmp_path / "made" / "t.txt"
    assert table.path.read_bytes() == TEXT
    assert table.settings == {"space": "enas6", "burn_in": 7}
    assert state_of(entry, tmp_path) == "in cache"
    assert table_of("made", tmp_path) == table
    facts = json.loads((tmp_path / "made" / "table.json").read_text())
    sha256 = hashlib.sha256(TEXT).hexdigest()
    assert facts["sha256"] == sha256
    assert facts["bytes"] == len(TEXT)
    assert facts["settings"] == {"space": "enas6", "burn_in": 7}
    assert facts["sources"] == [
        {"file": "t.txt", "url": server.url, "sha256": sha256, "bytes": len(TEXT), "verified": True}
    ]


def test_a_table_is_converted_on_the_way(server, tmp_path):
    entry = server.entry(form="dvae", table="t.csv", rows=19_900)
    table = get(entry, _request(tmp_path))
    lines = table.path.read_text().splitlines()
    assert lines[:2] == ["arch,performance", '"[[4], [0, 0]]",0.100']
    assert len(lines) == 19_901


def test_another_number_of_rows_is_no_table(server, tmp_path):
    entry = server.entry(form="dvae", table="t.csv", rows=19_899)
    with pytest.raises(DataError, match="expected 19899 rows, found 19900"):
        get(entry, _request(tmp_path))
    assert state_of(entry, tmp_path) == "not fetched"
    assert not (tmp_path / "made" / "t.csv").exists()


def test_what_is_here_is_not_fetched_again(server, tmp_path):
    said = []
    get(server.entry(), _request(tmp_path))
    get(server.entry(), _request(tmp_path), say=said.append)
    assert server.asked == [""]
    assert said == ["made is in the cache already"]


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no facts", "torn facts"])
def test_a_damaged_table_is_made_again(server, tmp_path, damage, monkeypatch):
    entry = _listed(monkeypatch, server.entry(form="dvae", table="t.csv", rows=19_900))
    table = get(entry, _request(tmp_path)).path
    good, facts = table.read_bytes(), tmp_path / "made" / "table.json"
    if damage == "cut":
        table.write_bytes(good[:-1])
    elif damage == "changed":
        table.write_bytes(b"x" + good[1:])
    elif damage == "gone":
        table.unlink()
    elif damage == "no facts":
        facts.unlink()
    else:
        facts.write_text(facts.read_text()[:-9])
    if damage != "changed":  # the length is looked at each time, the bytes by `get`
        with pytest.raises(DataError, match="found none that is whole"):
            table_of("made", tmp_path)
    get(entry, _request(tmp_path))
    assert table.read_bytes() == good
    assert server.asked == [""]  # the original is still here


def test_a_table_of_another_original_is_fetched_again(server, serve, tmp_path):
    get(server.entry(), _request(tmp_path))
    other = serve(TEXT[:-20])
    assert state_of(other.entry(), tmp_path) == "not fetched"
    assert get(other.entry(), _request(tmp_path)).path.read_bytes() == TEXT[:-20]


def test_two_processes_at_once_fetch_once(server, tmp_path, wait_until):
    server.script = [{"piece": 8192, "pause_s": 0.01}]
    first = _child(server, tmp_path)
    wait_until(lambda: server.sent)
    second = _child(server, tmp_path)
    shown = [child.communicate(timeout=60)[0].splitlines() for child in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    path = str(tmp_path / "made" / "t.txt")
    assert shown[0] == [path]
    assert shown[1] == [
        f"process {second.pid} waits for process {first.pid}, which holds "
        f"{tmp_path / 'made' / '.lock'}",
        "made is in the cache already",
        path,
    ]
    assert server.asked == [""]
    assert Path(path).read_bytes() == TEXT


def test_a_killed_process_leaves_a_part_and_the_next_goes_on(server, tmp_path, wait_until):
    server.script = [{"piece": 8192, "pause_s": 0.01}, {}]
    child = _child(server, tmp_path)
    part = tmp_path / "made" / "t.txt.part"
    wait_until(lambda: part.exists() and part.stat().st_size > 50_000)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=60)
    kept = part.stat().st_size
    assert part.read_bytes() == TEXT[:kept]
    assert not (tmp_path / "made" / "t.txt").exists()
    assert get(server.entry(), _request(tmp_path)).path.read_bytes() == TEXT
    assert server.asked == ["", f"bytes={kept}-"]
    names = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert names == [".lock", "t.txt", "table.json"]


def test_originals_of_a_folder_are_taken_without_the_net(server, tmp_path):
    originals = tmp_path / "originals"
    originals.mkdir()
    (originals / "t.txt").write_bytes(TEXT)
    request = _request(tmp_path / "cache", from_dir=originals)
    assert get(server.entry(), request).path.read_bytes() == TEXT
    assert server.asked == []
    assert (originals / "t.txt").read_bytes() == TEXT


def test_originals_of_a_folder_are_checked(server, tmp_path):
    (tmp_path / "t.txt").write_bytes(TEXT[1:])
    found = hashlib.sha256(TEXT[1:]).hexdigest()
    request = _request(tmp_path / "cache", from_dir=tmp_path)
    entry = server.entry()
    with pytest.raises(DataError, match=f"expected sha256 {entry.files[0].sha256}, found {found}"):
        get(entry, request)
    with pytest.raises(RefusedError, match=f"found {found}"):
        get(server.entry(sha256=None), request)
    (tmp_path / "t.txt").unlink()
    with pytest.raises(DataError, match=r"t\.txt: expected the file, found none"):
        get(entry, request)
    assert [path.name for path in (tmp_path / "cache" / "made").iterdir()] == [".lock"]


def test_a_checksum_may_be_given_where_none_is_stated(server, tmp_path):
    entry, sha256 = server.entry(sha256=None), hashlib.sha256(TEXT).hexdigest()
    with pytest.raises(RefusedError, match=sha256):
        get(entry, _request(tmp_path))
    with pytest.raises(DataError, match=f"expected sha256 {'0' * 64}, found {sha256}"):
        get(entry, _request(tmp_path, sha256="0" * 64))
    table = get(entry, _request(tmp_path, sha256=sha256.upper()))
    assert table.path.read_bytes() == TEXT
    facts = json.loads((tmp_path / "made" / "table.json").read_text())
    assert facts["sources"][0]["verified"] is True


def test_a_cached_table_is_checked_against_a_given_checksum(server, tmp_path):
    entry, right = server.entry(sha256=None), hashlib.sha256(TEXT).hexdigest()
    facts, wrong = tmp_path / "made" / "table.json", "0" * 64
    get(entry, _request(tmp_path, accept_unverified=True))
    with pytest.raises(DataError, match=f"t.txt: expected sha256 {wrong}, found {right}") as caught:
        get(entry, _request(tmp_path, sha256=wrong))
    assert caught.value.remedy == f"remove {tmp_path / 'made'} to fetch the table anew"
    assert json.loads(facts.read_text())["sources"][0]["verified"] is False
    with pytest.raises(UsageError, match="expected 64 hexadecimal digits, found 'abc'"):
        get(entry, _request(tmp_path, sha256="abc"))
    get(entry, _request(tmp_path, sha256=right))
    assert json.loads(facts.read_text())["sources"][0]["verified"] is True
    assert server.asked == [""]


def test_an_original_is_not_fetched_twice_where_its_conversion_failed(server, tmp_path):
    entry = server.entry(sha256=None, form="dvae", table="t.csv", rows=19_899)
    original, said = tmp_path / "made" / "t.txt", []
    with pytest.raises(DataError, match="expected 19899 rows, found 19900"):
        get(entry, _request(tmp_path, accept_unverified=True))
    entry = dataclasses.replace(entry, rows=19_900)
    with pytest.raises(RefusedError, match=f"{original}: expected a known sha256"):
        get(entry, _request(tmp_path))
    with pytest.raises(DataError, match=f"{original}: expected sha256 {'0' * 64}, found"):
        get(entry, _request(tmp_path, sha256="0" * 64))
    get(entry, _request(tmp_path, accept_unverified=True), say=said.append)
    assert said == [f"{original} is here already; remove it to fetch it anew"]
    assert len((tmp_path / "made" / "t.csv").read_text().splitlines()) == 19_901
    assert server.asked == [""]


@pytest.mark.parametrize(
    "facts",
    [
        [],
        {},
        {"sources": 1},
        {"sources": [1]},
        {"sources": [{}]},
        {"sources": [{"file": [], "sha256": "0"}]},
        {"sha256": None},
        "[" * 100_000,
    ],
    ids=str,
)
def test_facts_of_another_form_are_no_table(server, tmp_path, monkeypatch, facts):
    entry = _listed(monkeypatch, server.entry(sha256=None))
    request = _request(tmp_path, accept_unverified=True)
    get(entry, request)
    path = tmp_path / "made" / "table.json"
    good = json.loads(path.read_text())
    changed = {**good, **facts} if facts and isinstance(facts, dict) else facts
    path.write_text(facts if isinstance(facts, str) else json.dumps(changed))
    assert state_of(entry, tmp_path) == "not fetched"
    with pytest.raises(DataError, match=r"made: expected the table .*t\.txt, found none that is"):
        table_of("made", tmp_path)
    get(entry, request)
    assert json.loads(path.read_text()) == good
    assert server.asked == [""]


def test_an_unverified_table_says_so(server, tmp_path):
    get(server.entry(sha256=None), _request(tmp_path, accept_unverified=True))
    facts = json.loads((tmp_path / "made" / "table.json").read_text())
    assert facts["sources"][0]["verified"] is False


def test_checksums_that_cannot_be_are_refused(server, tmp_path):
    with pytest.raises(UsageError, match="expected 64 hexadecimal digits, found 'abc'"):
        get(server.entry(sha256=None), _request(tmp_path, sha256="abc"))
    with pytest.raises(UsageError, match=r"the one that is stated for t\.txt"):
        get(server.entry(), _request(tmp_path, sha256="0" * 64))
    assert server.asked == []


def test_what_is_not_here_is_named_with_its_remedy(tmp_path):
    with pytest.raises(DataError, match=r"enas6: expected the table .*structures6\.txt") as caught:
        table_of("enas6", tmp_path)
    assert caught.value.remedy == "ngae data get enas6"
    with pytest.raises(UsageError, match=r"expected one of digits6, enas6, .*, found 'enas7'"):
        table_of("enas7", tmp_path)
    with pytest.raises(UsageError, match="found one that is embedded"):
        table_of("digits6", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(NgaeError, match="expected a folder that can be written") as caught:
        get(server.entry(), _request(tmp_path / "cache"))
    assert "NGAE_CACHE" in caught.value.remedy


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NGAE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "ngae"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert cache_folder() == Path("/var/x/ngae")
    monkeypatch.setenv("NGAE_CACHE", "/var/y")
    assert cache_folder() == Path("/var/y")


def test_the_catalog_is_consistent():
    names = catalog.names()
    assert len(set(names)) == len(names)
    known = {field.name for field in dataclasses.fields(DataConfig)}
    for entry in catalog.ENTRIES:
        assert catalog.find(entry.name) is entry
        assert set(entry.settings) <= known
        assert entry.licence
        for file in entry.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or len(file.sha256) == 64
            assert file.size is None or file.size <= file.most
    assert catalog.find("digits7") is None
    assert [entry.name for entry in catalog.ENTRIES if entry.embedded] == ["digits6"]
