import ast
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngae.errors import ParseError
from ngae.spaces.nested_lists import IntegerList, scan_integer_lists

LISTS = st.lists(st.lists(st.integers(-(10**9) + 1, 10**9 - 1), min_size=1), min_size=1)

BROKEN = {
    "nothing": ("", 1, "'['", "the end of the text"),
    "blanks": ("  ", 3, "'['", "the end of the text"),
    "no list": ("7", 1, "'['", "'7'"),
    "flat list": ("[1, 2]", 2, "'['", "'1'"),
    "no inner list": ("[]", 2, "'['", "']'"),
    "empty inner list": ("[[1], []]", 8, "an integer", "']'"),
    "deeper": ("[[[1]]]", 3, "an integer", "'['"),
    "float": ("[[1.5]]", 3, "an integer", "'1.5'"),
    "exponent": ("[[1e5]]", 3, "an integer", "'1e5'"),
    "word": ("[[one]]", 3, "an integer", "'one'"),
    "plus": ("[[+1]]", 3, "an integer", "'+1'"),
    "minus zero": ("[[-0]]", 3, "an integer", "'-0'"),
    "leading zero": ("[[1], [01]]", 8, "an integer", "'01'"),
    "underscore": ("[[1_0]]", 3, "an integer", "'1_0'"),
    "ten digits": ("[[1234567890]]", 3, "an integer", "'1234567890'"),
    "other digits": ("[[\u0661]]", 3, "an integer", "'\u0661'"),
    "comma at the end": ("[[1, ]]", 6, "an integer", "']'"),
    "comma at the end of the lists": ("[[1], ]", 7, "'['", "']'"),
    "two commas": ("[[1,, 2]]", 5, "an integer", "','"),
    "no comma": ("[[1 2]]", 5, "',' or ']'", "'2'"),
    "no comma between lists": ("[[1] [2]]", 6, "',' or ']'", "'['"),
    "open inner list": ("[[1], [2", 9, "',' or ']'", "the end of the text"),
    "open list": ("[[1]", 5, "',' or ']'", "the end of the text"),
    "more after it": ("[[1]], 0.5", 6, "nothing after the list", "','"),
    "line end": ("[[1],\n[2]]", 6, "'['", "'\\n'"),
    "code": ("[[1], __import__('os')]", 7, "'['", "'__import__'"),
}


def test_values_and_columns():
    lists = scan_integer_lists("[[1], [2, 0],  [30,\t-4 ,5]] ")
    assert lists == [
        IntegerList((1,), (3,), 2),
        IntegerList((2, 0), (8, 11), 7),
        IntegerList((30, -4, 5), (17, 21, 25), 16),
    ]


@pytest.mark.parametrize(("text", "column", "expected", "found"), BROKEN.values(), ids=BROKEN)
def test_anything_else_is_named(text, column, expected, found):
    with pytest.raises(ParseError) as caught:
        scan_integer_lists(text)
    error = caught.value
    assert (error.column, error.expected, error.found) == (column, expected, found)


def test_a_long_word_is_cut_in_the_message():
    with pytest.raises(ParseError) as caught:
        scan_integer_lists("[[" + "9" * 5000 + "]]")
    assert caught.value.found == repr("9" * 37 + "...")


@given(LISTS)
def test_lists_come_back_from_their_text(lists):
    text = str(lists)
    scanned = scan_integer_lists(text)
    assert [list(found.values) for found in scanned] == lists
    for found in scanned:
        assert text[found.column - 1] == "["
        for value, column in zip(found.values, found.columns, strict=True):
            assert text[column - 1 :].startswith(str(value))


@given(LISTS, st.integers(0), st.text("[],0123456789- .x\n", max_size=2), st.integers(0, 2))
def test_any_change_is_a_list_or_a_parse_error(lists, place, piece, removed):
    text = str(lists)
    place %= len(text) + 1
    changed = text[:place] + piece + text[place + removed :]
    try:
        scanned = scan_integer_lists(changed)
    except ParseError as error:
        assert 1 <= error.column <= len(changed) + 1
    else:
        assert [list(found.values) for found in scanned] == ast.literal_eval(changed.strip())


def test_equal_layouts_keep_their_own_digits():
    assert [found.values for found in scan_integer_lists("[[1], [2, 0]]")] == [(1,), (2, 0)]
    assert [found.values for found in scan_integer_lists("[[5], [4, 1]]")] == [(5,), (4, 1)]
    with pytest.raises(ParseError):
        scan_integer_lists("[[5], [4, \u0661]]")


def test_long_texts_are_refused_in_time():
    start = time.process_time()
    with pytest.raises(ParseError, match="column 500002"):
        scan_integer_lists("[" + "[1]," * 125_000)
    with pytest.raises(ParseError, match="column 3"):
        scan_integer_lists("[" * 1_000_000)
    assert time.process_time() - start < 5
