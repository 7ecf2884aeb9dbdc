import argparse
from dataclasses import dataclass
from typing import Literal

import pytest

from ngae import settings
from ngae.errors import UsageError
from ngae.settings import setting


@dataclass(frozen=True)
class Example:
    width: int = setting(3, "width", "--hs", least=1)
    rate: float = setting(0.5, "rate", most=1)
    kind: Literal["a", "b"] = setting("a", "kind")
    both: bool = setting(True, "both ways")

    def __post_init__(self) -> None:
        settings.check_ranges(self)


def test_flags_are_kebab_case_with_aliases_and_no_defaults():
    parser = argparse.ArgumentParser()
    settings.add_flags(parser, Example, "example")
    assert settings.given_flags(parser.parse_args([]), Example) == {}
    given = parser.parse_args(["--hs", "4", "--rate", "0.25", "--kind", "b", "--no-both"])
    values = settings.given_flags(given, Example)
    assert settings.make(Example, values, "flags") == Example(4, 0.25, "b", False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 3}, "expected a known setting, found 'widht'"),
        ({"width": "3"}, "expected int, found str '3'"),
        ({"width": True}, "expected int, found bool True"),
        ({"width": 0}, r"--width: expected a number from 1, found 0"),
        ({"rate": 2}, r"--rate: expected a number up to 1, found 2"),
        ({"rate": float("nan")}, "--rate: expected a number up to 1, found nan"),
        ({"kind": "c"}, "expected one of a, b, found 'c'"),
        ({"width": 10**400}, r"--width: expected a number from 1, found 1000.*\.\.\.$"),
        ({"width": 1 << 20_000}, "--width: expected a number from 1, found a very long int"),
        ({"rate": 10**400}, r"file: rate: expected float, found int 1000.*\.\.\.$"),
        ({"width": "3" * 900}, r"expected int, found str '3{37}\.\.\.'"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(UsageError, match=message):
        settings.make(Example, values, "file")


def test_a_misspelt_name_gets_the_nearest_one():
    with pytest.raises(UsageError) as caught:
        settings.make(Example, {"widht": 3}, "file")
    assert caught.value.remedy == "did you mean width?"


def test_files_are_read_and_refused(tmp_path):
    (tmp_path / "a.toml").write_text("[model]\nwidth = 4\n")
    (tmp_path / "a.json").write_text('{"model": {"width": 5}}')
    (tmp_path / "bad.toml").write_text("width = 4\n")
    assert settings.read_file(tmp_path / "a.toml") == {"model": {"width": 4}}
    assert settings.read_file(tmp_path / "a.json") == {"model": {"width": 5}}
    with pytest.raises(UsageError, match="expected sections"):
        settings.read_file(tmp_path / "bad.toml")
    with pytest.raises(UsageError, match=r"none\.toml"):
        settings.read_file(tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["a.toml", "a.json"])
def test_files_that_are_nested_without_end_are_refused(tmp_path, name):
    head = "[model]\nwidth = " if name == "a.toml" else '{"model": '
    (tmp_path / name).write_text(head + "[" * 100_000)
    with pytest.raises(UsageError, match=f"{name}: expected a TOML or JSON file: maximum recurs"):
        settings.read_file(tmp_path / name)


def test_names_of_many_parts_are_refused_before_they_fill_the_memory(tmp_path):
    (tmp_path / "a.toml").write_text("[model]\nwidth = 4 # " + "." * 999 + "\n")
    assert settings.read_file(tmp_path / "a.toml") == {"model": {"width": 4}}
    (tmp_path / "a.toml").write_text("a." * 30_000 + "a = 1")
    with pytest.raises(UsageError, match="found more than 1000 dots"):
        settings.read_file(tmp_path / "a.toml")


def test_later_sections_win_value_by_value():
    first = {"a": {"x": 1, "y": 2}}
    assert settings.merged([first, {"a": {"y": 3}, "b": {"z": 4}}]) == {
        "a": {"x": 1, "y": 3},
        "b": {"z": 4},
    }
    assert first == {"a": {"x": 1, "y": 2}}
