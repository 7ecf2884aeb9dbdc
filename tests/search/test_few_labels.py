"""Ranking from few labels: values on a space whose order is known, the command, its errors."""

import csv
import json

import numpy as np
import pytest

import ngae
from ngae.commands.rank import main
from ngae.dag import Dag
from ngae.data import load
from ngae.errors import UsageError
from ngae.evaluate.metrics import kendall_tau
from ngae.search.few_labels import _STREAM, FewLabelPredictor, fitted, measured
from ngae.spaces import space_named
from ngae.spaces.chain import Chain

CELLS = space_named("nas-bench-201")


class Long(Chain):
    operations = ("a", "b", "c")
    length = 138


def convolutions(dags):
    """Counts 3x3 convolutions that something reads."""
    found = [CELLS.format(CELLS.canonical(dag)).count("nor_conv_3x3") for dag in dags]
    return np.array(found, dtype=np.float64)


def drawn(count, seed):
    rng = np.random.default_rng(seed)
    return [CELLS.sample(rng) for _ in range(count)]


def test_forty_labels_of_a_simple_rule_rank_the_others():
    labelled, others = drawn(40, 0), drawn(400, 1)
    predictor = FewLabelPredictor(CELLS).fit(labelled, convolutions(labelled))
    mean, deviation = predictor.predict(others)
    assert kendall_tau(mean, convolutions(others)) > 0.8
    assert deviation.shape == (400,) and (deviation > 0).all()
    best = mean[convolutions(others) >= 4].mean()
    assert best > 0.8 > 0.4 > mean[convolutions(others) == 0].mean()


def test_a_second_fit_forgets_the_first_and_repeats_itself():
    labelled, others = drawn(30, 0), drawn(20, 1)
    values = convolutions(labelled)
    once = FewLabelPredictor(CELLS).fit(labelled, values).predict(others)
    twice = FewLabelPredictor(CELLS).fit(labelled, -values)
    twice = twice.fit(labelled, values).predict(others)
    np.testing.assert_array_equal(once[0], twice[0])
    np.testing.assert_array_equal(once[1], twice[1])


def test_only_the_order_of_labels_counts():
    labelled, others = drawn(30, 0), drawn(20, 1)
    values = convolutions(labelled)
    mean, _ = FewLabelPredictor(CELLS).fit(labelled, values).predict(others)
    same, _ = FewLabelPredictor(CELLS).fit(labelled, np.exp(values)).predict(others)
    np.testing.assert_array_equal(mean, same)


def test_lengths_of_many_labels_are_those_of_some_spread_over_their_order():
    rng = np.random.default_rng(0)
    group = rng.standard_normal((1200, 3))
    ranks = (group[:, 0].argsort().argsort() + 0.5) / 1200
    process = fitted({"z": group}, ranks)
    assert process.weights.shape == (1200,)
    fresh = rng.standard_normal((300, 3))
    assert kendall_tau(process.predict({"z": fresh})[0], fresh[:, 0]) > 0.97


@pytest.mark.parametrize(
    ("dags", "values"),
    [(1, [0.5]), (3, [0.1, 0.2]), (2, [0.1, np.nan]), (0, [])],
)
def test_labels_that_are_none_are_refused(dags, values):
    with pytest.raises(UsageError, match="expected two or more architectures"):
        FewLabelPredictor(CELLS).fit(drawn(dags, 0), np.array(values))


def test_nothing_is_predicted_before_anything_is_learned():
    with pytest.raises(UsageError, match="expected labels, found none"):
        FewLabelPredictor(CELLS).predict(drawn(2, 0))


def test_no_architecture_gives_no_prediction():
    labelled = drawn(5, 0)
    mean, deviation = FewLabelPredictor(CELLS).fit(labelled, np.arange(5.0)).predict([])
    assert mean.shape == deviation.shape == (0,)


def test_labels_are_drawn_by_the_seed_and_never_tested_on():
    table = load("digits6").table.subset(np.arange(120))
    found = measured(table, [20, 60], 3, seed=5)
    again = measured(table, [20, 60], 3, seed=5)
    other = measured(table, [20, 60], 3, seed=6)
    assert found == again != other
    assert found["20"]["tested"] == 100 and found["60"]["tested"] == 60
    assert -1 <= found["20"]["kendall_tau"] < found["60"]["kendall_tau"] <= 1


def test_a_predicted_rank_stands_for_the_performance_of_the_labels_there():
    table = load("digits6").table.subset(np.arange(120))
    found = measured(table, [40], 1, seed=5)["40"]
    order = np.random.default_rng([5, _STREAM, 40, 0]).permutation(120)
    learned, tested = order[:40], order[40:]
    dags, performance = list(table.dags), table.performance
    predictor = FewLabelPredictor(table.space).fit([dags[i] for i in learned], performance[learned])
    mean, _ = predictor.predict([dags[i] for i in tested])
    values = np.interp(mean, np.linspace(0, 1, 40), np.sort(performance[learned]))
    expected = np.corrcoef(values, performance[tested])[0, 1]
    assert found["pearson_r"] == pytest.approx(expected) and expected > 0.3


def test_too_many_labels_leave_nothing_to_test_on():
    table = load("digits6").table.subset(np.arange(20))
    with pytest.raises(UsageError, match="expected numbers from 2 to 18, found 19"):
        measured(table, [19], 1)


def test_more_paths_than_a_single_precision_number_holds_are_ranked():
    space, rng = Long(), np.random.default_rng(0)
    nodes = 140
    edges = (*((u, v) for v in range(1, nodes - 1) for u in range(v)), (nodes - 2, nodes - 1))
    dags = [Dag((0, *rng.integers(2, 5, size=138).tolist(), 1), edges, space) for _ in range(12)]
    counts = np.array([float(dag.node_types.count(2)) for dag in dags])
    mean, deviation = FewLabelPredictor(space).fit(dags[:8], counts[:8]).predict(dags[8:])
    assert np.isfinite(mean).all() and np.isfinite(deviation).all()


def test_constant_labels_give_no_number_in_json(tmp_path, capsys):
    path = tmp_path / "same.csv"
    texts = [CELLS.format(dag) for dag in dict.fromkeys(drawn(12, 0))]
    path.write_text("arch_str,acc\n" + "".join(f"{text},0.5\n" for text in texts))
    flags = ["--data", str(path), "--performance-col", "acc", "--labels", "5", "--json"]
    assert main(flags) == 0
    assert json.loads(capsys.readouterr().out)["5"]["kendall_tau"] is None


def test_the_class_is_public():
    assert ngae.FewLabelPredictor is FewLabelPredictor


@pytest.fixture
def table(tmp_path):
    """Eighty cells, of which sixty have a performance."""
    path = tmp_path / "cells.csv"
    dags = list(dict.fromkeys(drawn(90, 0)))[:80]
    values = convolutions(dags)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["arch_str", "acc"])
        for number, (dag, value) in enumerate(zip(dags, values, strict=True)):
            rows.writerow([CELLS.format(dag), "" if number >= 60 else value])
    return path


def test_the_command_ranks_rows_without_a_performance(table, tmp_path, capsys):
    out = tmp_path / "ranked.csv"
    flags = ["--data", str(table), "--performance-col", "acc", "--out", str(out)]
    assert main(flags) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    ranks = [float(row["rank"]) for row in rows]
    assert ranks == sorted(ranks, reverse=True)
    predicted = convolutions([CELLS.parse(row["arch"]) for row in rows])
    assert kendall_tau(np.array(ranks), predicted) > 0.7
    assert capsys.readouterr().out.strip() == rows[0]["arch"]
    assert main(flags) == 4 and "expected a new file" in capsys.readouterr().err
    assert main([*flags, "--overwrite", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"out": str(out), "rows": 20, "best": rows[0]["arch"]}


def test_the_command_measures(table, capsys):
    flags = ["--data", str(table), "--performance-col", "acc", "--labels", "20,40"]
    assert main([*flags, "--draws", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"20", "40"} and found["40"]["tested"] == 20
    assert main([*flags, "--draws", "2"]) == 0
    assert f"{found['20']['kendall_tau']:.4f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "expected either --labels or --out"),
        (["--labels", "5", "--out", "x.csv"], "expected either --labels or --out"),
        (["--labels", "a"], "expected numbers joined by commas, found 'a'"),
        (["--labels", "5,"], "expected numbers joined by commas"),
        (["--labels", "5", "--draws", "0"], "expected a number from 1, found 0"),
        (["--labels", "5", "--seed", "-1"], "expected a number from 0, found -1"),
        (["--labels", "5", "--device", "cpu"], "expected a RUN"),
        (["--labels", "19019"], "expected numbers from 2 to 19018"),
    ],
)
def test_wrong_flags_are_named(flags, message, capsys):
    assert main(flags) == 2
    assert message in capsys.readouterr().err


def test_a_table_without_open_rows_has_nothing_to_rank(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "x.csv")]) == 2
    assert "found 19020 and 0" in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()
