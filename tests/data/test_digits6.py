import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngae.data import digits6
from ngae.data.digits6 import SPACE, Digits6, check_weights, load_digits6, pack, unpack
from ngae.errors import DataError
from ngae.oracles.shared_weights import SharedWeights

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_digits6.py"


@pytest.fixture(scope="module")
def table():
    return load_digits6()


@pytest.fixture(scope="module")
def content():
    return unpack(digits6.TABLE.read_bytes(), "digits6.bin")


def test_the_table_is_what_it_says(table):
    assert (len(table), table.name, table.source) == (19_020, "digits6", "embedded")
    assert (table.performance_name, table.complexity_names) == ("accuracy", ("params", "macs"))
    assert len(set(table.hashes)) == 19_020
    assert all(dag.space is SPACE for dag in table.dags)
    assert table.performance.min() >= 0.09
    assert table.performance.max() <= 0.95
    assert table.performance.std() > 0.1
    assert len(np.unique(table.performance)) > 500


def test_complexities_are_those_of_the_space(table):
    rows = np.arange(0, len(table), 97)
    expected = SPACE.complexity([table.dags[row] for row in rows])
    np.testing.assert_array_equal(table.complexity[rows], expected)


def test_shared_weights_answer_as_the_table(table):
    counts = SharedWeights.for_digits6().count_correct(table.dags[:12])
    stored = np.rint(table.performance[:12] * 897)
    # Equal on the CPU that made the table; another order of sums may tip an image or two.
    assert np.abs(counts - stored).max() <= 2


def test_packing_gives_the_same_bytes_back(content):
    data = digits6.TABLE.read_bytes()
    assert pack(content) == data
    # Header and digest, 33 bits a row, a count a row.
    assert len(data) == 50 + 32 + (19_020 * 33 + 7) // 8 + 2 * 19_020


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_few_rows_survive_packing(content, rows):
    few = content._replace(
        operations=content.operations[:rows],
        flags=content.flags[:rows],
        correct=content.correct[:rows],
    )
    found = unpack(pack(few), "few")
    for one, other in zip(found, few, strict=True):
        np.testing.assert_array_equal(one, other)


def test_bits_stand_where_the_format_says():
    flags = np.zeros((1, 15), dtype=np.uint8)
    flags[0, 0] = flags[0, 14] = 1
    operations = np.array([[5, 0, 0, 0, 0, 1]], dtype=np.uint8)
    data = pack(Digits6(operations, flags, np.array([258], dtype=np.uint16), 897, b"w" * 32))
    assert data[-7:] == bytes([0b10100000, 0, 0b01100000, 0, 0b10000000, 2, 1])


@pytest.mark.parametrize("place", [0, 8, 10, 12, 16, 20, 60, 100, 60_000, -1])
def test_a_changed_byte_is_refused(place):
    data = bytearray(digits6.TABLE.read_bytes())
    data[place] ^= 1
    with pytest.raises(DataError, match=r"digits6\.bin: expected") as caught:
        unpack(bytes(data), "digits6.bin")
    assert caught.value.remedy == "install the package again"


@pytest.mark.parametrize("size", [0, 10, 81, 1000, -1])
def test_a_shorter_file_is_refused(size):
    with pytest.raises(DataError, match="expected"):
        unpack(digits6.TABLE.read_bytes()[:size], "digits6.bin")


@pytest.mark.parametrize(("name", "value"), [("operations", 6), ("correct", 898)])
def test_impossible_values_are_refused(content, name, value):
    changed = getattr(content, name).copy()
    changed[3] = value
    with pytest.raises(DataError, match=r"types below 6|counts up to 897"):
        unpack(pack(content._replace(**{name: changed})), "digits6.bin")


def test_other_weights_are_refused(tmp_path, monkeypatch):
    check_weights()
    path = tmp_path / "digits6.safetensors"
    path.write_bytes(digits6.WEIGHTS.read_bytes() + b" ")
    monkeypatch.setattr(digits6, "WEIGHTS", path)
    with pytest.raises(DataError, match=r"digits6\.safetensors: expected SHA-256"):
        check_weights()


def test_a_damaged_table_is_refused_on_loading(tmp_path, monkeypatch):
    path = tmp_path / "digits6.bin"
    path.write_bytes(digits6.TABLE.read_bytes()[:-1])
    monkeypatch.setattr(digits6, "TABLE", path)
    with pytest.raises(DataError, match=r"digits6\.bin"):
        load_digits6()


@pytest.mark.end_to_end
def test_the_script_checks_rows():
    command = [sys.executable, str(SCRIPT), "--check", "40"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "40 rows evaluated again" in done.stdout
