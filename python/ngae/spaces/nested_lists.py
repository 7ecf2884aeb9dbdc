"""A strict scanner of nested integer lists, `[[1], [2, 0], ...]`.

It reads text that a user brings, so it evaluates nothing, and it refuses whatever is not exactly
such a list: floats, leading zeros, empty lists, trailing commas, deeper nesting.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from ngae.errors import ParseError, shown

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,8}")
_WORD = re.compile(r"[-+.\w]+")
_ListLayout: TypeAlias = tuple[int, int, tuple[int, ...], int]
_BLANK = re.compile(r"[ \t]*")
_LONGEST_LAYOUT = 4096  # characters; the layouts of longer texts would fill the memory
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))


class IntegerList(NamedTuple):
    """One inner list.

    Attributes:
        values: The integers, at least one.
        columns: Place of each integer in the scanned text, in characters from 1.
        column: Place of the opening bracket, likewise.
    """

    values: tuple[int, ...]
    columns: tuple[int, ...]
    column: int


def scan_integer_lists(text: str) -> list[IntegerList]:
    """Read `[[i, ...], [i, ...], ...]`: at least one list of at least one integer.

    Blanks and tabs may stand between the parts. An integer has at most nine digits.

    Args:
        text: The whole text; nothing may follow the list.

    Returns:
        The inner lists in their order.

    Raises:
        ParseError: With the column, what was expected and what was found.
    """
    if len(text) > _LONGEST_LAYOUT or not text.isascii():
        return _Scanner(text).lists()
    encoded = text.encode("ascii")
    layout = _single_digit_layout(encoded.translate(_DIGITS))
    if layout is None:
        return _Scanner(text).lists()
    values = encoded.translate(_VALUES, b"[], \t")
    return [
        IntegerList(tuple(values[first:end]), columns, column)
        for first, end, columns, column in layout
    ]


@lru_cache(maxsize=64)
def _single_digit_layout(skeleton: bytes) -> tuple[_ListLayout, ...] | None:
    """Places of integers and brackets in a text whose digits are all replaced by 0.

    The rows of a table mostly differ in their digits alone, so one scan serves them all.

    Returns:
        For each inner list the range of its integers among all of the text, the columns of its
        integers and its own; None for text that is malformed or has other integers than single
        digits.
    """
    try:
        lists = _Scanner(skeleton.decode("ascii")).lists()
    except ParseError:
        return None
    ends = [0, *accumulate(len(found.values) for found in lists)]
    return tuple(
        (first, end, found.columns, found.column)
        for first, end, found in zip(ends, ends[1:], lists, strict=False)
    )


class _Scanner:
    """Reads the text from left to right and stops at the first thing out of place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def lists(self) -> list[IntegerList]:
        self._expect("[")
        lists = [self._list()]
        while self._take(","):
            lists.append(self._list())
        self._expect("]", "',' or ']'")
        if self.place < len(self.text):
            raise self._error("nothing after the list")
        return lists

    def _list(self) -> IntegerList:
        column = self.place + 1
        self._expect("[")
        numbers = [self._integer()]
        while self._take(","):
            numbers.append(self._integer())
        self._expect("]", "',' or ']'")
        values, columns = zip(*numbers, strict=True)
        return IntegerList(values, columns, column)

    def _integer(self) -> tuple[int, int]:
        match = _INTEGER.match(self.text, self.place)
        word = _WORD.match(self.text, self.place)
        if match is None or word is None or match[0] != word[0]:
            raise self._error("an integer")
        column = self.place + 1
        self.place = match.end()
        self._skip_blanks()
        return int(match[0]), column

    def _expect(self, character: str, expected: str | None = None) -> None:
        self._skip_blanks()
        if not self._take(character):
            raise self._error(expected or f"'{character}'")

    def _take(self, character: str) -> bool:
        if not self.text.startswith(character, self.place):
            return False
        self.place += 1
        self._skip_blanks()
        return True

    def _skip_blanks(self) -> None:
        match = _BLANK.match(self.text, self.place)
        assert match is not None
        self.place = match.end()

    def _error(self, expected: str) -> ParseError:
        word = _WORD.match(self.text, self.place)
        if self.place >= len(self.text):
            found = "the end of the text"
        elif word is not None:
            found = shown(word[0])
        else:
            found = shown(self.text[self.place])
        return ParseError(expected, found, self.place + 1)
