"""Charts: values stand where the axes say, in light and dark."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ngae.report.charts import Series, chart, heat_map
from ngae.report.colours import PAINTS, RAMP, dark_style

SPACE = "{http://www.w3.org/2000/svg}"


def _numbers(x):
    return np.array(x, dtype=np.float64)


def _ticks(drawn, anchor):
    """Places of the marks of an axis by value."""
    place = "y" if anchor == "end" else "x"
    texts = [
        e for e in drawn.iter(f"{SPACE}text")
        if e.get("text-anchor") == anchor and re.fullmatch(r"-?[\d.e+-]+", e.text or "")
    ]  # fmt: skip
    return {float(e.text): float(e.get(place)) - (4 if anchor == "end" else 0) for e in texts}


def test_points_stand_between_the_marks_of_their_values():
    series = Series("dots", _numbers([0, 1, 3]), _numbers([10, 20, 40]), form="dots")
    drawn = ET.fromstring(chart("title", "x", "y", [series]))
    x, y = _ticks(drawn, "middle"), _ticks(drawn, "end")
    assert set(x) == {0, 1, 2, 3}  # whole numbers only
    circles = [c for c in drawn.iter(f"{SPACE}circle") if c.get("r") == "3.2"]
    places = [(float(c.get("cx")), float(c.get("cy"))) for c in circles]
    assert [p[0] for p in places] == pytest.approx([x[0], x[1], x[3]], abs=0.11)
    assert [p[1] for p in places] == pytest.approx([y[10], y[20], y[40]], abs=0.11)
    assert drawn.find(f"{SPACE}title").text == "title"


def test_a_logarithmic_axis_spreads_decades_evenly():
    series = Series("", _numbers([1, 2, 3]), _numbers([0.1, 1, 10]))
    drawn = ET.fromstring(chart("", "x", "y", [series], log=True))
    line = drawn.find(f"{SPACE}polyline").get("points").split()
    heights = [float(point.split(",")[1]) for point in line]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.11)
    assert heights[0] > heights[2]


def test_a_band_has_its_spread_above_and_below():
    spread = _numbers([1, 2])
    series = Series("many", _numbers([0, 1]), _numbers([5, 5]), spread=spread)
    drawn = ET.fromstring(chart("", "x", "y", [series]))
    heights = [float(p.split(",")[1]) for p in drawn.find(f"{SPACE}polygon").get("points").split()]
    middle = float(drawn.find(f"{SPACE}polyline").get("points").split()[0].split(",")[1])
    assert [h - middle for h in heights[:2]] == pytest.approx(
        [-(h - middle) for h in heights[:1:-1]], abs=0.11
    )
    assert (heights[1] - middle) / (heights[0] - middle) == pytest.approx(2, rel=0.01)


def test_what_is_not_finite_is_left_out():
    series = Series("", _numbers([0, 1, 2]), _numbers([1, np.nan, 3]))
    drawn = ET.fromstring(chart("", "x", "y", [series]))
    assert len(drawn.find(f"{SPACE}polyline").get("points").split()) == 2


def test_a_map_has_a_cell_for_each_value_and_ends_of_the_ramp():
    values = _numbers([[0, 1], [2, 4], [4, 4]])
    drawn = heat_map("", "x", "y", _numbers([0, 1]), _numbers([0, 1, 2]), values, "acc")
    cells = re.findall(r'crispEdges" d="([^"]*)" class="a-(r\d+)"', drawn)
    assert {name: d.count("z") for d, name in cells} == {"r0": 1, "r6": 1, "r12": 1, "r23": 3}
    assert "acc" in drawn


def test_dark_colours_replace_every_light_one():
    text = chart("", "x", "y", [Series("a", _numbers([0, 1]), _numbers([0, 1]), "two")])
    used = set(re.findall(r'class="[al]-(\w+)"', text))
    style = re.search(r"<style>(.*)</style>", text)[1]
    assert {"back", "ink", "soft", "rule", "two"} <= used
    assert all(PAINTS[name].dark in style for name in used)
    assert dark_style(["one"]) == (
        "@media (prefers-color-scheme:dark){.a-one{fill:#63c5f5}.l-one{stroke:#63c5f5}}"
    )
    assert (PAINTS[RAMP[0]].light, PAINTS[RAMP[-1]].dark) == ("#f6d9a8", "#fcf5b8")


def test_names_are_escaped():
    series = Series("<b>", _numbers([0, 1]), _numbers([0, 1]))
    assert "&lt;b&gt;" in chart("<i>", "x", "y", [series])
