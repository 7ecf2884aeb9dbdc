"""Fetched tables are loaded by their names, with the columns that the catalog knows."""

import os
from pathlib import Path

import pytest

from ngae.commands import data as data_command
from ngae.data import DataConfig, load
from ngae.errors import DataError, UsageError

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_a_table_that_was_not_fetched_tells_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("NGAE_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="expected the table") as caught:
        load("enas6")
    assert caught.value.remedy == "ngae data get enas6"


def test_paths_become_absolute_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = DataConfig(data="a/t.csv", space="b/s.py:Mine", join="c.csv, /d/e.csv")
    found = config.located()
    assert found.data == str(tmp_path / "a" / "t.csv")
    assert found.space == f"{tmp_path}/b/s.py:Mine"
    assert found.join == f"{tmp_path}/c.csv,/d/e.csv"
    assert found.located() == found
    assert found.without_folders() == DataConfig(
        data="t.csv", space="s.py:Mine", join="c.csv,e.csv"
    )
    for name in ("digits6", "enas6"):
        named = DataConfig(data=name, space="my_module:Mine")
        assert named.located() == named.without_folders() == named


def test_a_loaded_table_keeps_its_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("".join(f"[[{i}]], 0.5\n" for i in range(6)))
    assert load("t.txt").config.data == str(tmp_path / "t.txt")
    assert load("t.txt").table.source == "t.txt"


def test_the_embedded_table_can_be_read_without_its_answers():
    bare = load("digits6", performance_col="none", complexity_col="none").table
    assert len(bare.labelled) == 0
    assert bare.complexity.shape == (len(bare), 0)
    assert bare.hashes == load("digits6").table.hashes
    with pytest.raises(UsageError, match="found --complexity-col"):
        load("digits6", performance_col="none", complexity_col="params")


@pytest.mark.skipif(not (DATA / "enas6").exists(), reason="the real ENAS table is not here")
def test_a_fetched_table_is_loaded_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NGAE_CACHE", str(tmp_path))
    assert data_command.main(["get", "enas6", "--from-dir", str(DATA / "enas6")]) == 0
    data = load("enas6", split="published")
    file = load(str(DATA / "enas6" / "final_structures6.txt"), burn_in=1000, split="published")
    assert data.name == "enas6"
    assert (len(data.train), len(data.test)) == (17_118, 1_902)
    assert data.fingerprint == file.fingerprint
    assert data_command.main(["list", "--json"]) == 0
    assert '"in cache"' in capsys.readouterr().out
