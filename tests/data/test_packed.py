"""Packed tables: the same table, broken files, columns; and what large tables need not hold."""

import json
import random

import numpy as np
import pytest

from ngae.cli import main
from ngae.dags import Dags
from ngae.data import DataConfig, load
from ngae.data.arrays_file import read_arrays, write_arrays
from ngae.data.packed import read_packed
from ngae.data.raw import Problems
from ngae.data.split import split_rows
from ngae.errors import DataError, NgaeError, RefusedError, UsageError
from ngae.forms import Form
from ngae.spaces.enas import EnasSpace

SPACE = """
from torch import nn
from ngae.spaces import Cell

class Mine(Cell):
    operations = {"conv": lambda: nn.Conv2d(3, 3, 3, padding=1), "relu": nn.ReLU}
    max_operations = 4
"""
COLUMNS = ["--performance-col", "loss", "--lower-is-better", "--report-col", "test"]
ROWS = 30


@pytest.fixture
def table(tmp_path):
    """A CSV file with two rows of one architecture, and one without a performance."""
    space, rng = EnasSpace(4), np.random.default_rng(0)
    dags = list({space.sample(rng): None for _ in range(4 * ROWS)})[: ROWS - 1]
    dags.append(dags[3])
    lines = ["arch,loss,latency,test\n"]
    for row, dag in enumerate(dags):
        loss = "" if row == 5 else f"{row % (ROWS - 4)}"
        lines.append(f'"{space.format(dag)}",{loss},{len(dag.edges)},{row}.5\n')
    path = tmp_path / "t.csv"
    path.write_text("".join(lines))
    return path


def pack(table, *flags):
    target = table.with_suffix(".packed")
    both = ["--missing", "keep", "--repeats", "keep"]
    assert main(["data", "pack", str(table), str(target), *COLUMNS, *both, *flags]) == 0
    return target


def equal(one, other):
    columns = ("performance", "complexity", "lines", "digests")
    arrays = ("node_type", "graph_ptr", "edge_src", "edge_dst", "edge_ptr")
    return (
        all(np.array_equal(getattr(one, n), getattr(other, n), equal_nan=True) for n in columns)
        and all(np.array_equal(getattr(one.dags, n), getattr(other.dags, n)) for n in arrays)
        and one.reported.keys() == other.reported.keys()
        and all(np.array_equal(one.reported[n], other.reported[n]) for n in one.reported)
        and one.complexity_names == other.complexity_names
        and one.performance_name == other.performance_name
        and one.space.identity == other.space.identity
    )


@pytest.mark.parametrize("complexity", ["", "latency", "none"])
def test_a_packed_table_is_the_same_table(table, complexity, capsys):
    flags = ["--complexity-col", complexity] if complexity else []
    packed = pack(table, *flags)
    assert f"{packed}: {ROWS} rows, space enas4" in capsys.readouterr().out
    settings = {
        "performance_col": "loss", "lower_is_better": True, "report_col": "test",
        "missing": "keep", "repeats": "keep", "complexity_col": complexity,
    }  # fmt: skip
    text, mapped = load(str(table), **settings), load(str(packed), **settings)
    assert equal(mapped.table, text.table)
    assert mapped.fingerprint == text.fingerprint
    assert mapped.notes == text.notes
    assert [tuple(dag.edges) for dag in mapped.test.dags] == [
        tuple(dag.edges) for dag in text.test.dags
    ]
    assert not mapped.table.performance.flags.writeable


def test_columns_are_chosen_as_those_of_a_text(table):
    packed = str(pack(table, "--complexity-col", "latency"))
    plain = load(packed).table
    assert (plain.performance_name, plain.reported) == ("-loss", {})
    assert plain.complexity_names == EnasSpace(4).complexity_names  # computed by default
    assert np.array_equal(plain.complexity, EnasSpace(4).complexity(plain.dags))
    bare = load(packed, performance_col="none", complexity_col="none").table
    assert np.isnan(bare.performance).all()
    assert (bare.performance_name, bare.complexity.shape) == ("", (ROWS, 0))
    for setting, message in (
        ({"performance_col": "acc"}, "--performance-col: expected one of -loss, found acc"),
        ({"complexity_col": "flops"}, "--complexity-col: expected one of latency, found flops"),
        ({"report_col": "latency"}, "--report-col: expected one of test, found latency"),
        ({"burn_in": 3}, "expected no settings of a text, found --burn-in"),
    ):
        with pytest.raises(UsageError, match=message):
            load(packed, **setting)


def test_equal_tables_give_equal_bytes_and_none_is_replaced(table):
    packed = pack(table)
    content = packed.read_bytes()
    assert main(["data", "pack", str(table), str(packed)]) == 4
    assert packed.read_bytes() == content
    assert pack(table, "--overwrite").read_bytes() == content
    assert main(["data", "pack", str(table), str(table.with_suffix(".bin"))]) == 2


def test_a_space_of_ones_own_is_named_again(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(SPACE)
    (tmp_path / "t.csv").write_text("arch,performance\nconv(0) output(1),1\nrelu(0) output(1),2\n")
    space = str(tmp_path / "mine.py:Mine")
    packed = str(tmp_path / "t.packed")
    assert main(["data", "pack", str(tmp_path / "t.csv"), packed, "--space", space]) == 0
    assert f"next: ngae train --data {packed} --space {space}" in capsys.readouterr().err
    assert len(load(packed, space=space, test_fraction=0.5).train) == 1
    with pytest.raises(UsageError, match=r"expected --space, .* mine\.py:Mine, which is code"):
        load(packed)
    (tmp_path / "mine.py").write_text(SPACE.replace("max_operations = 4", "max_operations = 5"))
    (tmp_path / "other.py").write_text(SPACE.replace("max_operations = 4", "max_operations = 5"))
    with pytest.raises(RefusedError, match=r"expected graphs of other\.py:Mine"):
        load(packed, space=str(tmp_path / "other.py:Mine"))


def test_broken_files_are_named(table, tmp_path):
    packed = pack(table)
    content, broken = packed.read_bytes(), tmp_path / "broken.packed"
    rng = random.Random(0)
    cases = [b"", b"\0" * 20, b"arch,performance\n", content[:100], content[:-1], content + b"x"]
    for _ in range(60):
        place = rng.randrange(len(content))
        cases.append(content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)])
                     + content[place + 1 :])  # fmt: skip
    for case in cases:
        broken.write_bytes(case)
        if case == content + b"x":
            assert equal(load(str(broken)).table, load(str(packed)).table)
            continue
        with pytest.raises(NgaeError, match=r"broken\.packed: (--|expected)"):
            read_packed(str(broken), DataConfig())
    with pytest.raises(DataError, match="expected a file, found nothing of that name"):
        load(str(tmp_path / "no.packed"))
    with pytest.raises(DataError, match="found a folder"):
        (tmp_path / "folder.packed").mkdir()
        load(str(tmp_path / "folder.packed"))


FORGED = {
    "node_type": lambda a: a + 200,
    "graph_ptr": lambda a: a[::-1],
    "edge_ptr": lambda a: a.astype(np.uint32),
    "edge_src": lambda a: a + 1,
    "edge_dst": lambda a: a + 9,
    "performance": lambda a: a[1:],
    "complexity": lambda a: a[:, :1],
    "lines": lambda a: a.astype(np.float64),
    "digests": lambda a: a[:, :8],
    "reported.test": lambda a: a.astype(np.int64),
}


@pytest.mark.parametrize("name", FORGED)
def test_arrays_that_lead_nowhere_are_refused_whatever_the_digest_says(table, tmp_path, name):
    arrays, facts = read_arrays(pack(table), Problems("t"))
    forged = tmp_path / "forged.packed"
    write_arrays(forged, {**arrays, name: FORGED[name](arrays[name])}, facts)
    with pytest.raises(DataError, match=r"forged\.packed: expected"):
        read_packed(str(forged), DataConfig())
    write_arrays(forged, {n: a for n, a in arrays.items() if n != name}, facts)
    with pytest.raises(DataError, match=r"forged\.packed: expected"):
        read_packed(str(forged), DataConfig())
    del facts["computed"]
    write_arrays(forged, arrays, facts)
    with pytest.raises(DataError, match="expected the facts of a packed table"):
        read_packed(str(forged), DataConfig())


def test_a_later_form_is_refused(table, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr("ngae.data.arrays_file._FORM", Form("table", 2))
        packed = pack(table)
    before = packed.read_bytes()
    wanted = "expected a table of form ngae-table-1 or lower, found ngae-table-2"
    with pytest.raises(RefusedError, match=wanted):
        load(str(packed))
    assert packed.read_bytes() == before


def test_a_run_of_a_packed_table_is_that_of_its_text(table, tmp_path):
    packed = pack(table)
    small = ["--hidden-dim", "8", "--latent-dim", "4", "--head-dim", "8", "--predictor-dim", "8"]
    few = ["--prior-points", "5", "--protocol-points", "2", "--epochs", "1"]
    both = ["--missing", "keep", "--repeats", "keep"]
    for name, path in (("text", table), ("packed", packed)):
        out = ["--out", str(tmp_path / name)]
        assert main(["train", "--data", str(path), *COLUMNS, *both, *small, *few, *out]) == 0
    found = [json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("text", "packed")]
    for name in ("reconstruction", "prior", "performance", "complexity", "latent"):
        assert found[0][name] == found[1][name]


def _cut_one_by_one(table, order, cut):
    """What `split` does, row by row."""
    groups = {}
    for row in order:
        groups.setdefault(int(table.first_rows[row]), []).append(row)
    train, test = [], []
    for rows in groups.values():
        (train if len(train) < cut else test).extend(rows)
    if not test and len(groups) > 1:
        test = [*groups.values()][-1]
        train = train[: -len(test)]
    return train, test


def test_groups_of_equal_graphs_are_split_as_one_by_one(make_table):
    distinct = make_table(25, EnasSpace(3))
    rng = np.random.default_rng(1)
    for case in range(40):
        rows = rng.integers(0, rng.integers(2, 26), rng.integers(4, 60))
        table = distinct.subset(rows)
        cut = int(rng.integers(1, len(rows) + 5))
        order = list(range(len(rows)))
        random.Random(case).shuffle(order)
        train, test = _cut_one_by_one(table, order, cut)
        if len(set(rows.tolist())) == len(rows):
            train, test = order[:cut], order[cut:]
        config = DataConfig(split_seed=case, train_rows=cut)
        if train and test:
            found = split_rows(table, config)
            assert [part.tolist() for part in found] == [train, test]
        else:
            with pytest.raises(DataError):
                split_rows(table, config)


def test_rows_are_hashed_once(make_table, monkeypatch):
    table = make_table(6, EnasSpace(3))
    expected = table.subset(np.array([4, 1])).digests
    assert len(table.first_rows) == 6

    def refuse(dags):
        raise AssertionError("hashed again")

    monkeypatch.setattr(Dags, "digests", refuse)
    assert np.array_equal(table.subset(np.array([4, 1])).digests, expected)
