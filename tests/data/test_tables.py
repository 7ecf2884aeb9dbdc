import gzip
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngae.dag import Dag
from ngae.data import DataConfig, Table, load
from ngae.data.split import split_rows
from ngae.errors import DataError, ParseError, UsageError
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)
RNG = np.random.default_rng(0)
DAGS = list({SPACE.sample(RNG): None for _ in range(40)})[:30]
TEXT = "".join(f"{SPACE.format(dag)}, {i / 100}\n" for i, dag in enumerate(DAGS))
DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
ENAS6 = DATA / "enas6" / "final_structures6.txt"


def _same(path, **settings):
    table = load(str(path), **settings).table
    assert tuple(table.dags) == tuple(DAGS)
    np.testing.assert_array_equal(table.performance, np.arange(30) / 100)
    return table


@pytest.mark.parametrize(
    "text",
    [TEXT, TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT, TEXT.rstrip(), TEXT.replace("\n", "\n\n")],
    ids=["plain", "CRLF", "mark", "no last newline", "blank lines"],
)
def test_text_forms_are_read_alike(tmp_path, text):
    path = tmp_path / "t.txt"
    path.write_bytes(text.encode())
    table = _same(path)
    assert table.complexity_names == ("params", "macs")
    np.testing.assert_array_equal(table.complexity, SPACE.complexity(DAGS))


def test_csv_json_lines_and_gzip_give_the_same_table(tmp_path):
    rows = [(SPACE.format(dag), i / 100, 7 * i) for i, dag in enumerate(DAGS)]
    csv = 'net,acc,"cost"\n' + "".join(f'"{a}",{p},{c}\n' for a, p, c in rows)
    forms = [
        {"net": json.loads(a) if i % 3 else a, "acc": p, "cost": c}
        for i, (a, p, c) in enumerate(rows)
    ]
    forms[1]["net"] = DAGS[1].as_dict()
    jsonl = "".join(json.dumps(form) + "\n" for form in forms)
    (tmp_path / "t.csv").write_text(csv)
    (tmp_path / "t.jsonl").write_text(jsonl)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(csv.encode()))
    names = {"arch_col": "net", "performance_col": "acc", "complexity_col": "cost"}
    for name in ("t.csv", "t.jsonl", "t.csv.gz"):
        table = _same(tmp_path / name, **names)
        assert table.complexity[:, 0].tolist() == [7.0 * i for i in range(30)]
        assert table.performance_name == "acc"


def test_an_empty_table_has_the_columns_of_its_space():
    table = Table.empty(SPACE)
    assert len(table) == len(table.dags) == len(table.hashes) == len(table.labelled) == 0
    assert table.space is SPACE
    assert (table.performance_name, table.complexity_names) == ("performance", ("params", "macs"))
    assert (table.performance.shape, table.complexity.shape) == ((0,), (0, 2))
    assert table.lines.shape == (0,) and table.lines.dtype == np.int64
    assert len(table.subset(np.zeros(0, dtype=np.int64))) == 0


def test_burn_in_is_skipped_and_said(tmp_path):
    (tmp_path / "t.txt").write_text(TEXT)
    data = load(str(tmp_path / "t.txt"), burn_in=10)
    assert tuple(data.table.dags) == tuple(DAGS[10:])
    assert data.table.lines[0] == 11
    assert data.notes[0] == "burn-in: the first 10 rows were skipped"


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl"])
def test_rows_of_the_burn_in_may_be_broken(tmp_path, suffix):
    rows = [(SPACE.format(dag), i / 100) for i, dag in enumerate(DAGS)]
    heads = {".txt": "", ".csv": "arch,performance\n", ".jsonl": ""}
    forms = {
        ".txt": lambda arch, value: f"{arch}, {value}\n",
        ".csv": lambda arch, value: f'"{arch}",{value}\n',
        ".jsonl": lambda arch, value: json.dumps({"arch": arch, "performance": value}) + "\n",
    }
    path = tmp_path / f"t{suffix}"
    broken = '# started\n"[[9]],0.5\n'
    path.write_text(heads[suffix] + broken + "".join(forms[suffix](*row) for row in rows))
    assert _same(path, burn_in=2).lines[0] == (4 if suffix == ".csv" else 3)


def test_the_space_is_the_one_of_most_rows_and_of_the_first_in_doubt(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("[[1], [2, 0]], 0.5\n" + TEXT)
    with pytest.raises(DataError, match=r"t\.txt:1:13: expected 3 layers, found 2$"):
        load(str(path))
    path.write_text(TEXT.splitlines()[0] + "\n[[1], [2, 0]], 0.5\n")
    with pytest.raises(DataError, match=r"t\.txt:2:13: expected 3 layers, found 2$"):
        load(str(path))


def test_two_distinct_graphs_can_always_be_split(make_table):
    table = make_table(2, SPACE).subset(np.array([0] + [1] * 9))
    for seed in range(30):
        train, test = split_rows(table, DataConfig(split_seed=seed))
        assert len(train)
        assert len(test)
        assert sorted([*train, *test]) == list(range(10))


@pytest.mark.parametrize(("rows", "train", "found"), [(1, 0, "0 and 1"), (3, 3, "3 and 0")])
def test_one_empty_part_is_an_error(make_table, rows, train, found):
    config = DataConfig(split="published", train_rows=train)
    with pytest.raises(DataError, match=f"training and testing, found {found} of {rows}"):
        split_rows(make_table(rows, SPACE), config)


def test_repeated_rows_are_kept_and_said(tmp_path):
    (tmp_path / "t.txt").write_text(TEXT + TEXT.splitlines()[4])
    data = load(str(tmp_path / "t.txt"))
    assert len(data.table) == 31
    assert data.table.duplicates() == [[4, 30]]
    assert "such as lines 5, 31" in data.notes[0]


def test_distinct_split_keeps_equal_graphs_on_one_side(make_table):
    table = make_table(40, SPACE)
    doubled = table.subset(np.tile(np.arange(40), 3))
    train, test = split_rows(doubled, DataConfig(split_seed=3, test_fraction=0.3))
    sides = {doubled.hashes[r] for r in train} & {doubled.hashes[r] for r in test}
    assert not sides
    assert sorted([*train, *test]) == list(range(120))
    again = split_rows(doubled, DataConfig(split_seed=3, test_fraction=0.3))
    assert np.array_equal(train, again[0])
    other = split_rows(doubled, DataConfig(split_seed=4, test_fraction=0.3))
    assert not np.array_equal(train, other[0])


def test_a_missing_file_tells_where_to_look(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv: expected a file, found nothing") as caught:
        load(str(tmp_path / "gone.csv"))
    assert "`ngae data list`" in caught.value.remedy


def test_unknown_names_and_suffixes_are_refused(tmp_path):
    known = r"expected one of digits6, enas6, .*, or a file that ends in \.txt, .*; found"
    with pytest.raises(UsageError, match=f"{known} neither a known name nor a file") as caught:
        load("digits7")
    assert caught.value.remedy == "did you mean digits6?"
    with pytest.raises(UsageError, match=f"--data nosuch: {known}") as caught:
        load("nosuch")
    assert caught.value.remedy == "`ngae data list` shows the tables"
    (tmp_path / "table.xlsx").write_text("")
    with pytest.raises(UsageError, match=rf"{known} a file that ends in \.xlsx"):
        load(str(tmp_path / "table.xlsx"))
    with pytest.raises(UsageError, match=f"{known} a folder"):
        load(str(tmp_path))
    with pytest.raises(UsageError, match="expected a known setting"):
        load(arch_column="x")


@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.sampled_from("[]0159, -x"))
def test_any_change_of_a_text_is_an_architecture_or_a_parse_error(seed, place, character):
    text = SPACE.format(SPACE.sample(np.random.default_rng(seed)))
    changed = text[:place] + character + text[place + 1 :]
    try:
        dag = SPACE.parse(changed)
    except ParseError as error:
        assert 1 <= error.column <= len(changed) + 1
    else:
        assert isinstance(dag, Dag)
        assert SPACE.is_valid(dag)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_random_architectures_come_back_from_their_text(seed, layers):
    space = EnasSpace(layers)
    dag = space.sample(np.random.default_rng(seed))
    assert space.parse(space.format(dag)) == dag


@pytest.mark.skipif(not ENAS6.exists(), reason="the ENAS table is not here")
def test_published_split_of_the_enas_table():
    data = load(str(ENAS6), burn_in=1000, split="published")
    assert (len(data.train), len(data.test)) == (17_118, 1_902)
    assert len(set(data.table.hashes)) == 19_015
    assert data.table.performance.mean() == pytest.approx(0.73630, abs=1e-5)
    assert data.train.performance.std() == pytest.approx(0.00614, abs=2e-5)
    assert data.table.lines[0] == 1001
    assert len(data.table.duplicates()) == 5
    order = list(range(19_020))
    random.Random(0).shuffle(order)
    lines = ENAS6.read_text().splitlines()[1000:]
    first, accuracy = lines[order[17_118]].rsplit(", ", 1)
    assert data.space.format(data.test[0].dag) == first
    assert data.test[0].performance == float(accuracy)


@pytest.mark.skipif(not ENAS6.exists(), reason="the ENAS table is not here")
def test_the_row_that_a_known_copy_of_the_enas_table_breaks_is_named(tmp_path):
    lines = ENAS6.read_text().splitlines()[:1100]
    layers, accuracy = lines[1000].rsplit(", ", 1)
    lines[1000] = f"{layers[: layers.rindex(', [')]}], {accuracy}"
    path = tmp_path / "t.txt"
    path.write_text("\n".join(lines))
    place = len(lines[1000].rsplit(",", 1)[0])
    message = rf"t\.txt:1001:{place}: expected 6 layers, found 5$"
    with pytest.raises(DataError, match=message):
        load(str(path), burn_in=1000)
