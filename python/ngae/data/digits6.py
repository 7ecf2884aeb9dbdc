"""digits6: the embedded table of 19,020 six-layer ENAS architectures, and its file format.

Each was judged by shared weights on 897 of scikit-learn's 8x8 digits (see
`ngae.oracles.shared_weights` and `scripts/make_digits6.py`). The file holds architectures and
counts of correct images; parameters and multiply-adds are computed when it is loaded.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.records import Table
from ngae.errors import DataError
from ngae.networks.macro import OPERATIONS, macro_complexities
from ngae.spaces.enas import EnasSpace
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT

SPACE = EnasSpace(6)
TABLE = Path(__file__).with_name("digits6.bin")
WEIGHTS = Path(__file__).with_name("digits6.safetensors")

_MAGIC, _VERSION = b"ngaedig6", 1
# magic, version, layers, rows, images, SHA-256 of the weights file; then SHA-256 of all the rest.
_HEADER = struct.Struct("<8sHHIH32s")
_DIGEST_BYTES = 32
_TYPE_BITS = 3


class Digits6(NamedTuple):
    """What the file holds.

    Attributes:
        operations: uint8 (num_rows, num_layers), numbers into OPERATIONS.
        flags: uint8 (num_rows, num_layers * (num_layers - 1) / 2), skip flags, layer by layer; the
            flag j of layer k is 1 where node j feeds it besides the node before it.
        correct: uint16 (num_rows,), images classified correctly.
        num_images: Images that were classified.
        weights_digest: SHA-256 of the file of shared weights that classified them.
    """

    operations: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    correct: NDArray[np.uint16]
    num_images: int
    weights_digest: bytes


def load_digits6() -> Table:
    """Load the embedded table.

    Returns:
        Table of 19,020 distinct architectures: accuracy; params, macs.

    Raises:
        DataError: The embedded file is damaged.
    """
    found = unpack(TABLE.read_bytes(), TABLE.name)
    return Table(
        name="digits6",
        space=SPACE,
        dags=Dags.of(_dags(found), SPACE),
        performance=found.correct / np.float64(found.num_images),
        complexity=macro_complexities(found.operations, SPACE.network).astype(np.float64),
        performance_name="accuracy",
        complexity_names=SPACE.complexity_names,
        lines=np.zeros(len(found.correct), dtype=np.int64),
        source="embedded",
    )


def check_weights() -> None:
    """Require that the embedded weights are those that judged the embedded table.

    Raises:
        DataError: They are not, or the table is damaged.
    """
    expected = unpack(TABLE.read_bytes(), TABLE.name).weights_digest
    found = hashlib.sha256(WEIGHTS.read_bytes()).digest()
    if found != expected:
        raise DataError(
            f"{WEIGHTS.name}: expected SHA-256 {expected.hex()}, found {found.hex()}",
            remedy="install the package again",
        )


def pack(content: Digits6) -> bytes:
    """Write `content` as the bytes of the file.

    After the header: the bits of all rows (3 bits for each type, then the skip flags, highest bit
    first), padded to a byte; then the counts as little-endian uint16.
    """
    rows, layers = content.operations.shape
    shifts = np.arange(_TYPE_BITS - 1, -1, -1, dtype=np.uint8)
    # (rows, layers) -> (rows, layers * 3)
    types = (content.operations[:, :, None] >> shifts & 1).reshape(rows, layers * _TYPE_BITS)
    bits = np.packbits(np.concatenate([types, content.flags], axis=1)).tobytes()
    header = _HEADER.pack(
        _MAGIC, _VERSION, layers, rows, content.num_images, content.weights_digest
    )
    rest = bits + content.correct.astype("<u2").tobytes()
    return header + hashlib.sha256(header + rest).digest() + rest


def unpack(data: bytes, name: str) -> Digits6:
    """Read what `pack` wrote.

    Args:
        data: The bytes.
        name: Name of the file, for errors.

    Raises:
        DataError: Other bytes, whatever differs.
    """
    start = _HEADER.size + _DIGEST_BYTES
    _expect(name, "a length of at least", start, min(len(data), start))
    magic, version, layers, rows, images, weights = _HEADER.unpack_from(data)
    _expect(name, "the magic", _MAGIC, magic)
    _expect(name, "version", _VERSION, version)
    _expect(name, "layers", SPACE.num_layers, layers)
    header, digest, rest = data[: _HEADER.size], data[_HEADER.size : start], data[start:]
    _expect(name, "SHA-256", digest.hex(), hashlib.sha256(header + rest).hexdigest())
    num_types, num_flags = _TYPE_BITS * layers, layers * (layers - 1) // 2
    num_bits = rows * (num_types + num_flags)
    split = (num_bits + 7) // 8
    _expect(name, "a length of", start + split + 2 * rows, len(data))
    flat = np.unpackbits(np.frombuffer(rest[:split], dtype=np.uint8), count=num_bits)
    bits = flat.reshape(rows, num_types + num_flags)
    types = bits[:, :num_types].reshape(rows, layers, _TYPE_BITS)
    operations = (types @ np.array([4, 2, 1], dtype=np.uint8)).astype(np.uint8)
    correct = np.frombuffer(rest[split:], dtype="<u2").astype(np.uint16)
    _expect(name, "types below 6", True, bool((operations < len(OPERATIONS)).all()))
    _expect(name, f"counts up to {images}", True, bool((correct <= images).all()))
    return Digits6(operations, bits[:, num_types:], correct, images, weights)


def _dags(found: Digits6) -> list[Dag]:
    """Make the architectures; the edges of a pattern of flags are made once."""
    layers = SPACE.num_layers
    chain = [(node, node + 1) for node in range(layers + 1)]
    skips = [(j, layer + 1) for layer in range(layers) for j in range(layer)]
    dags = []
    for operations, flags in zip(found.operations.tolist(), found.flags.tolist(), strict=True):
        types = (INPUT, *(operation + FIRST_OPERATION for operation in operations), OUTPUT)
        edges = chain + [edge for edge, flag in zip(skips, flags, strict=True) if flag]
        dags.append(Dag(types, tuple(edges), SPACE))
    return dags


def _expect(name: str, what: str, expected: object, found: object) -> None:
    if expected != found:
        raise DataError(
            f"{name}: expected {what} {expected!r}, found {found!r}",
            remedy="install the package again",
        )
