import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ngae.search.curves import Axis, mean_curves

SVG = "{http://www.w3.org/2000/svg}"


def test_axes_have_round_ticks():
    assert Axis("x", 1, 200).ticks() == [50.0, 100.0, 150.0, 200.0]
    assert Axis("y", 0.03, 2, log=True).ticks() == [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]
    assert Axis("y", 0.1, 10, log=True).place(1) == pytest.approx(0.5)
    assert Axis("y", 0.1, 10, log=True).place(0) == 0
    assert Axis("y", 2, 4).place(3.5) == 0.75


@pytest.mark.parametrize("log", [False, True])
def test_each_name_has_a_line_a_band_and_an_entry(log):
    curves = {"random": np.array([[4.0, 2, 2], [2, 2, 0]]), "a<b": np.array([[3.0, 0, 0]])}
    root = ElementTree.fromstring(mean_curves("made", "regret of acc", curves, log=log))
    lines = root.findall(f"{SVG}polyline")
    bands = root.findall(f"{SVG}polygon")
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert len(lines) == len(bands) == 2
    assert len({line.get("stroke") for line in lines}) == 2
    assert {"made", "queries", "regret of acc", "random", "a<b"} <= set(texts)
    places = [tuple(map(float, p.split(","))) for p in lines[0].get("points").split()]
    assert [x for x, _ in places] == [76.0, 323.0, 570.0]
    assert places[0][1] < places[1][1] < places[2][1]
    for shape in (*lines, *bands):
        numbers = map(float, re.findall(r"[\d.]+", shape.get("points")))
        assert all(0 <= number <= 720 for number in numbers)


def test_curves_that_are_zero_everywhere_are_drawn():
    text = mean_curves("made", "regret", {"random": np.zeros((2, 1))}, log=True)
    assert "polyline" in text
    assert "nan" not in text


def test_the_longest_name_has_room():
    names = ["random", "ascent:regressor=gaussian-process;weight=0"]
    root = ElementTree.fromstring(mean_curves("m", "r", dict.fromkeys(names, np.ones((2, 3)))))
    entry = next(text for text in root.findall(f"{SVG}text") if text.text == names[1])
    width = float(root.get("width"))
    assert root.get("viewBox") == f"0 0 {width:g} 420"
    assert float(entry.get("x")) + 7 * len(names[1]) < width
    short = ElementTree.fromstring(mean_curves("m", "r", {"random": np.ones((2, 3))}))
    assert short.get("width") == "720"
