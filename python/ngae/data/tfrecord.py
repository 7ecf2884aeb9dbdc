"""TFRecord files and protocol buffer messages, as far as NAS-Bench-101 needs them; no TensorFlow.

A record is its length (8 bytes), the length's checksum (4), the content, the content's checksum
(4), all little-endian; a checksum is a CRC-32C, rotated and shifted by a constant
(tensorflow/core/lib/io/record_writer.h).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ngae.data.convert import bad_record
from ngae.errors import DataError

LONGEST = 1 << 24  # bytes; a longer record is a broken length
_BLOCK = 4096  # records whose checksums are computed together
_MASK = 0xA282EAD8
_POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected


def _crc_table() -> NDArray[np.uint32]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return np.array(table, dtype=np.uint32)


_TABLE = _crc_table()


def masked_crc32c(contents: list[bytes]) -> NDArray[np.uint32]:
    """Return the masked CRC-32C of each content: byte after byte, all contents at once.

    Returns:
        uint32 (len(contents),).
    """
    lengths = np.array([len(content) for content in contents], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    crc = np.full(len(contents), 0xFFFFFFFF, dtype=np.uint32)
    padded = np.zeros((len(contents), int(lengths.max(initial=0))), dtype=np.uint8)
    for row, place in enumerate(order):
        padded[row, : lengths[place]] = np.frombuffer(contents[place], dtype=np.uint8)
    columns = np.ascontiguousarray(padded.T)
    falling = lengths[order]
    alive = np.searchsorted(-falling, -np.arange(1, len(columns) + 1), side="right")
    for column, rows in zip(columns, alive, strict=True):
        part = crc[:rows]
        crc[:rows] = _TABLE[(part ^ column[:rows]) & 0xFF] ^ (part >> 8)
    crc = ~crc
    result = np.empty_like(crc)
    result[order] = ((crc >> 15) | (crc << 17)) + np.uint32(_MASK)
    return result


def read_tfrecord(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield number, from 1, and content of each record; every checksum is checked.

    Raises:
        DataError: A broken record, with its number.
    """
    try:
        with open(path, "rb") as file:
            yield from _records(path, file)
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be read: {error}") from error


def _records(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    first, more = 1, True
    while more:
        heads, contents, sums = [], [], []
        for number in range(first, first + _BLOCK):
            record = _next(path, file, number)
            more = record is not None
            if record is None:
                break
            head, content, content_sum = record
            heads.append(head)
            contents.append(content)
            sums.append(content_sum)
        _check(path, first, [head[:8] for head in heads], [_number(h[8:]) for h in heads], "length")
        _check(path, first, contents, sums, "content")
        yield from enumerate(contents, first)
        first += len(contents)


def _next(path: Path, file: BinaryIO, number: int) -> tuple[bytes, bytes, int] | None:
    head = file.read(12)
    if not head:
        return None
    if len(head) < 12:
        raise bad_record(path, number, "12 bytes of length and checksum", f"{len(head)}")
    length = int.from_bytes(head[:8], "little")
    if length > LONGEST:
        raise bad_record(path, number, f"a length of at most {LONGEST} bytes", f"{length}")
    rest = file.read(length + 4)
    if len(rest) < length + 4:
        raise bad_record(path, number, f"{length + 4} bytes", f"{len(rest)}: the file is cut")
    return head, rest[:length], _number(rest[length:])


def _number(content: bytes) -> int:
    return int.from_bytes(content, "little")


def _check(path: Path, first: int, contents: list[bytes], sums: list[int], what: str) -> None:
    if not contents:
        return
    found = masked_crc32c(contents)
    wrong = np.flatnonzero(found != np.array(sums, dtype=np.uint32))
    if wrong.size:
        row = int(wrong[0])
        expected = f"a {what} with the checksum {sums[row]:#010x}"
        raise bad_record(path, first + row, expected, f"{int(found[row]):#010x}")


def message_fields(content: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield number and value of each field of a protocol buffer message.

    Varints come as int, 8 bytes as float64, strings and messages as bytes.

    Raises:
        ValueError: No such message.
    """
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(content, place)
            yield number, value
            continue
        if kind == 2:
            size, place = _varint(content, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        end = place + size
        if end > len(content):
            raise ValueError("a field that is cut")
        if kind == 1:
            yield number, struct.unpack_from("<d", content, place)[0]
        elif kind == 2:
            yield number, content[place:end]
        place = end


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("a number that is cut")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number of more than 10 bytes")
