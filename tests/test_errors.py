"""How values stand in messages."""

import pytest

from ngae.errors import cut, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\n", "'a\\n'"),
        ("9" * 40, repr("9" * 40)),
        ("9" * 41, repr("9" * 37 + "...")),
        (7, "7"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11..."),
    ],
)
def test_values_are_quoted_and_cut(value, text):
    assert shown(value) == text


def test_texts_are_cut_to_a_limit():
    assert cut("9" * 80, 80) == "9" * 80
    assert cut("9" * 81, 80) == "9" * 77 + "..."
