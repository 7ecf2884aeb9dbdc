"""NAS-Bench-101's records, written here by the description of their form, and broken ones."""

import base64
import csv
import gzip
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from ngae.data.catalog import find
from ngae.data.convert import convert
from ngae.data.tfrecord import masked_crc32c, message_fields, read_tfrecord
from ngae.errors import DataError

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
TABLE = DATA / "nas-bench-101" / "nasbench101_30001.csv.gz"
CELL = ("0" * 31 + "a", "0110001000000000", "input,conv3x3-bn-relu,maxpool3x3,output")
SMALL = ("0" * 31 + "b", "0100", "input,output")


def _crc32c(content):
    """Bit by bit, as the definition says."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _mask(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _framed(content):
    head = struct.pack("<Q", len(content))
    sums = [struct.pack("<I", _mask(_crc32c(part))) for part in (head, content)]
    return head + sums[0] + content + sums[1]


def _varint(value):
    digits = b""
    while value > 127:
        digits += bytes([value & 127 | 128])
        value >>= 7
    return digits + bytes([value])


def _double(field, value):
    return bytes([field << 3 | 1]) + struct.pack("<d", value)


def _evaluation(epoch, time, validation, test):
    path = b"\x32" + _varint(300) + b"/" * 300
    values = [(1, epoch), (2, time), (3, 0.99), (4, validation), (5, test)]
    return b"".join(_double(*value) for value in values) + path


def _metrics(validation, test, time, parameters=8_555_530):
    evaluations = [
        _evaluation(0.0, 0.0, 0.1, 0.1),
        _evaluation(54.0, time / 2, 0.5, 0.5),
        _evaluation(108.0, time, validation, test),
    ]
    packed = b"".join(b"\x0a" + _varint(len(e)) + e for e in evaluations)
    counted = b"" if parameters is None else b"\x10" + _varint(parameters)
    return packed + counted + _double(3, time + 1)


def _record(cell, epochs=108, metrics=None):
    metrics = _metrics(0.9, 0.8, 1000.0) if metrics is None else metrics
    return json.dumps([cell[0], epochs, *cell[1:], base64.b64encode(metrics).decode()]).encode()


def _file(path, *records):
    path.write_bytes(b"".join(map(_framed, records)))
    return path


def test_checksums_are_those_of_the_definition():
    assert _crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    rng = np.random.default_rng(0)
    contents = [rng.bytes(int(size)) for size in rng.integers(0, 40, 50)] + [b"", bytes(300)]
    assert masked_crc32c(contents).tolist() == [_mask(_crc32c(c)) for c in contents]
    assert masked_crc32c([]).tolist() == []


def test_records_come_back_in_blocks(tmp_path):
    contents = [bytes([i % 251]) * (i % 7) for i in range(5000)]
    path = _file(tmp_path / "t", *contents)
    assert list(read_tfrecord(path)) == list(enumerate(contents, 1))
    assert list(read_tfrecord(_file(tmp_path / "e"))) == []


def test_messages_are_read_field_by_field():
    message = (
        b"\x08\x96\x01" + _double(2, -0.5) + b"\x1a\x03abc" + b"\x25\x01\x02\x03\x04" + b"\x30\x00"
    )
    assert list(message_fields(message)) == [(1, 150), (2, -0.5), (3, b"abc"), (6, 0)]


@pytest.mark.parametrize(
    "message", [b"\x08", b"\x08\xff", b"\x11\x00", b"\x1a\x05abc", b"\x0b", b"\x08" + b"\xff" * 11]
)
def test_broken_messages_are_refused(message):
    with pytest.raises(ValueError, match=r"."):
        list(message_fields(message))


def test_runs_of_a_cell_are_averaged(tmp_path):
    runs = [(0.9, 0.8, 1000.0), (0.92, 0.81, 1100.0), (0.94, 0.82, 1300.5)]
    records = [_record(SMALL, metrics=_metrics(0.5, 0.4, 10.0, 227_274))] * 3
    records[1:1] = [_record(CELL, metrics=_metrics(*run)) for run in runs]
    source = _file(tmp_path / "n.tfrecord", *records)
    assert convert("nasbench101-tfrecord", source, tmp_path / "t.csv").rows == 2
    assert (tmp_path / "t.csv").read_text() == (
        "module_hash,num_vertices,num_edges,adjacency,operations,trainable_parameters,"
        "val_acc_108ep,test_acc_108ep,train_time_108ep_s\n"
        f'{CELL[0]},4,3,{CELL[1]},"{CELL[2]}",8555530,0.92,0.81,1133.5\n'
        f'{SMALL[0]},2,1,0100,"input,output",227274,0.5,0.4,10\n'
    )


def test_the_catalog_names_columns_that_are_made(tmp_path):
    convert("nasbench101-tfrecord", _file(tmp_path / "n", _record(CELL)), tmp_path / "t.csv")
    columns = set((tmp_path / "t.csv").read_text().splitlines()[0].split(","))
    settings = find("nas-bench-101").settings
    for name in ("arch_col", "performance_col", "complexity_col", "report_col"):
        assert set(settings[name].split(",")) <= columns


def test_the_full_file_has_four_budgets(tmp_path):
    budgets = {108: 0.9, 4: 0.3, 36: 0.8, 12: 0.5}
    records = [_record(CELL, e, _metrics(v, v, 10.0 * e)) for e, v in budgets.items()]
    convert("nasbench101-tfrecord", _file(tmp_path / "n", *records), tmp_path / "t.csv")
    with open(tmp_path / "t.csv") as file:
        row = next(csv.DictReader(file))
    assert [row[f"val_acc_{epochs}ep"] for epochs in (4, 12, 36, 108)] == [
        "0.3",
        "0.5",
        "0.8",
        "0.9",
    ]
    assert [row[f"train_time_{epochs}ep_s"] for epochs in (4, 108)] == ["40", "1080"]


GOOD = _record(CELL)
OTHER = (CELL[0], "0111001000000000", CELL[2])
BROKEN = {
    "wrong length sum": (_framed(GOOD) + b"\xff" + _framed(GOOD)[1:], "record 2: expected .*bytes"),
    "wrong content": (
        _framed(GOOD) + _framed(GOOD)[:20] + b"?" + _framed(GOOD)[21:],
        "record 2: expected a content with the checksum 0x",
    ),
    "cut head": (_framed(GOOD) + b"\0" * 5, "record 2: expected 12 bytes .*, found 5"),
    "cut content": (_framed(GOOD)[:-1], "record 1: expected [0-9]+ bytes, .* the file is cut"),
    "no record file": (b"PK\3\4" * 99, "record 1: expected a length of at most"),
    "no JSON": (_framed(b"{"), "record 1: expected a JSON list of hash, epochs"),
    "short list": (_framed(b"[1, 2]"), "record 1: expected a JSON list"),
    "no base64": (_framed(json.dumps([*CELL, 1, "???"]).encode()), "record 1: expected a JSON"),
    "no message": (_framed(_record(CELL, metrics=b"\x0b")), "record 1: .* wire type 3"),
    "empty message": (_framed(_record(CELL, metrics=b"")), "record 1: .* 0 evaluations"),
    "no parameters": (
        _framed(_record(CELL, metrics=_metrics(0.9, 0.8, 1.0, parameters=None))),
        "record 1: .* 3 evaluations, None parameters",
    ),
    "one evaluation too many": (
        _framed(_record(CELL, metrics=b"\x0a\x00" + _metrics(0.9, 0.8, 1.0))),
        "record 1: .* 4 evaluations, 8555530 parameters",
    ),
    "not a number": (
        _framed(_record(CELL, metrics=_metrics(float("nan"), 0.5, 1.0))),
        "record 1: .* an evaluation without accuracies",
    ),
    "epochs in words": (
        _framed(_record(CELL, "108")),
        "record 1: expected a text, an integer and two texts, found str, str",
    ),
    "wrong matrix": (
        _framed(_record((CELL[0], "0100", CELL[2]))),
        "record 1: expected 16 digits 0 or 1 of adjacency, found 0100",
    ),
    "contradiction": (
        _framed(GOOD) + _framed(_record(OTHER)),
        "record 2: expected the cell .* again, found ",
    ),
    "missing budget": (
        _framed(_record(CELL, 4)) + _framed(_record(SMALL)),
        f"record {CELL[0]}: expected a run of 108 epochs, found none",
    ),
    "no records": (b"", "expected rows, found none"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_named_and_leave_nothing(tmp_path, content, message):
    (tmp_path / "n.tfrecord").write_bytes(content)
    with pytest.raises(DataError, match=rf"n\.tfrecord: {message}") as caught:
        convert("nasbench101-tfrecord", tmp_path / "n.tfrecord", tmp_path / "out" / "t.csv")
    assert caught.value.exit_code == 3
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not TABLE.exists(), reason="the NAS-Bench-101 table is not here")
def test_real_cells_come_back_from_records(tmp_path):
    with gzip.open(TABLE, "rt") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(300), strict=False)]
    records = [
        _record(
            (row["module_hash"], row["adjacency"], row["operations"]),
            metrics=_metrics(
                float(row["val_acc_108ep"]), 0.5, float(row["train_time_108ep_s"]),
                int(row["trainable_parameters"]),
            ),
        )
        for row in rows
    ]  # fmt: skip
    convert("nasbench101-tfrecord", _file(tmp_path / "n", *records[::-1]), tmp_path / "t.csv")
    with open(tmp_path / "t.csv") as file:
        found = list(csv.DictReader(file))
    shared = [name for name in found[0] if name in rows[0]]
    assert len(shared) == 8
    for name in shared[:6]:
        assert [row[name] for row in found] == [row[name] for row in rows]
    for name in shared[6:]:
        values = [[float(row[name]) for row in table] for table in (found, rows)]
        np.testing.assert_allclose(*values, rtol=0, atol=1e-12)
