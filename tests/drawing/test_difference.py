"""Two architectures over each other: what is matched, and how it is told apart."""

from xml.etree import ElementTree

import numpy as np
import pytest

from ngae import drawing
from ngae.dag import Dag
from ngae.spaces import space_named

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg):
    """Titles of nodes and edges with the paints of what is drawn under them, and the legend."""
    root = ElementTree.fromstring(svg)
    parts = {}
    for group in root.findall(f"{SVG}g/{SVG}g"):
        paints = [e.get("class") for e in group if e.tag in (f"{SVG}rect", f"{SVG}path")]
        parts[group.findtext(f"{SVG}title")] = [paint.removeprefix("ngae-") for paint in paints]
    return parts, [text.text for text in root.findall(f"{SVG}text")]


def test_a_changed_operation_and_a_changed_edge():
    space = space_named("enas3")
    parts, legend = drawn(
        space.parse("[[0], [1, 1], [2, 0, 0]]").to_svg(
            space.parse("[[0], [4, 1], [2, 0, 1]]"), ("parent", "child")
        )
    )
    assert legend == ["in both", "only in parent", "only in child"]
    assert parts["parent, node 2: sep3x3; child, node 2: avg3x3"] == ["a", "b"]
    assert parts["parent, node 1: conv3x3; child, node 1: conv3x3"] == ["same"]
    assert {t: p for t, p in parts.items() if "→" in t} == {
        "0 → 1": ["same"], "0 → 2": ["same"], "1 → 2": ["same"], "2 → 3": ["same"],
        "1 → 3": ["b"], "3 → 4": ["same"],
    }  # fmt: skip


def test_a_node_that_only_one_has():
    a = ("in", "conv", "out"), [(0, 1), (1, 2)]
    b = ("in", "conv", "pool", "out"), [(0, 1), (1, 2), (2, 3)]
    parts, _ = drawn(drawing.draw_difference(a, b))
    assert parts["b, node 2: pool"] == ["b"]
    assert parts["a, node 1: conv; b, node 1: conv"] == ["same"]
    assert [p for t, p in parts.items() if "→" in t] == [["same"], ["b"], ["a"], ["b"]]
    turned, _ = drawn(drawing.draw_difference(b, a))
    assert turned["a, node 2: pool"] == ["a"]


def test_equal_architectures_differ_in_nothing():
    for name in ("nas-bench-101", "nas-bench-201", "recurrent"):
        dag = space_named(name).sample(np.random.default_rng(0))
        parts, _ = drawn(dag.to_svg(dag))
        assert {paint for paints in parts.values() for paint in paints} == {"same"}
        assert len(parts) == len(dag) + len(dag.edges)


@pytest.mark.parametrize("name", ["enas4-9", "nas-bench-101", "nas-bench-graph", "recurrent"])
def test_everything_of_both_is_drawn_once(name):
    space = space_named(name)
    rng = np.random.default_rng(7)
    for _ in range(5):
        a, b = space.sample(rng), space.sample(rng)
        parts, _ = drawn(a.to_svg(b))
        arrows = [paints[0] for title, paints in parts.items() if "→" in title]
        assert arrows.count("same") + arrows.count("a") == len(a.edges)
        assert arrows.count("same") + arrows.count("b") == len(b.edges)
        boxes = [paints for title, paints in parts.items() if "→" not in title]
        assert sum(paints[0] in ("same", "a") for paints in boxes) == len(a)
        assert sum(paints[-1] in ("same", "b") for paints in boxes) == len(b)


def test_places_of_a_skeleton_are_kept():
    space = space_named("nas-bench-201")
    a, b = space.of([3, 3, 4, 1, 3, 1]), space.of([3, 2, 3, 1, 0, 3])
    parts, _ = drawn(a.to_svg(b))
    assert all(paints == ["same"] for title, paints in parts.items() if "→" in title)
    changed = [title for title, paints in parts.items() if paints == ["a", "b"]]
    assert len(changed) == 4


def test_dashes_tell_apart_what_colours_do():
    a, b = Dag((0, 1, 2), ((0, 1), (1, 2))), Dag((0, 1, 2), ((0, 1), (0, 2)))
    root = ElementTree.fromstring(a.to_svg(b))
    dashes = {p.get("class"): p.get("stroke-dasharray") for p in root.iter(f"{SVG}path")}
    assert dashes["ngae-same"] is None
    assert len({dashes["ngae-a"], dashes["ngae-b"], None}) == 3
