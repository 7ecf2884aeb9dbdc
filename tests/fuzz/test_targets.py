"""Every target on its seeds, on inputs that once failed, on large ones and on changed ones."""

from __future__ import annotations

import ast
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import seeds
from tests.fuzz.sizes import SIZES
from tests.fuzz.targets import TARGETS, attempt

CORPUS = Path(__file__).parent / "corpus"
WORDS = [
    ast.literal_eval(f"b{line}")
    for line in (Path(__file__).parent / "words.dict").read_text().splitlines()
]
FAILED = [(file.parent.name, file) for file in sorted(CORPUS.glob("*/*"))]
LARGE = [(target, name) for target, cases in SIZES.items() for name in cases]
# Values in JSON, and what they are replaced by.
VALUE = re.compile(rb'(?<=[:\[ ,])(?:-?\d+(?:\.\d+)?(?:e-?\d+)?|"[^"\\]*"(?!:)|null|true|false)')
KINDS = (b"9" * 400, b'"x"', b"null", b"[1]", b'{"a":[]}', b"-1", b"1e400", b"NaN", b"true", b"1.5")
OF_VALUES = ("settings", "facts", "ledger", "history", "search_folder", "command_output", "http")
_CONSTANT = 64e6  # bytes, beside ten times the input
_CHANGES = 30  # of the seeds of a target

# Where, how many bytes go, what comes in their place; several times.
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 12),
        st.one_of(st.binary(max_size=4), st.sampled_from(WORDS)),
    ),
    min_size=1,
    max_size=4,
)


def changed(seed: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Apply edits."""
    for share, gone, new in edits:
        place = int(share * len(seed))
        seed = seed[:place] + new + seed[place + gone :]
    return seed


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_read(name):
    accepted = [attempt(TARGETS[name], seed) for seed in seeds(name)]
    assert any(accepted)


@pytest.mark.parametrize(("name", "file"), FAILED, ids=lambda value: getattr(value, "name", value))
def test_what_once_failed_is_refused_or_read(name, file):
    attempt(TARGETS[name], file.read_bytes())


@pytest.mark.parametrize("name", OF_VALUES)
def test_each_value_of_another_kind_is_refused_or_read(name):
    for seed in seeds(name):
        for match in VALUE.finditer(seed):
            for other in KINDS:
                attempt(TARGETS[name], seed[: match.start()] + other + seed[match.end() :])


@pytest.mark.parametrize("name", TARGETS)
def test_changed_seeds_are_refused_or_read(name):
    kept = seeds(name)

    @settings(
        max_examples=_CHANGES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, len(kept) - 1), EDITS)
    def once(number, edits):
        attempt(TARGETS[name], changed(kept[number], edits))

    once()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("target", "name"), LARGE)
def test_large_inputs_take_neither_for_ever_nor_all_memory(target, name):
    content = SIZES[target][name]()
    data = content if isinstance(content, bytes) else content.encode()
    attempt(TARGETS[target], seeds(target)[0])  # imports, and models that are made once
    tracemalloc.start()
    try:
        attempt(TARGETS[target], data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(data) + _CONSTANT


def test_the_corpus_is_small_and_of_known_targets():
    assert sum(file.stat().st_size for _, file in FAILED) < 100_000
    assert {name for name, _ in FAILED} <= {*TARGETS, "pack", "merge", "canonical_hash"}
