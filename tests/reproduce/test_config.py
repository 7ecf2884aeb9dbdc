"""The published table is known by its name and by its very file."""

import os
from pathlib import Path

import pytest

from ngae.cli import main
from ngae.commands.reproduce import build_parser, plan_of
from ngae.reproduce.config import folder_name, is_published, of_published

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
ENAS6 = DATA / "enas6" / "final_structures6.txt"


def _plan(*flags):
    return plan_of(build_parser().parse_args(flags))


def test_the_name_takes_the_published_split():
    assert of_published({"data": "enas6"}) == {"data": "enas6", "split": "published"}
    assert of_published({"data": "enas6", "split": "distinct"})["split"] == "distinct"
    assert of_published({"data": "digits6"}) == {"data": "digits6"}
    assert not is_published("digits6")


def test_another_file_is_taken_as_it_is(tmp_path):
    path = tmp_path / "final_structures6.txt"
    path.write_text("[[0]], 0.5\n")
    assert of_published({"data": str(path)}) == {"data": str(path)}


@pytest.mark.skipif(not ENAS6.exists(), reason="the published table is not here")
def test_the_very_file_takes_burn_in_and_split(tmp_path):
    plan = _plan("--data", str(ENAS6))
    assert (plan.run.data.burn_in, plan.run.data.split) == (1000, "published")
    copy = tmp_path / "other.txt"
    copy.write_bytes(ENAS6.read_bytes())
    assert of_published({"data": str(copy), "burn_in": 0})["burn_in"] == 0
    assert is_published(str(copy))


def test_folders_and_the_quick_form():
    assert str(folder_name(_plan(), is_quick=False)) == "runs/reproduce-digits6"
    plan = _plan("--quick", "--data", "a/t.csv.gz")
    assert str(folder_name(plan, is_quick=True)) == "runs/reproduce-t-quick"
    assert (plan.run.model.hidden_dim, plan.run.train.epochs, plan.own.budget) == (128, 9, 20)


def test_the_papers_form_is_a_preset():
    plan = _plan("--preset", "paper", "--beta", "1")
    assert plan.run.model.readout == "output"
    assert plan.checkpoints == (100, 200, 300)
    assert plan.run.loss.beta == 1


def test_each_training_has_its_seed_and_name():
    plan = _plan("--seeds", "3", "--seed", "5")
    assert list(plan.seeds) == [5, 6, 7]
    vae = plan.training(6, predictors=False)
    assert (vae.train.seed, vae.train.name) == (6, "vae")
    assert not vae.model.performance_predictor and not vae.model.complexity_predictor
    assert plan.training(5, predictors=True).model == plan.run.model


def test_wrong_values_are_usage_errors(tmp_path, capsys):
    out = ["--out", str(tmp_path / "r")]
    assert main(["reproduce", "--epochs", "2", *out]) == 2
    assert main(["reproduce", "--seeds", "0", *out]) == 2
    assert "--seeds: expected a number from 1" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
