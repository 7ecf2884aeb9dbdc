"""How values stand in messages, and how errors travel."""

import errno
import pickle

import pytest

from ngae.errors import (
    DataError,
    MissingExtraError,
    NgaeError,
    ParseError,
    Problem,
    RefusedError,
    WriteError,
    cut,
    printable,
    shown,
)
from ngae.oracles.base import EvaluationError


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


def test_what_cannot_be_written_is_named_by_its_kind():
    assert shown(1 << 20_000) == "a very long int"  # more digits than Python writes
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert shown(nested) == "a very long list"


def test_texts_are_cut_to_a_limit():
    assert cut("9" * 80, 80) == "9" * 80
    assert cut("9" * 81, 80) == "9" * 77 + "..."


@pytest.mark.parametrize(
    "error",
    [
        NgaeError("what"),
        RefusedError("what", remedy="how"),
        DataError.of([Problem("a.csv", 1, None, "a", "b"), Problem("a.csv", 2, 3, "a", "b")]),
        ParseError("a", "b", 3),
        MissingExtraError("reels", "film", "a film"),
        WriteError.of("a.csv", OSError(errno.ENOSPC, "No space left on device")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_whole_to_other_processes(error):
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is type(error)
    assert (str(found), vars(found)) == (str(error), vars(error))


NASTY = "a\x1b[2J\r\x85\u202e\ud800\nb"
ESCAPED = "a\\x1b[2J\\r\\x85\\u202e\\ud800\\nb"


def test_texts_of_files_do_not_command_the_terminal():
    assert printable(NASTY) == ESCAPED
    assert printable("é ☃ \\") == "é ☃ \\"
    assert printable(NASTY, "\n") == ESCAPED.replace("\\n", "\n")
    for kind in (NgaeError, RefusedError):
        error = kind(NASTY, remedy=NASTY)
        assert (str(error), error.remedy) == (ESCAPED, ESCAPED)
    problem = Problem(NASTY, 3, None, NASTY, NASTY)
    assert str(problem) == f"{ESCAPED}:3: expected {ESCAPED}, found {ESCAPED}"
    assert str(DataError.of([problem])) == str(problem)
    assert str(EvaluationError(NASTY)) == ESCAPED.replace("\\n", "\n")  # what a program said
