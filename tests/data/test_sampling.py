"""Tables of architectures drawn at random."""

import pytest

from ngae.commands import data as data_command
from ngae.data import load
from ngae.data.sampling import draw_distinct
from ngae.spaces import space_named

SPACES = ["enas3", "enas2-4", "nas-bench-101", "nas-bench-201", "nas-bench-graph", "recurrent"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("name", SPACES)
def test_what_is_written_is_read(name, form, tmp_path, capsys):
    path = tmp_path / f"t.{form}"
    assert data_command.main(["sample", name, str(path), "--rows", "60", "--seed", "3"]) == 0
    assert f"{path}: 60 rows, space {name}" in capsys.readouterr().out
    table = load(str(path), space=name, performance_col="none").table
    assert len(set(table.hashes)) == 60
    assert table.hashes == tuple(draw_distinct(space_named(name), 60, 3).hashes())
    if name != "enas2-4":  # rows of several sizes need the space's name
        assert load(str(path), performance_col="none").space.name == name


def test_a_small_space_is_given_whole(tmp_path, capsys):
    path = tmp_path / "t.csv"
    assert data_command.main(["sample", "enas1", str(path), "--rows", "50"]) == 0
    found = capsys.readouterr()
    assert "no more than 6 distinct" in found.err
    assert "6 rows" in found.out


def test_files_are_not_replaced_by_mistake(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("mine")
    assert data_command.main(["sample", "enas2", str(path)]) == 4
    assert path.read_text() == "mine"
    assert data_command.main(["sample", "enas2", str(path), "--overwrite", "--rows", "5"]) == 0
    assert data_command.main(["sample", "enas2", str(tmp_path / "t.txt")]) == 2
    assert data_command.main(["sample", "enas2", str(path), "--rows", "0"]) == 2
    assert data_command.main(["sample", "darts", str(path)]) == 2


def test_drawn_and_known_rows_may_stand_in_one_file(tmp_path):
    """Rows without the key of the performance are unlabelled ones, where that is allowed."""
    path = tmp_path / "t.jsonl"
    data_command.main(["sample", "enas3", str(path), "--rows", "20"])
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace("}", ', "acc": 0.5}')
    path.write_text("\n".join(lines))
    table = load(str(path), performance_col="acc", missing="keep").table
    assert table.labelled.tolist() == [4]
