"""Pickles: numbers come through exactly, and nothing that a pickle names is ever called."""

import collections
import pickle
import struct

import numpy as np
import pytest

from ngae.data.allowlist import read_pickled_numbers
from ngae.errors import DataError

VALUE = {"a": [1, 2.5, None, True, "x", b"y", (3, -4)], 10**12: {"b": {1, 2}}}


class Calls:
    """A pickle of it calls `call` with `arguments` when it is read."""

    def __init__(self, call, *arguments):
        self.what = (call, arguments)

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_containers_and_numbers_come_back(protocol):
    value = VALUE if protocol >= 4 else {"a": VALUE["a"][:5] + VALUE["a"][6:]}
    assert read_pickled_numbers(pickle.dumps(value, protocol), "f") == value


@pytest.mark.parametrize("kind", ["f8", "f4", "f2", "i8", "i4", "u8", "u4", ">f8", ">i4", "?"])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_numpy_scalars_come_as_numbers(kind, protocol):
    scalar = np.dtype(kind).type(1.5)
    value = read_pickled_numbers(pickle.dumps({"x": scalar}, protocol), "f")["x"]
    assert type(value) in (float, int, bool)
    assert value == scalar


def test_a_big_endian_number_is_turned():
    state = b"(K\x03X\x01\x00\x00\x00>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    assert read_pickled_numbers(double(state), "f") == 0.1


def double(state):
    """A pickle of .1 as numpy has it, big-endian, with any state of its dtype."""
    head = (
        b"\x80\x03cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R"
    )
    return head + state + b"C\x08" + struct.pack(">d", 0.1) + b"\x86R."


def test_the_state_of_a_dtype_may_be_short_but_names_the_order():
    assert read_pickled_numbers(double(b"(K\x03X\x01\x00\x00\x00>tb"), "f") == 0.1
    with pytest.raises(DataError, match="a numpy number with the byte order None"):
        read_pickled_numbers(double(b"(K\x03tb"), "f")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (pickle.dumps(Calls(eval, "1/0")), "builtins.eval"),
        (pickle.dumps({"a": [Calls(print, "x")]}), "builtins.print"),
        (pickle.dumps(collections.OrderedDict(a=1)), "collections.OrderedDict"),
        (pickle.dumps(np.zeros(3), 4), r"numpy\.?_?core.multiarray._reconstruct"),
        (b"cos\nsystem\n(S'exit 1'\ntR.", "os.system"),
        (b"(S'exit 1'\nios\nsystem\n.", "os.system"),
        (b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.", "builtins.getattr"),
        (b"cnumpy\ndtype.mro\n.", "numpy.dtype.mro"),
        (b"cnumpy\nload\n.", "numpy.load"),
        (b"c__builtin__\nexec\n.", "__builtin__.exec"),
    ],
)
def test_any_other_name_is_refused_with_its_name(content, name):
    with pytest.raises(DataError, match=rf"^f: expected a pickle of .*, found the name .*{name}"):
        read_pickled_numbers(content, "f")


def test_a_forbidden_call_is_not_made(tmp_path):
    target = tmp_path / "made"
    with pytest.raises(DataError, match="open"):
        read_pickled_numbers(pickle.dumps(Calls(open, str(target), "w")), "f")
    assert not target.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps(VALUE)[:-3],
        pickle.dumps(VALUE) + b"more",
        b"\x80\x63.",
        b"\x80\x04\x82\x01.",  # an extension code
        b"Pid\n.",  # a persistent id
        pickle.dumps(np.dtype("O"), 3),
        pickle.dumps(np.dtype("U4"), 3),
        pickle.dumps(np.datetime64("2026-01-01"), 3),
        pickle.dumps(np.complex128(1), 3),
    ],
)
def test_what_is_no_pickle_of_numbers_is_refused(content):
    with pytest.raises(DataError, match=r"^f: expected "):
        read_pickled_numbers(content, "f")
