"""Runs that earlier versions of the files hold are read, predict the same, and go on.

Each folder of `tests/fixtures` was written by `scripts/write_fixture.py` at that version.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import ngae
from ngae.cli import main
from ngae.data import catalog
from ngae.data.cache import state_of, table_of
from ngae.data.fetch import Request, get
from ngae.errors import RefusedError
from ngae.files import FORMAT_VERSION, check_version
from ngae.oracles import Ledger
from ngae.report.files import read_run
from ngae.search.benchmark_run import BenchmarkFolder
from ngae.train.checkpoint import read_checkpoint

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("run-*"))
# Another processor sums in another order; the weights are the same.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SEARCH = ("--strategy", "evolution", "--oracle", "table", "--budget", "6", "--seed", "1")
REMEDY = "read it with the version of ngae that wrote it, or a later one"


@pytest.fixture(params=FIXTURES, ids=lambda path: path.name)
def release(request, tmp_path, monkeypatch):
    shutil.copytree(request.param, tmp_path / "release")
    monkeypatch.chdir(tmp_path / "release")
    return tmp_path / "release"


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def _numbers(values):
    return torch.as_tensor(np.asarray(values, dtype=np.float64))


def test_there_is_one_for_every_version_and_it_is_small():
    assert [path.name for path in FIXTURES] == [f"run-{n}" for n in range(1, FORMAT_VERSION + 1)]
    for path in FIXTURES:
        assert sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) < 200_000


def test_a_run_predicts_what_it_predicted(release):
    stored, model = read_run(release / "run"), ngae.NGAE.load("run")
    dags = [*model.data.train.dags, *model.data.test.dags]
    assert [dag.canonical_hash for dag in stored.rows.dags] == [dag.canonical_hash for dag in dags]
    mean = model.encode(dags).mean.detach()
    torch.testing.assert_close(mean.double(), _numbers(stored.rows.mean), **CLOSE)
    with torch.no_grad():
        found = model.predict(torch.as_tensor(stored.rows.mean, dtype=torch.float32))
    for ours, theirs in [
        (found.performance, stored.rows.predicted_performance),
        (found.complexity, stored.rows.predicted_complexity),
    ]:
        torch.testing.assert_close(ours.double(), _numbers(theirs), **CLOSE)
    assert stored.rows.predicted_performance.std() > 0
    assert len(stored.searches[0].trials) == 6


def test_a_run_is_measured_as_it_was(release):
    stored, again = json.loads(Path("run/metrics.json").read_text()), ngae.NGAE.load("run")
    found = again.evaluate()
    for part, name in [("performance", "rmse"), ("prior", "validity"), ("reconstruction", "mean")]:
        assert found[part][name] == pytest.approx(stored[part][name], rel=1e-3), (part, name)


def test_training_goes_on_to_the_stored_end(release, capsys):
    assert [line["epoch"] for line in _lines(Path("half/log.jsonl"))] == [1, 2]
    assert main(["train", "--config", "half/config.json", "--out", "half", "--resume"]) == 0
    assert "epoch 3/3" in capsys.readouterr().err
    ours, theirs = (
        read_checkpoint(Path(f"{n}/checkpoints/last.safetensors")) for n in ("half", "run")
    )
    assert ours.facts["step"] == theirs.facts["step"] == 21
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name, tensor in theirs.part("model.").items():
        torch.testing.assert_close(ours.part("model.")[name], tensor, rtol=1e-3, atol=1e-4)
    assert json.loads(Path("half/config.json").read_text())["format_version"] == FORMAT_VERSION


def test_a_search_goes_on_and_pays_nothing_twice(release, capsys):
    whole, cut = Path("run/search/whole"), Path("run/search/cut-off")
    before = (cut / "ledger.jsonl").read_bytes()
    assert main(["search", "run", *SEARCH, "--out", str(cut)]) == 0
    assert "best of 6 queries: 0.3900" in capsys.readouterr().out
    assert (cut / "ledger.jsonl").read_bytes().startswith(before)
    asked = [line for line in _lines(cut / "ledger.jsonl") if line["event"] == "asked"]
    assert len(asked) == 7  # six architectures; the attempt that was cut off is made again
    names = ("number", "architecture", "performance", "complexity")
    ours, theirs = (_lines(folder / "trials.jsonl") for folder in (cut, whole))
    assert [[t[n] for n in names] for t in ours] == [[t[n] for n in names] for t in theirs]


@pytest.mark.parametrize("name", ["trials.jsonl", "ledger.jsonl"])
def test_an_old_search_is_a_history(release, name):
    search = ngae.Search(
        ngae.NGAE.load("run"), history=f"run/search/whole/{name}", strategy="random"
    )
    hashes = {trial["hash"] for trial in _lines(Path("run/search/whole/trials.jsonl"))}
    assert len(hashes) == 6
    assert not hashes & {dag.canonical_hash for dag in search.ask(20)}


def test_a_report_is_drawn_and_its_state_is_told(release, capsys):
    assert main(["report", "run"]) == 0
    assert "<title>run: report of ngae</title>" in Path("run/report.html").read_text()
    assert main(["status", "run", "--json"]) == 0
    text = capsys.readouterr().out
    assert '"state": "finished"' in text
    assert '"state": "interrupted"' in text


def _later(path):
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"format_version": 2}))


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--config", "run/config.json", "--out", "run", "--resume"),
        ("train", "--config", "run/config.json", "--out", "new"),
        ("evaluate", "run"),
        ("search", "run", *SEARCH),
        ("report", "run"),
        ("explore", "run"),
    ],
    ids=lambda command: command[0],
)
def test_a_later_run_is_refused(release, capsys, command):
    _later(Path("run/config.json"))
    assert main(list(command)) == 4
    shown = capsys.readouterr().err
    assert "run/config.json: expected format_version 1 or lower, found 2" in shown
    assert f"remedy: {REMEDY}" in shown
    assert not Path("new").exists()


def test_a_later_search_is_refused(release, capsys):
    cut = Path("run/search/cut-off")
    _later(cut / "config.json")
    before = {path.name: path.read_bytes() for path in cut.iterdir()}
    assert main(["search", "run", *SEARCH, "--out", str(cut)]) == 4
    message = "cut-off/config.json: expected format_version 1 or lower, found 2"
    assert message in capsys.readouterr().err
    (cut / ".lock").unlink(missing_ok=True)  # of the look at it
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == before
    with pytest.raises(RefusedError, match=message):
        ngae.Search(ngae.NGAE.load("run"), history=cut / "trials.jsonl", strategy="random").ask(1)


def test_a_later_ledger_is_refused_and_left_alone(release):
    path = Path("run/search/cut-off/ledger.jsonl")
    content = path.read_text().replace('"version": 1', '"version": 2') + '{"torn'
    path.write_text(content)
    message = r"ledger.jsonl:1: expected version 1 or lower, found 2"
    with pytest.raises(RefusedError, match=message) as caught:
        Ledger(path)
    assert caught.value.remedy == REMEDY
    assert path.read_text() == content
    with pytest.raises(RefusedError, match=message):
        ngae.Search(ngae.NGAE.load("run"), history=path, strategy="random").ask(1)


def test_a_later_run_is_listed_as_one_that_cannot_be_read(release, capsys):
    _later(Path("run/config.json"))
    _later(Path("run/search/cut-off/config.json"))
    assert main(["status", "."]) == 0
    shown = capsys.readouterr()
    assert "unreadable" in shown.out
    assert "note: run: config.json: expected format_version 1 or lower, found 2" in shown.err
    assert main(["status", "run/search/cut-off"]) == 0
    assert "cut-off: config.json: expected format_version 1 or" in capsys.readouterr().err


def test_a_later_benchmark_is_refused(tmp_path):
    BenchmarkFolder(tmp_path, {"budget": 3})
    assert BenchmarkFolder(tmp_path, {"budget": 3}).finished == {}
    _later(tmp_path / "settings.json")
    with pytest.raises(RefusedError, match=r"settings.json: expected format_version 1 or lower"):
        BenchmarkFolder(tmp_path, {"budget": 3})


def test_a_later_cache_is_refused_and_left_alone(tmp_path):
    entry = catalog.find("enas6")
    place = tmp_path / "enas6" / "table.json"
    place.parent.mkdir()
    place.write_text('{"format_version": 2}')
    assert state_of(entry, tmp_path) == "not fetched"
    for read in (lambda: table_of("enas6", tmp_path), lambda: get(entry, Request(tmp_path))):
        with pytest.raises(RefusedError, match=r"table.json: expected format_version 1 or lower"):
            read()
    assert place.read_text() == '{"format_version": 2}'
    assert [path.name for path in place.parent.iterdir()] == ["table.json"]


@pytest.mark.parametrize("found", [0, 2, True, 1.0, "1", None, []])
def test_what_is_no_known_version_is_refused(found):
    with pytest.raises(RefusedError, match="x: expected format_version 1 or lower, found ") as e:
        check_version(found, "x")
    assert e.value.exit_code == 4
