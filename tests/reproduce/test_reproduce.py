"""A tiny reproduction: its numbers are those of the models, and it goes on where it was cut off."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch

from ngae.api import NGAE
from ngae.cli import main
from ngae.errors import UsageError
from ngae.evaluate.protocol import evaluate
from ngae.report.published import METHODS as PUBLISHED
from ngae.report.published import TABLE_1
from ngae.reproduce import stages
from ngae.reproduce.config import Plan, ReproduceConfig, quick
from ngae.reproduce.folder import ReproduceFolder
from ngae.reproduce.stages import Laboratory
from ngae.search.config import GradientConfig
from ngae.train.checkpoint import load_weights, read_checkpoint
from ngae.train.config import RunConfig, TrainConfig
from ngae.train.folder import read_log


def _rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _column(rows, name):
    return np.array([float(row[name]) for row in rows])


def _bytes(folder):
    """What does not tell times."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "times.json"]
    return {p: p.read_bytes() for p in files if not p.name.startswith("reproduce.")}


def test_the_papers_numbers_are_those_of_its_table():
    assert TABLE_1[100] == {
        "reconstruction": 0.8283, "validity": 0.9998, "uniqueness": 0.5155, "novelty": 1.0,
    }  # fmt: skip
    assert [TABLE_1[n]["uniqueness"] for n in (100, 200, 300)] == [0.5155, 0.4205, 0.3856]
    assert [TABLE_1[n]["reconstruction"] for n in (200, 300)] == [0.9997, 0.9999]
    assert PUBLISHED[0].values["uniqueness"] == TABLE_1[300]["uniqueness"]


def test_table_1_tells_the_metrics_of_each_checkpoint(made):
    run = NGAE.load(made / "seed-0" / "ngae")
    cells = {(row["measure"], row["epochs"]): row for row in _rows(made / "table1.csv")}
    assert len(cells) == 12
    seconds = 0.0
    for epoch, line in enumerate(read_log(made / "seed-0/ngae/log.jsonl"), 1):
        last = "last" if epoch == 3 else f"epoch-{epoch}"
        place = made / "seed-0" / "ngae" / "checkpoints" / f"{last}.safetensors"
        load_weights(run.model, read_checkpoint(place).part("model."), place)
        metrics = evaluate(run.model, run.data, run.config.evaluate, seed=0)
        expected = {
            "Accuracy (reconstruction)": metrics["reconstruction"]["mean"],
            **{k.capitalize(): v for k, v in metrics["published_protocol"].items()},
        }
        seconds += line["seconds"]
        for name, value in expected.items():
            cell = cells[name, str(epoch)]
            assert float(cell["ours"]) == value
            assert cell["paper_epochs"] == str(100 * epoch)
            assert float(cell["difference"]) == value - float(cell["paper"])
            assert float(cell["training_s"]) == seconds
            assert (cell["seeds"], cell["deviation"]) == ("1", "")
    metrics = json.loads((made / "seed-0/ngae/metrics.json").read_text())
    measured = json.loads((made / "seed-0/epoch-3.json").read_text())["metrics"]
    for name in ("reconstruction", "prior", "published_protocol", "performance", "complexity"):
        assert measured[name] == metrics[name]


def test_figure_3_shows_the_log_and_predictions_on_a_plane(made):
    log = read_log(made / "seed-0/ngae/log.jsonl")
    rows = _rows(made / "figure3-training.csv")
    assert [float(r["kl"]) for r in rows] == [line["kl"] for line in log]
    assert [float(r["reconstruction"]) for r in rows] == [e["nodes"] + e["edges"] for e in log]
    places = _rows(made / "figure3-map.csv")
    assert len(places) == 49
    assert sorted(set(_column(places, "first"))) == [-3, -2, -1, 0, 1, 2, 3]
    run = NGAE.load(made / "seed-0/ngae")
    centre = np.random.default_rng([0, 1]).standard_normal((1, 4)).astype(np.float32)
    predicted = run.predict(torch.from_numpy(centre)).performance.item()
    middle = [r for r in places if float(r["first"]) == float(r["second"]) == 0]
    assert float(middle[0]["predicted"]) == pytest.approx(predicted, abs=1e-6)


def test_figure_4_predicts_test_rows_and_fits_a_line(made):
    run = NGAE.load(made / "seed-0/ngae")
    rows = _rows(made / "figure4-predicted.csv")
    assert len({row["architecture"] for row in rows}) == 10
    known = {run.data.space.format(d): p for d, p in zip(run.data.test.dags,
             run.data.test.performance, strict=True)}  # fmt: skip
    for row in rows:
        assert float(row["true"]) == known[row["architecture"]]
        z = run.encode([run.data.space.parse(row["architecture"])]).mean
        assert float(row["predicted"]) == pytest.approx(run.predict(z).performance.item())
    slope, intercept = np.polyfit(_column(rows, "true"), _column(rows, "predicted"), 1)
    told = f"predicted = {slope:.4f} true {intercept:+.4f}"
    assert told in (made / "reproduce.md").read_text()


def test_figure_4_tells_the_errors_of_the_log_and_of_the_checkpoints(made):
    rows = _rows(made / "figure4-rmse.csv")
    log = read_log(made / "seed-0/ngae/log.jsonl")
    for row, line in zip(rows, log, strict=True):
        assert float(row["train_while_learning"]) ** 2 == pytest.approx(line["performance"])
        assert float(row["test"]) == line["test"]["rmse_normalised"]
    metrics = json.loads((made / "seed-0/ngae/metrics.json").read_text())
    assert float(rows[-1]["test"]) == pytest.approx(metrics["performance"]["rmse_normalised"])
    run = NGAE.load(made / "seed-0/ngae")
    train = run.data.train
    found = run.predict(run.encode(train.dags).mean).performance.detach().double().numpy()
    error = np.sqrt(np.mean((found - train.performance) ** 2)) / train.performance.std()
    assert float(rows[-1]["train_at_mean"]) == pytest.approx(error)


def test_one_step_begins_where_many_do_and_ends_as_far(made):
    rows = _rows(made / "figure4-ascent.csv")
    assert len(rows) == GradientConfig().steps + 1
    for row in rows[:2]:  # the start, and the first step, are the same
        assert row["many_mean"] == row["one_mean"]
    assert _column(rows, "many_mean").argmax() > 1


def test_figure_5_has_the_best_three_of_each_search(made):
    rows = _rows(made / "figure5.csv")
    assert [r["method"] for r in rows] == ["NGAE"] * 3 + ["NGAE without complexity"] * 3
    for key, part in (("ngae", rows[:3]), ("ngae-without-complexity", rows[3:])):
        lines = (made / f"seed-0/search/{key}/trials.jsonl").read_text().splitlines()
        answers = sorted((json.loads(line)["performance"] for line in lines), reverse=True)
        assert len(answers) == 5
        assert _column(part, "performance").tolist() == answers[:3]
    space = NGAE.load(made / "seed-0/ngae").data.space
    for row in rows:
        exact = space.complexity([space.parse(row["architecture"])])[0]
        assert _column([row], "macs")[0] == exact[space.complexity_names.index("macs")]
    drawn = sorted(p.name for p in (made / "figures").glob("figure5-*.svg"))
    assert len(drawn) == 6


def test_searches_weigh_the_complexity_or_not(made):
    def weight(key):
        path = made / f"seed-0/search/{key}/config.json"
        config = json.loads(path.read_text())
        assert config["search"]["weigh"] == "macs"
        return config["gradient"]["weight"]

    assert weight("ngae") == ReproduceConfig().weight
    assert weight("ngae-without-complexity") == 0


def test_a_deleted_stage_is_done_again_and_the_rest_stays(copied, again, capsys):
    before = _bytes(copied)
    for name in ("figure4-ascent.csv", "seed-0/epoch-2.json", "table1.csv"):
        (copied / name).unlink()
    assert again(copied) == 0
    shown = capsys.readouterr().err
    assert "measure after 2 epochs, seed 0\n      done in" in shown
    assert "train NGAE, seed 0: done before" in shown
    assert _bytes(copied) == before


def test_a_search_whose_answers_are_gone_finds_the_same(copied, again):
    before = (copied / "figure5.csv").read_bytes()
    (copied / "seed-0/search/ngae/trials.jsonl").unlink()
    assert again(copied) == 0
    assert (copied / "figure5.csv").read_bytes() == before


def test_a_checkpoint_that_is_gone_is_trained_again(copied, again):
    place = copied / "seed-0/ngae/checkpoints/epoch-1.safetensors"
    before = read_checkpoint(place)
    place.unlink()
    assert again(copied) == 0
    after = read_checkpoint(place)
    assert after.facts["step"] == before.facts["step"]
    for name, tensor in before.part("model.").items():
        assert after.part("model.")[name].equal(tensor)


def test_a_training_that_was_cut_off_goes_on(copied, again):
    """As after a kill right between the checkpoint of an epoch and its copy."""
    before = (copied / "seed-0/ngae/checkpoints/epoch-2.safetensors").read_bytes()
    run = copied / "seed-0" / "ngae"
    (run / "metrics.json").unlink()
    (run / "checkpoints/epoch-2.safetensors").replace(run / "checkpoints/last.safetensors")
    lines = (run / "log.jsonl").read_text().splitlines(keepends=True)
    (run / "log.jsonl").write_text("".join(lines[:2]))
    assert again(copied) == 0
    assert (run / "checkpoints/epoch-2.safetensors").read_bytes() == before
    assert len(read_log(run / "log.jsonl")) == 3


def test_other_settings_are_refused(copied, again, capsys):
    before = _bytes(copied)
    assert again(copied, "--epochs", "6", "--budget", "7") == 4
    shown = capsys.readouterr().err
    assert "budget 5, now 7; epochs 3, now 6" in shown
    assert "remedy: pass the same settings to go on with it, --overwrite" in shown
    assert _bytes(copied) == before


def test_overwriting_takes_other_settings_and_leaves_foreign_files(copied, again):
    (copied / "notes.txt").write_text("mine")
    assert again(copied, "--overwrite", "--epochs", "4", "--budget", "3") == 0
    assert (copied / "notes.txt").read_text() == "mine"
    assert {row["epochs"] for row in _rows(copied / "table1.csv")} == {"1", "3", "4"}
    assert not (copied / "seed-0/epoch-2.json").exists()


def test_a_folder_of_other_files_is_refused(tmp_path, again, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert again(tmp_path) == 4
    assert again(tmp_path, "--overwrite") == 4
    assert "expected an empty folder or a reproduction" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_json_has_the_same_numbers(copied, again, capsys):
    assert again(copied, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    cells = _rows(copied / "table1.csv")
    assert [cell["ours"] for cell in told["table_1"]] == _column(cells, "ours").tolist()
    assert told["page"] == str(copied / "reproduce.html")
    assert told["times"].keys() >= {"data", "ngae-s0", "measures-s0-e1", "search-ngae-s0"}
    assert [one["method"] for one in told["figure_5"]][::3] == ["ngae", "ngae-without-complexity"]


def test_status_lists_the_runs_inside(made, capsys):
    assert main(["status", str(made.parent), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "seed-0/ngae" in json.dumps(told)
    assert "interrupted" not in json.dumps(told)


def test_several_seeds_give_means_and_deviations(copied, again):
    """Another folder: its settings are other ones; one training more than the first."""
    out = copied.parent / "two"
    assert again(out, "--seeds", "2", "--budget", "3") == 0
    cells = _rows(out / "table1.csv")
    shares = [
        json.loads((out / f"seed-{seed}/epoch-3.json").read_text())["metrics"]
        ["published_protocol"]["uniqueness"] for seed in (0, 1)
    ]  # fmt: skip
    cell = next(c for c in cells if (c["measure"], c["epochs"]) == ("Uniqueness", "3"))
    assert float(cell["ours"]) == np.mean(shares)
    assert float(cell["deviation"]) == np.std(shares, ddof=1)
    assert cell["seeds"] == "2"
    assert {row["seed"] for row in _rows(out / "figure5.csv")} == {"0", "1"}


@pytest.mark.end_to_end
def test_bayesian_optimisation_is_added_once_it_can_be(copied, again, monkeypatch):
    pytest.importorskip("botorch")
    assert "pip install 'ngae[bo]'" in (copied / "reproduce.md").read_text()
    before = _bytes(copied)
    monkeypatch.setattr(stages, "find_spec", lambda name: True)
    assert again(copied) == 0
    rows = _rows(copied / "figure5.csv")
    assert [row["method"] for row in rows][6:] == ["D-VAE + BO"] * 3
    model = json.loads((copied / "seed-0/vae/config.json").read_text())["model"]
    assert not model["performance_predictor"] and not model["complexity_predictor"]
    after = _bytes(copied)
    assert all(after[path] == text for path, text in before.items() if path.name != "figure5.csv")


def test_three_epochs_are_the_least():
    with pytest.raises(UsageError, match="expected at least 3, one for each checkpoint"):
        Plan(RunConfig(train=TrainConfig(epochs=2)))
    assert Plan().checkpoints == (6, 12, 18)
    assert Plan(RunConfig(train=TrainConfig(epochs=300))).checkpoints == (100, 200, 300)
    assert quick(Plan()).checkpoints == (3, 6, 9)


def test_the_embedded_table_is_answered_by_its_own_weights(tmp_path):
    laboratory = Laboratory(Plan(), ReproduceFolder(tmp_path), lambda run: None)
    assert laboratory.oracle.name == "shared-weights"
    data = dataclasses.replace(laboratory.data, test_rows=laboratory.data.test_rows[:3])
    vars(laboratory)["data"] = data
    assert laboratory._checked(laboratory.oracle) == {"rows": 3, "equal": 3}
