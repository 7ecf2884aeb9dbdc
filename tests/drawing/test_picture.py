"""What stands in a drawing: boxes, arrows, legend, colours, and no markup from a text."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ngae import drawing
from ngae.drawing.palette import OPERATIONS, PAINTS, paints_by_name
from ngae.spaces import space_named

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["enas12", "nas-bench-101", "nas-bench-201", "nas-bench-graph", "recurrent"]


def parsed(svg):
    return ElementTree.fromstring(svg)


def _titles(root):
    return [group.findtext(f"{SVG}title") for group in root.findall(f"{SVG}g/{SVG}g")]


def _texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def _boxes(root):
    """Rectangle of each node by its number."""
    found = {}
    for group in root.findall(f"{SVG}g/{SVG}g"):
        title = group.findtext(f"{SVG}title")
        if title.startswith("node "):
            rect = group.find(f"{SVG}rect")
            x, y, width, height = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
            found[int(title[5:].split(":")[0])] = (x, y, x + width, y + height)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_drawings_hold_every_node_edge_and_operation(name):
    space = space_named(name)
    dag = space.sample(np.random.default_rng(4))
    root = parsed(dag.to_svg())
    titles = _titles(root)
    assert [t for t in titles if "→" in t] == [f"{u} → {v}" for u, v in dag.edges]
    assert [t.split(",")[0] for t in titles if "→" not in t] == [
        f"node {node}: {label}" for node, label in enumerate(dag.node_labels)
    ]
    ends = {"input", "output", "x", *(f"h_{s}_{k}" for s in ("prev", "new") for k in range(3))}
    counts = {name: dag.node_labels.count(name) for name in set(dag.node_labels) - ends}
    legend = [f"{name} ×{n}" if n > 1 else name for name, n in counts.items()]
    assert sorted(_texts(root)) == sorted([*dag.node_labels, *legend])


@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_in_the_picture_and_apart_and_no_arrow_runs_through_them(name):
    space = space_named(name)
    for seed in range(3):
        dag = space.sample(np.random.default_rng(seed))
        root = parsed(dag.to_svg())
        width, height = float(root.get("width")), float(root.get("height"))
        shift = re.match(r"translate\((\S+) (\S+)\)", root.find(f"{SVG}g").get("transform"))
        boxes = _boxes(root)
        assert len(boxes) == len(dag)
        for one, (left, top, right, bottom) in boxes.items():
            assert left + float(shift[1]) >= 0
            assert right + float(shift[1]) <= width
            assert bottom + float(shift[2]) <= height
            for other, (x0, y0, x1, y1) in boxes.items():
                assert one == other or x1 < left or x0 > right or y1 < top or y0 > bottom
        for path in root.iter(f"{SVG}path"):
            for x, y in _corners(path.get("d")):
                assert not any(a < x < c and b < y < d for a, b, c, d in boxes.values()), (
                    "an arrow bends inside of a box"
                )


def _corners(commands):
    """Ends of the pieces of a path."""
    for piece in re.findall(r"[MCL]([^MCL]+)", commands):
        numbers = [float(number) for number in piece.split()]
        yield numbers[-2], numbers[-1]


def test_texts_are_escaped():
    labels = ('<b onload="x">&', "a\x00b\u2028\ufffe", "ok")
    svg = drawing.draw_graph(labels, [(0, 1), (1, 2)])
    root = parsed(svg)
    assert _texts(root)[:3] == ['<b onload="x">&', "a?b\u2028?", "ok"]
    assert "<b " not in svg
    html = drawing.legend_html(labels, labels)
    assert "<b " not in html
    assert drawing.to_dot(['a"b\\', "c"], [(0, 1)]).splitlines()[2] == '  0 [label="a\\"b\\\\"];'


def test_light_colours_are_attributes_and_dark_ones_rules():
    root = parsed(drawing.draw_graph(["input", "conv", "output"], [(0, 1), (1, 2)]))
    style = root.findtext(f"{SVG}style")
    assert style.startswith("@media (prefers-color-scheme:dark){")
    used = {element.get("class") for element in root.iter() if element.get("class")}
    assert {"ngae-back", "ngae-ink", "ngae-edge", "ngae-end"} < used
    assert {f"ngae-{key}" for key in re.findall(r"\.ngae-(\w+)\{", style)} == used
    back = root.find(f"{SVG}rect")
    assert back.get("fill") == PAINTS["back"].fill
    assert f".ngae-back{{fill:{PAINTS['back'].dark_fill};}}" in style


def test_texts_are_readable_on_every_paint():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, other):
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    ink = PAINTS["ink"]
    for key in (*OPERATIONS, "end", "same", "a", "b", "back"):
        assert contrast(ink.fill, PAINTS[key].fill) >= 4.5, key
        assert contrast(ink.dark_fill, PAINTS[key].dark_fill) >= 4.5, key
    for key in (*OPERATIONS, "end", "edge", "a", "b"):
        assert contrast(PAINTS["back"].fill, PAINTS[key].line) >= 2, key
        assert contrast(PAINTS["back"].dark_fill, PAINTS[key].dark_line) >= 3, key


def test_colours_go_by_name():
    names = ("input", "output", "conv3x3", "sep3x3", "conv5x5", "sep5x5", "avg3x3", "max3x3")
    paints = paints_by_name(names)
    assert paints["input"] == paints["output"] == "end"
    assert len(set(paints.values())) == 7
    assert paints_by_name(names) == paints
    assert paints_by_name(["conv3x3"])["conv3x3"] == paints["conv3x3"]
    assert paints_by_name(["skip", "conv3x3"])["conv3x3"] == paints["conv3x3"]
    many = paints_by_name([f"op{i}" for i in range(40)])
    assert len(set(many.values())) == len(OPERATIONS)


def test_a_small_drawing_has_no_texts():
    dag = space_named("recurrent").sample(np.random.default_rng(1))
    root = parsed(dag.to_thumbnail())
    assert _texts(root) == []
    assert len(_boxes(root)) == len(dag)
    assert float(root.get("height")) < 250
    assert root.findtext(f"{SVG}title") == f"graph of {len(dag)} nodes and {len(dag.edges)} edges"


def test_one_node_is_a_drawing_too():
    root = parsed(drawing.draw_graph(["a"], []))
    assert _texts(root) == ["a", "a"]


def test_thirty_nodes_are_drawn_at_once():
    labels = [f"op{i % 7}" for i in range(30)]
    edges = [(u, v) for v in range(30) for u in range(v) if (u * 7 + v * 3) % 5 == 0 or v == u + 1]
    root = parsed(drawing.draw_graph(labels, edges))
    assert len(_boxes(root)) == 30
    assert float(root.get("width")) < 1200


def test_the_picture_in_the_readme_is_of_the_network_that_it_names():
    """The text form is that of `best.json`, beside the numbers that the README gives."""
    space, root = space_named("enas6"), Path(__file__).parents[2]
    found = space.parse(
        "[[2], [0, 1], [1, 1, 1], [4, 0, 1, 1], [0, 1, 1, 1, 0], [2, 0, 1, 0, 0, 1]]"
    )
    assert (root / "docs" / "found.svg").read_text() == found.to_svg()
    params = space.complexity([found])[0, space.complexity_names.index("params")]
    readme = (root / "README.md").read_text()
    assert f"and {params:,.0f} parameters" in readme
    assert ", ".join(found.node_labels[1:-1]) in readme.replace("\n", " ")
