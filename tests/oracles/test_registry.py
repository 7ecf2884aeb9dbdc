import dataclasses

import numpy as np
import pytest
import torch

from ngae.errors import DataError, UsageError
from ngae.oracles import ImageData, registry
from ngae.oracles.config import OracleConfig
from ngae.oracles.registry import check_is_read, oracle_named
from ngae.spaces.enas import EnasSpace


@pytest.fixture
def table(make_table):
    return make_table(5, EnasSpace(6))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("table", "table"),
        ("shared-weights", "shared-weights"),
        ("train", "train"),
    ],
)
def test_names(table, name, expected):
    oracle = oracle_named(name, table)
    assert (oracle.name, oracle.space.name, oracle.queries) == (expected, "enas6", 0)


def test_other_names_are_refused(table):
    with pytest.raises(UsageError, match=r"expected one of auto, .* found 'oracel'"):
        oracle_named("oracel", table)


def test_a_table_that_knows_no_performance_cannot_answer(table):
    unknown = dataclasses.replace(table, performance=np.full(len(table), np.nan))
    with pytest.raises(UsageError, match="expected rows with a performance, found none in made"):
        oracle_named("table", unknown)
    one = dataclasses.replace(table, performance=np.array([np.nan, np.nan, 0.5, np.nan, np.nan]))
    assert oracle_named("table", one).query(table.dags[2]).performance == 0.5


def test_weights_for_other_spaces_are_trained_once(make_table, monkeypatch):
    from ngae.oracles import shared_weights

    few = shared_weights.SharedWeightsConfig(steps=1, networks=1, batch_size=8)
    train, calls = shared_weights.train_shared_weights, []
    monkeypatch.setattr(
        shared_weights,
        "train_shared_weights",
        lambda space: calls.append(space.name) or train(space, few),
    )
    registry._trained.cache_clear()
    table = make_table(5, EnasSpace(2))
    first, second = (oracle_named("shared-weights", table) for _ in range(2))
    registry._trained.cache_clear()
    assert calls == ["enas2"]
    answers = [oracle.query(table.dags[0]).performance for oracle in (first, second)]
    assert answers[0] == answers[1]


def test_spaces_without_a_bank_are_refused(make_table):
    from ngae.spaces.nasbench201 import NasBench201Space

    table = make_table(3, NasBench201Space())
    with pytest.raises(UsageError, match="expected a space with shared weights") as caught:
        oracle_named("shared-weights", table)
    assert "found nas-bench-201" in str(caught.value)
    assert caught.value.remedy == "use --oracle train"
    with pytest.raises(UsageError, match=r"Training: expected .* \(8, 1, 10\) of digits, found"):
        oracle_named("train", table)


def test_images_are_those_that_are_asked_for(table, tmp_path):
    config = OracleConfig(images=f"folder:{tmp_path}")
    for name in ("train", "shared-weights"):
        with pytest.raises(DataError, match="expected a folder for each"):
            oracle_named(name, table, config)
    assert oracle_named("table", table, config).name == "table"


def test_networks_get_the_sizes_of_the_images(make_table, monkeypatch):
    from ngae.oracles import image_names
    from ngae.spaces.nasbench201 import NasBench201Config, NasBench201Space

    data = ImageData.split(torch.rand(20, 1, 8, 8), torch.arange(20) % 4, "four", 4)
    monkeypatch.setattr(image_names, "images_named", lambda name: data)
    table = make_table(3, NasBench201Space(NasBench201Config(channels=2, cells=1)))
    oracle = oracle_named("train", table, OracleConfig(images="folder:four"))
    expected = NasBench201Config(2, 1, num_classes=4, image_size=8, image_channels=1)
    assert oracle.space.network == expected
    answer = oracle.query(table.dags[0])
    assert answer.detail["images"] == 4
    assert answer.complexity["params"] == oracle.space.complexity([table.dags[0]])[0, 0]


@pytest.mark.parametrize(
    ("oracle", "config", "message"),
    [
        ("table", OracleConfig(images="folder:x"), "--images folder:x: expected --oracle shared"),
        ("train", OracleConfig(oracle_timeout=3), "--oracle-timeout 3: expected --oracle command"),
        ("predicted", OracleConfig(workers=2), "--workers 2: expected --oracle table or .* found"),
        ("command a b", OracleConfig(images="mnist:x"), "--images mnist:x: .* found command a b"),
    ],
)
def test_flags_that_an_oracle_does_not_read_are_refused(oracle, config, message):
    with pytest.raises(UsageError, match=message):
        check_is_read(oracle, config)
    check_is_read("command a b", OracleConfig(oracle_timeout=3, workers=2, ledger="x"))
