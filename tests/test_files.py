"""JSON of strangers, and names that stand twice."""

import pytest

from ngae.files import parse_json, repeated


def test_json_is_read_up_to_a_hundred_levels():
    assert parse_json('{"a": [1, null]}') == {"a": [1, None]}
    assert parse_json(b'["\xc3\xa9"]') == ["é"]
    value = parse_json("[" * 100 + "]" * 100)
    for _ in range(99):
        (value,) = value
    assert value == []
    for text in ("[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101, "[" * 1_000_000):
        with pytest.raises(ValueError, match="maximum recursion of 100 levels exceeded"):
            parse_json(text)


def test_levels_are_those_of_brackets_outside_of_texts():
    text = '["' + "[" * 200 + '\\"' + "[" * 200 + '"]'
    assert parse_json(text) == ["[" * 200 + '"' + "[" * 200]
    assert parse_json("[" + "[[]]," * 200 + "0]")[-1] == 0
    with pytest.raises(ValueError, match="Unterminated string"):
        parse_json('["' + "[" * 200)
    with pytest.raises(ValueError, match="levels"):
        parse_json('["\\\\", ' + "[" * 100 + "]" * 101)


def test_other_bytes_and_other_texts_are_refused():
    for content in (b"\xff\xfe[\0]\0", b"\xff", "{", ""):
        with pytest.raises(ValueError, match=r"codec|Expecting"):
            parse_json(content)


@pytest.mark.parametrize(
    ("names", "first"), [([], None), (["a"], None), (["a", "b", "b", "a"], "a"), ("xyy", "y")]
)
def test_the_first_name_that_stands_twice(names, first):
    assert repeated(names) == first
