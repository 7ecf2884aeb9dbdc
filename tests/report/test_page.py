"""The report of a tiny run: its numbers, and that nothing in it comes from or goes elsewhere."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from ngae.cli import main
from ngae.evaluate.metrics import regression

NPY = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}".ljust(117) + b"\n" + bytes(8)
)  # fmt: skip
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Seen(HTMLParser):
    """Collects elements and attributes as a browser would find them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.data = [], [], {}
        self._open = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        self._open = (tag, dict(attributes).get("id"))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open and self._open[0] in ("script", "style"):
            self.data[self._open] = self.data.get(self._open, "") + data


@pytest.fixture
def run(searched_run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(searched_run, folder)
    return folder


@pytest.fixture
def text(run, capsys):
    assert main(["report", str(run)]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{run}/report.html\n"
    assert f"next: ngae explore {run}" in shown.err
    return (run / "report.html").read_text()


def _payload(text):
    return json.loads(Seen(text).data["script", "payload"])


def _values(value):
    return np.frombuffer(base64.b64decode(value["f32"]), dtype="<f4").astype(np.float64)


def test_a_report_needs_nothing_else(text):
    seen = Seen(text)
    assert len(text.encode()) < 3_000_000
    assert "http:" not in text
    assert "https:" not in text
    names = {name for name, _ in seen.attributes}
    assert not names & {"src", "srcset", "action", "style"}
    assert not [name for name in names if name.startswith("on")]
    assert all(value.startswith("#") for name, value in seen.attributes if name == "href")
    assert not {"link", "iframe", "img", "object", "base", "form"} & set(seen.elements)


def test_its_policy_names_its_own_script_and_style(text):
    seen = Seen(text)
    policies = [value for name, value in seen.attributes if name == "content"]
    (policy,) = [value for value in policies if value.startswith("default-src 'none'")]
    for kind in ("script", "style"):
        digest = hashlib.sha256(seen.data[kind, None].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}';" in policy
    assert "unsafe" not in policy


def test_the_measures_are_those_of_the_run(run, text):
    metrics = json.loads((run / "metrics.json").read_text())
    cells = re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>.</td><td class="own">([^<]*)<', text)
    found = dict(cells)
    assert found["reconstruction, z = mean"] == f"{100 * metrics['reconstruction']['mean']:.2f} %"
    assert found["prior: uniqueness"] == f"{100 * metrics['prior']['uniqueness']:.2f} %"
    assert found["performance: Pearson r"] == f"{metrics['performance']['pearson_r']:.4f}"
    assert found["params: Kendall tau"] == f"{metrics['complexity']['params']['kendall_tau']:.4f}"
    assert "0.3570" in text
    assert "no comparison with t.txt" in text


def test_predictions_have_the_errors_of_the_metrics(run, text):
    metrics = json.loads((run / "metrics.json").read_text())
    table = _payload(text)["table"]
    test = slice(table["train"], None)
    actual, predicted = _values(table["performance"])[test], _values(table["predicted"])[test]
    measured = regression(predicted, actual, 1.0)
    assert measured["rmse"] == pytest.approx(metrics["performance"]["rmse"], rel=1e-4)
    assert measured["pearson_r"] == pytest.approx(metrics["performance"]["pearson_r"], rel=1e-4)
    cost = _values(table["complexity"][0])[test]
    measured = regression(_values(table["predicted_complexity"][0])[test], cost, 1.0)
    assert measured["rmse"] == pytest.approx(metrics["complexity"]["params"]["rmse"], rel=1e-4)


def test_the_search_and_the_training_are_those_of_the_files(run, text):
    payload = _payload(text)
    (search,) = payload["searches"]
    folder = run / "search" / search["name"]
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [t["performance"] for t in search["trials"]] == [t["performance"] for t in lines]
    result = json.loads((folder / "result.json").read_text())
    front = [trial["number"] for trial in search["trials"] if trial["front"]]
    assert sorted(front) == sorted(trial["number"] for trial in result["pareto"])
    (best,) = [trial for trial in search["trials"] if trial["best"]]
    assert best["number"] == result["best"]["number"]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert payload["log"]["objective"] == [line["objective"] for line in log]
    assert payload["log"]["test_reconstruction"] == [line["test"]["reconstruction"] for line in log]
    assert len(payload["ascents"]) == 10
    assert len(payload["ascents"][0]) == 11


def test_names_from_data_stay_text(run, capsys):
    for name in ("data.json", "env.json"):
        values = json.loads((run / name).read_text())
        values |= {"name": NASTY, "performance": NASTY, "platform": NASTY, "space": NASTY}
        (run / name).write_text(json.dumps(values))
    (search,) = (run / "search").iterdir()
    place = search / "trials.jsonl"
    lines = [json.loads(line) | {"error": NASTY} for line in place.read_text().splitlines()]
    place.write_text("".join(json.dumps(line) + "\n" for line in lines))
    evil = run.with_name("a<b onclick=x>&")
    run.rename(evil)
    assert main(["report", str(evil)]) == 0
    text = (evil / "report.html").read_text()
    plain = Seen(text)
    assert plain.elements.count("script") == 2
    assert "img" not in plain.elements
    assert "<title>a&lt;b onclick=x&gt;&amp;: report of ngae</title>" in text
    payload = _payload(text)
    assert payload["names"]["performance"] == NASTY
    assert payload["searches"][0]["trials"][0]["error"] == NASTY


def test_figures_are_drawn_again_without_a_checkpoint(run, text, capsys):
    shutil.rmtree(run / "checkpoints")
    assert main(["report", str(run), "--json"]) == 0
    shown = capsys.readouterr()
    assert "no checkpoint" in shown.err
    assert json.loads(shown.out) == {
        "report": str(run / "report.html"),
        "bytes": len(text.encode()),
    }
    assert (run / "report.html").read_text() == text
    (run / "report.npz").unlink()
    assert main(["report", str(run)]) == 4


def test_fewer_rows_are_said_to_be_fewer(run):
    assert main(["report", str(run), "--points", "30"]) == 0
    text = (run / "report.html").read_text()
    assert "30 of 80 rows" in text
    assert len(_payload(text)["table"]["graphs"]) == 30


def test_a_run_without_searches_has_a_report(run):
    shutil.rmtree(run / "search")
    assert main(["report", str(run)]) == 0
    assert "No search in this folder yet" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("file", "content", "code", "message"),
    [
        ("metrics.json", None, 4, "expected a finished run, found no metrics.json"),
        ("latents.npz", None, 4, "expected latents.npz, found none"),
        ("latents.npz", None, 4, "remedy: training writes it: ngae train --config"),
        ("latents.npz", b"PK\3\4 not so", 3, "expected arrays of NumPy, found another file"),
        ("latents.npz", b"junk", 3, "expected arrays of NumPy, found another file"),
        ("latents.npz", NPY, 3, "expected arrays of NumPy, found another file"),
        ("log.jsonl", b'{"epoch": 1}\n\xff\n', 3, "log.jsonl: expected lines of JSON in UTF-8"),
        ("data.json", b"{}", 3, "expected the files of a finished run, found TypeError"),
        ("metrics.json", b'{"performance": 3}', 3, "found AttributeError: 'int' object"),
        ("log.jsonl", b'{"test": 3}', 3, "found AttributeError: 'int' object has no attribute"),
        ("env.json", b"[" * 100_000, 3, "env.json: expected a JSON object"),
        ("data.json", b"[1]", 3, "data.json: expected a JSON object, found list"),
        ("env.json", b"{", 3, "env.json: expected a JSON object"),
    ],
)
def test_files_that_are_missing_or_broken_are_named(run, capsys, file, content, code, message):
    (run / file).unlink()
    if content is not None:
        (run / file).write_bytes(content)
    assert main(["report", str(run)]) == code
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown
    assert "pickle" not in shown
    assert not (run / "report.html").exists()


def test_a_trial_outside_of_the_space_is_named_by_its_line(run, capsys):
    (search,) = (run / "search").iterdir()
    place = search / "trials.jsonl"
    lines = place.read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | {"architecture": "[[9]]"})
    place.write_text("\n".join(lines) + "\n")
    assert main(["report", str(run)]) == 3
    assert "trials.jsonl:3: expected an architecture of enas3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("trials.jsonl", lambda t: t.replace(b'"number": 1,', b""), ":2: number: expected an int"),
        ("trials.jsonl", lambda t: t.replace(b"n", b"\xff", 1), "trials.jsonl: expected lines of"),
        ("result.json", lambda t: b'{"best": 3, "pareto": 4}', "the files of a finished run"),
    ],
)
def test_a_damaged_search_is_named(run, capsys, file, change, message):
    (search,) = (run / "search").iterdir()
    content = (search / file).read_bytes()
    assert change(content) != content
    (search / file).write_bytes(change(content))
    assert main(["report", str(run)]) == 3
    shown = capsys.readouterr().err
    assert message in shown
    assert str(run) in shown
    assert "Traceback" not in shown


def test_blank_lines_are_counted_and_end_nothing(run, capsys):
    (search,) = (run / "search").iterdir()
    place = search / "trials.jsonl"
    lines = place.read_text().splitlines()
    place.write_text("\n\n".join(lines) + "\n")
    assert main(["report", str(run)]) == 0
    (found,) = _payload((run / "report.html").read_text())["searches"]
    assert len(found["trials"]) == len(lines) == 6
    lines[2] = json.dumps(json.loads(lines[2]) | {"architecture": "[[9]]"})
    place.write_text("\n\n".join(lines) + "\n")
    assert main(["report", str(run)]) == 3
    assert "trials.jsonl:5: expected an architecture of enas3" in capsys.readouterr().err


def test_a_page_stays_small_whatever_was_searched(run, capsys):
    (search,) = (run / "search").iterdir()
    lines = [json.loads(line) for line in (search / "trials.jsonl").read_text().splitlines()]
    many = [
        {**lines[n % 6], "number": n, "error": "x" * 5000, "detail": {"a": "y" * 200}}
        for n in range(4000)
    ]
    for name in ("a-b4000-s0", "b-b4000-s0"):
        shutil.copytree(search, search.with_name(name))
        text = "".join(json.dumps(line) + "\n" for line in many)
        (search.with_name(name) / "trials.jsonl").write_text(text)
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    epochs = [{**log[0], "epoch": n + 1} for n in range(5000)]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in epochs))
    assert main(["report", str(run)]) == 0
    text = (run / "report.html").read_text()
    assert len(text.encode()) < 1_000_000
    payload = _payload(text)
    first, _, whole = payload["searches"]
    assert 100 < len(first["trials"]) < 1000
    assert [trial["number"] for trial in whole["trials"]] == list(range(6))
    numbers = [trial["number"] for trial in first["trials"]]
    assert numbers == sorted(numbers)
    assert sum(trial["best"] for trial in first["trials"]) == 1
    assert payload["log"]["epoch"][0] == 1
    assert payload["log"]["epoch"][-1] == 5000


def test_what_is_overwritten_has_no_report_any_more(run, text, capsys):
    (search,) = (run / "search").iterdir()
    flags = ["--budget", "6", "--num-starts", "16", "--steps", "5", "--oracle", "predicted"]
    assert main(["search", str(run), *flags, "--overwrite"]) == 0
    assert f"next: ngae report {run}, or open " in capsys.readouterr().err
    assert not (search / "report.npz").exists()
    assert (
        main(["train", "--config", str(run / "config.json"), "--out", str(run), "--overwrite"]) == 0
    )
    assert not (run / "report.npz").exists()
    assert not (run / "report.html").exists()


def test_no_run_and_wrong_sizes_are_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 4
    assert "expected a run folder" in capsys.readouterr().err
    assert main(["report", str(tmp_path), "--points", "0"]) == 2
