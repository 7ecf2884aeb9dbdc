"""The pages of a tiny reproduction: self-contained, escaped, and of the folder's own numbers."""

import base64
import hashlib
import html
import re
import shlex
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ngae.commands import data, reproduce, search
from ngae.reproduce.claims import claims
from ngae.reproduce.config import Plan
from ngae.reproduce.content import Bullets, Chapter, Grid
from ngae.reproduce.folder import ReproduceFolder
from ngae.reproduce.page import html as page
from ngae.reproduce.page import markdown
from ngae.reproduce.results import Results, fitted_line
from ngae.train.folder import RunFolder


@pytest.fixture
def text(made):
    return (made / "reproduce.html").read_text()


def test_the_page_holds_every_drawing_and_asks_for_nothing(made, text):
    sources = re.findall(r'<img src="([^"]*)"', text)
    prefix = "data:image/svg+xml;base64,"
    assert all(source.startswith(prefix) for source in sources)
    found = [base64.b64decode(source.removeprefix(prefix)) for source in sources]
    assert sorted(found) == sorted(path.read_bytes() for path in (made / "figures").iterdir())
    assert len(found) == 11
    assert "http:" not in text and "https:" not in text
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy


def test_every_drawing_is_xml(made):
    for path in (made / "figures").iterdir():
        assert ET.fromstring(path.read_text()).tag.endswith("svg")


def test_markdown_links_to_drawings_that_exist(made):
    told = (made / "reproduce.md").read_text()
    names = re.findall(r"\]\((figures/[^)]*)\)", told)
    assert len(names) == 11
    assert all((made / name).exists() for name in names)
    assert "| Uniqueness | 300 | 3 | 38.56 % |" in told


def test_who_answered_is_told(made, text):
    told = (made / "reproduce.md").read_text()
    assert "The oracle is a regressor, not a training" in told
    assert "The embedded shared weights, which judge by 8x8 digits, order" in told
    assert "ours are of t.csv, another table" in told
    assert "ngae reproduce --data enas6" in told
    assert "The oracle is a regressor" in text


def test_statements_are_counted_by_their_rules(made):
    run = RunFolder(made / "seed-0" / "ngae").read_config()
    results = Results(ReproduceFolder(made), Plan(run))
    held = {claim.text: claim.holds for claim in claims(results)}
    assert len(held) == 12
    assert held["Validity and novelty stay around 100 %."] is True
    assert held["The reconstruction loss falls to near zero."] is False
    assert held["NGAE with and without complexity predictor outperforms D-VAE."] is None
    few, bare = (results.mean_of(key) for key in ("ngae", "ngae-without-complexity"))
    costs = [results.mean_of(key, "macs") for key in ("ngae", "ngae-without-complexity")]
    expected = bare > few and costs[1] > costs[0]
    text = "Without the complexity predictor results are best, complexity is high."
    assert held[text] is expected


def test_the_commands_for_what_is_missing_exist(made):
    told = (made / "reproduce.md").read_text()
    lines = [part for line in re.findall(r"`([^`]*)`", told) for part in line.split(" && ")]
    parsers = {"search": search.build_parser, "reproduce": reproduce.build_parser,
               "data": data.build_parser}  # fmt: skip
    asked = [shlex.split(line) for line in lines if line.startswith("ngae ")]
    assert [words[1] for words in asked] == ["search", "reproduce", "data", "reproduce"]
    for words in asked:
        parsers[words[1]]().parse_args(words[2:])


def test_text_of_data_is_no_markup(tmp_path):
    nasty = "<script>alert(1)</script>"
    part = Chapter("a", nasty, nasty, [Grid([["b", nasty], [nasty, "c"]]), Bullets([(nasty, "x")])])
    shown = page([part], [nasty], ReproduceFolder(tmp_path))
    assert shown.count("<script>") == 1  # the page's own, which is empty
    assert "&lt;script&gt;" in shown
    assert "| b |" in markdown([part], [nasty])


def test_a_line_through_points():
    x, y = ([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    assert fitted_line(np.array(x), np.array(y)) == pytest.approx((2.0, 1.0))
    assert fitted_line(np.ones(3), np.array(y)) == (0.0, 3.0)
