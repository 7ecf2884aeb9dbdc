"""`python -m bench.report`: its table, files, flags and exit codes."""

import json
from xml.etree import ElementTree

import pytest

from bench import report, tables, work
from bench.chart import log_chart
from bench.growth import Growth
from bench.measure import Row

MACHINE = {
    "cpu": "a CPU", "cores": 4, "threads": 2, "level": "avx2", "torch": "2.9", "ngae": "0.1",
    "load_average": 0.5,
}  # fmt: skip
ROWS = [
    Row("peak", "bf16", 512.3, "GFLOP/s", gflop_s=512.3, share=1.0),
    Row("encode", "float32", 12_345.6, "graphs/s", 0.5, 3.456, 78.91, 0.4567, 123_456_789),
    Row("encode", "torch", 3_572.2, "graphs/s", 1.7, None, 22.8, 0.13, None),
]
GROWTH = Growth("walk", "node", (10, 100), (0.001, 0.0101))
RESULTS = tables.Results(MACHINE, "a command", ROWS, [GROWTH], ["x: no file"])


def test_cells():
    assert tables.cells(ROWS[0]) == ["peak", "bf16", "512", "GFLOP/s", "", "512", "100%", ""]
    assert tables.cells(ROWS[1]) == [
        "encode", "float32", "12,346", "graphs/s", "3.46", "78.9", "46%", "123 MB",
    ]  # fmt: skip


def test_text_names_machine_growth_and_what_was_skipped():
    shown = tables.text(RESULTS)
    assert shown.startswith("a CPU, 4 cores, 2 threads, avx2, torch 2.9, ngae 0.1, load average")
    assert "walk: linear: time per node differs by up to 0%" in shown
    assert "us / node" in shown
    assert shown.endswith("skipped: x: no file")


def test_markdown_is_a_page():
    lines = tables.markdown(RESULTS).splitlines()
    assert lines[0] == "# Speed"
    assert "| encode | float32 | 12,346 | graphs/s | 3.46 | 78.9 | 46% | 123 MB |" in lines
    assert "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |" in lines
    assert "## Walk" in lines
    assert "| 100 | 10.1 | 101 |" in lines
    assert lines[-1] == "Skipped: x: no file."


def test_json_holds_seconds_and_bytes():
    found = json.loads(json.dumps(RESULTS.as_dict()))
    assert found["machine"] == MACHINE
    assert found["rows"][1]["seconds"] == 0.5
    assert found["rows"][1]["memory"] == 123_456_789
    assert found["growth"][0]["sizes"] == [10, 100]
    assert found["skipped"] == ["x: no file"]


def test_quick_report_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(work, "headline_cases", lambda: [work.encode("enas", 8, 2)])
    out, page = tmp_path / "speed.json", tmp_path / "speed.md"
    assert report.main(["--quick", "--json", str(out), "--markdown", str(page)]) == 0
    shown = capsys.readouterr()
    assert "encode, enas, hidden 8, batch 2" in shown.out
    assert "[1/1]" in shown.err
    found = json.loads(out.read_text())
    assert [row["variant"] for row in found["rows"][-3:]] == ["float32", "bf16", "torch"]
    assert found["command"].startswith("python -m bench.report --quick --json")
    assert page.read_text().startswith("# Speed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["speed.json", "speed.md"]


def test_a_wrong_answer_ends_the_report(monkeypatch, capsys):
    def wrong(case, seconds):
        raise AssertionError("part 0 differs")

    monkeypatch.setattr("bench.measure.measure", wrong)
    assert report.main(["--quick"]) == 1
    assert "error: a wrong answer: part 0 differs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [["--fast"], ["--quick", "--only", "x"], ["--only", " "], ["--json", "."],
     ["--json"], ["extra"]],
)  # fmt: skip
def test_bad_flags_end_with_2(flags, capsys):
    with pytest.raises(SystemExit) as ended:
        report.main(flags)
    assert ended.value.code == 2
    assert "usage: python -m bench.report" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--quick", "--plot", "x.svg"], "--plot: expected the full report"),
        (["--only", "no such"], "--only: expected a part of a name, found 'no such'"),
    ],
)
def test_flags_that_do_not_fit_end_with_2(flags, message, capsys):
    assert report.main(flags) == 2
    assert message in capsys.readouterr().err


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        report.main(["--help"])
    assert ended.value.code == 0
    assert "python -m bench.report --quick" in capsys.readouterr().out


def test_chart_places_points_by_their_logarithms():
    svg = log_chart("A & B", "n", "s", {"one": [(1, 0.01), (10, 0.1), (100, 1)], "two": [(1, 1)]})
    root = ElementTree.fromstring(svg)
    lines = root.findall("{*}polyline")
    points = [tuple(map(float, p.split(","))) for p in lines[0].attrib["points"].split()]
    assert points[1] == pytest.approx(
        ((points[0][0] + points[2][0]) / 2, (points[0][1] + points[2][1]) / 2), abs=0.1
    )
    assert len(lines) == 2
    assert "A & B" in [text.text for text in root.findall("{*}text")]


def test_growth_is_drawn():
    root = ElementTree.fromstring(report.draw([GROWTH]))
    assert len(root.findall("{*}polyline")) == 1
    assert len(root.findall("{*}circle")) == 2
