"""Columns of all kinds: several for an architecture, joined files, reported, missing, negated."""

import json

import numpy as np
import pytest

from ngae.data import load
from ngae.errors import DataError, UsageError
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
RNG = np.random.default_rng(0)
DAGS = list({SPACE.sample(RNG): None for _ in range(40)})[:30]
ROWS = [(i, SPACE.format(dag), i / 100, 30 - i) for i, dag in enumerate(DAGS)]
CSV = "id,arch,val,cost\n" + "".join(f'{i},"{a}",{p},{c}\n' for i, a, p, c in ROWS)
FURTHER = "id,phone,test\n" + "".join(f"{i},{i + 0.5},{90 - i}\n" for i in range(29, -1, -1))


@pytest.fixture
def table_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    return path


def _table(path, **settings):
    return load(str(path), **{"performance_col": "val", **settings}).table


def test_columns_of_a_further_file_are_matched_by_the_shared_one(table_file, tmp_path):
    further = tmp_path / "f.csv"
    further.write_text(FURTHER)
    table = _table(table_file, complexity_col="cost,phone", report_col="test", join=str(further))
    assert table.complexity_names == ("cost", "phone")
    np.testing.assert_array_equal(table.complexity[:, 1], np.arange(30) + 0.5)
    np.testing.assert_array_equal(table.reported["test"], 90.0 - np.arange(30))
    part = table.subset(np.array([3, 1]))
    assert part.reported["test"].tolist() == [87, 89]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FURTHER.replace("\n7,7.5,83", ""), r"t\.csv:9:1: expected a id of .*f\.csv, found '7'"),
        (FURTHER + "3,1,1\n", r"f\.csv:32:1: expected each id once, found 3 twice"),
        (
            FURTHER.replace("\n7,7.5,", "\n7,fast,"),
            r"f\.csv:24:3: expected a finite number, found 'fast'",
        ),
        (
            FURTHER.replace("\n7,7.5,", "\n7,-7,"),
            r"f\.csv:24:3: expected a number from 0, found '-7'",
        ),
    ],
)
def test_further_files_that_do_not_fit_are_named(table_file, tmp_path, text, message):
    further = tmp_path / "f.csv"
    further.write_text(text)
    with pytest.raises(DataError, match=message):
        _table(table_file, complexity_col="phone", join=str(further))


def test_a_further_file_needs_a_shared_column(table_file, tmp_path):
    further = tmp_path / "f.csv"
    further.write_text(FURTHER.replace("id", "number"))
    with pytest.raises(UsageError, match="expected a column of the table"):
        _table(table_file, complexity_col="phone", join=str(further))
    with pytest.raises(UsageError, match=r"ends in \.csv"):
        _table(table_file, complexity_col="phone", join="f.json")
    with pytest.raises(DataError, match="expected a column phone"):
        _table(table_file, complexity_col="phone")


@pytest.mark.parametrize(
    ("head", "flags", "remedy"),
    [
        ("arch,number,acc", {}, "pass --performance-col acc"),
        ("arch,params,Val_Accuracy", {}, "pass --performance-col Val_Accuracy"),
        ("arch,acc,performence", {}, "pass --performance-col performence"),
        ("arch,number,macs", {}, "name a column with --performance-col; --performance-col none "
         "reads a table without labels"),
        ("cell,acc", {"performance_col": "acc"}, "name a column with --arch-col"),
        ("arch,acc,parms", {"performance_col": "acc", "complexity_col": "params"},
         "pass --complexity-col parms"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_missing_column_tells_the_flag(tmp_path, head, flags, remedy, suffix):
    path, names = tmp_path / f"t{suffix}", head.split(",")
    cells = ["[[1]]", *"0" * (len(names) - 1)]
    row = json.dumps(dict(zip(names, cells, strict=True)))
    path.write_text(f"{head}\n{','.join(cells)}\n" if suffix == ".csv" else row)
    with pytest.raises(DataError) as caught:
        load(str(path), space="enas1", **flags)
    assert caught.value.remedy == remedy
    assert f"{', '.join(names)}'" in str(caught.value)


def test_all_columns_are_listed_where_one_is_missing(tmp_path):
    names = ["arch", *(f"column_{i}" for i in range(30))]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n")
    with pytest.raises(DataError, match=", ".join(names)):
        load(str(tmp_path / "t.csv"))


def test_lower_is_better_negates(table_file):
    table = _table(table_file, lower_is_better=True)
    np.testing.assert_array_equal(table.performance, -np.arange(30) / 100)
    assert table.performance_name == "-val"


def test_without_labels_and_without_costs(table_file):
    table = _table(table_file, performance_col="none", complexity_col="none")
    assert np.isnan(table.performance).all()
    assert len(table.labelled) == 0
    assert table.complexity.shape == (30, 0)
    data = load(str(table_file), performance_col="none")
    assert data.notes == (
        "30 of 30 rows have no performance; they are learned from as architectures",
    )


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_missing_performances_are_refused_or_kept(tmp_path, form):
    path = tmp_path / f"t.{form}"
    if form == "csv":
        path.write_text(CSV.replace(",0.04,", ",,"))
    else:
        rows = [{"arch": a, "val": None if i == 4 else p} for i, a, p, _ in ROWS]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"expected a finite number, found '(null)?'"):
        _table(path)
    table = _table(path, missing="keep")
    assert np.isnan(table.performance).nonzero()[0].tolist() == [4]
    assert len(table.labelled) == 29


def test_repeated_measurements_are_refused_or_kept(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CSV + f'30,"{ROWS[3][1]}",0.9,27\n')
    with pytest.raises(DataError, match=r"the performance of line 5, the same architecture: 0\.03"):
        _table(path)
    data = load(str(path), performance_col="val", repeats="keep")
    assert data.table.duplicates() == [[3, 30]]
    assert "repeat an architecture of another row (such as lines 5, 32)" in data.notes[0]


def test_rows_to_learn_from_by_number(table_file):
    data = load(str(table_file), performance_col="val", train_rows=7)
    assert (len(data.train), len(data.test)) == (7, 23)


def test_texts_of_several_sizes(tmp_path):
    space = EnasSpace(4, least_layers=2)
    rng = np.random.default_rng(1)
    dags = [space.sample(rng) for _ in range(50)]
    path = tmp_path / "t.csv"
    path.write_text("arch,performance\n" + "".join(f'"{space.format(d)}",{len(d)}\n' for d in dags))
    table = load(str(path), space="enas2-4", repeats="keep").table
    assert tuple(table.dags) == tuple(dags)
    assert {len(dag) for dag in table.dags} == {4, 5, 6}
    with pytest.raises(DataError, match=r"expected [345] layers, found"):
        load(str(path), repeats="keep")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"report_col": "val"}, "expected each column once, found val twice"),
        ({"complexity_col": "cost,cost"}, "found cost twice"),
        ({"arch_col": "none"}, "--arch-col: expected a column, found 'none'"),
    ],
)
def test_columns_that_contradict_are_refused(table_file, settings, message):
    with pytest.raises(UsageError, match=message):
        _table(table_file, **settings)


def test_a_column_in_two_further_files_is_refused(table_file, tmp_path):
    paths = [tmp_path / name for name in ("f.csv", "g.csv")]
    for path in paths:
        path.write_text(FURTHER)
    with pytest.raises(UsageError, match="the column phone in one file, found it in"):
        _table(table_file, complexity_col="phone", join=",".join(map(str, paths)))
    with pytest.raises(UsageError, match="expected a column that is wanted"):
        _table(table_file, join=str(paths[0]))


def test_a_number_over_two_lines_is_none(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CSV.replace(",0.04,", ',"0.5\n0.6",'))
    with pytest.raises(DataError, match=r"t\.csv:6:\d+: expected a finite number"):
        _table(path)


def test_an_object_in_a_later_column_is_named(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"links": "0-0-1-2", "ops": {}, "performance": 0.5}\n')
    with pytest.raises(DataError, match=r"t\.jsonl:1"):
        load(str(path))


def test_objects_tell_their_space_and_import_nothing(tmp_path):
    space = EnasSpace(4, least_layers=2)
    rng = np.random.default_rng(2)
    rows = [{"arch": space.sample(rng).as_dict(), "performance": i} for i in range(20)]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load(str(path), repeats="keep").space.name == "enas2-4"
    path.write_text(path.read_text().replace("enas2-4", "antigravity:Space"))
    with pytest.raises(DataError, match="a space that --space names, found antigravity:Space"):
        load(str(path), repeats="keep")


def test_embedded_tables_have_their_own_columns():
    with pytest.raises(
        UsageError, match=r"found --performance-col, --train-rows|--performance-col"
    ):
        load("digits6", performance_col="val")
    assert len(load("digits6", space="enas6", train_rows=100).train) == 100
