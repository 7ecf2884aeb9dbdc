"""The live page in Chromium: clicks, keys, walks; no error, nothing asked of anybody else."""

import pytest

from tests.browser import MARKS, visiting

pytestmark = MARKS
READY = "return document.querySelectorAll('.legend').length && document.querySelector('.area')"
DRAWN = "return document.querySelectorAll('#decoded svg rect').length"
PRESS = (
    "[...document.querySelectorAll('button')].find((b) => b.textContent === arguments[0]).click()"
)


@pytest.fixture
def browser(window, server):
    with visiting(window, server.address, READY, alone=False) as browser:
        yield browser


def test_a_click_draws_the_network_of_the_point(browser, server):
    browser.click_in("#map-plot .area", 0.6, 0.4)
    browser.until(DRAWN)
    answer = browser.script("return {x: state.answer.x, y: state.answer.y}")
    value = server.explorer.at_place([answer["x"], answer["y"]])
    labels = browser.script(
        "return [...document.querySelectorAll('#decoded text')].map((t) => t.textContent)"
    )
    assert labels == value["json"]["labels"]
    label = browser.script("return document.querySelector('#decoded svg').ariaLabel")
    edges = label.split("; edges ")[1].split(", ")
    assert edges == [
        f"{u} to {v}" for u, v in sorted(value["json"]["edges"], key=lambda e: e[::-1])
    ]
    cells = browser.script(
        "return [...document.querySelectorAll('#numbers tbody th')].map((t) => t.textContent)"
    )
    assert cells == ["accuracy ↑", "params ↓", "macs ↓"]
    real = browser.script(
        "return document.querySelectorAll('#numbers tbody tr')[1].cells[3].textContent"
    )
    assert real.replace(",", "") == f"{value['complexity']['params']:.0f}"


def test_keys_move_over_the_map_and_enter_decodes(browser):
    browser.script("document.querySelector('#map-plot .area').focus()")
    browser.keys("\ue014\ue014\ue013\ue007")  # right, right, up, Enter
    browser.until(DRAWN)
    at = browser.script("return [state.answer.x, state.answer.y, plot.range.x, plot.range.y]")
    assert at[0] == pytest.approx(2 * (at[2][1] - at[2][0]) / 50)
    assert at[1] == pytest.approx((at[3][1] - at[3][0]) / 50)


def test_known_rows_can_be_taken_instead(browser, server):
    browser.click_in(".bar input")
    browser.click_in("#map-plot .area", 0.55, 0.5)
    browser.until(DRAWN)
    title = browser.script("return document.querySelector('#answer h3').textContent")
    assert title.startswith("Decoded from the encoding of a ")
    z = browser.script("return state.answer.z")
    assert abs(server.explorer.rows.mean - z).max(axis=1).min() < 1e-9


def test_a_slider_walks_from_one_network_to_another(browser):
    for name, across in (("Set as A", 0.35), ("Set as B", 0.8)):
        before = browser.script("return state.asked")
        browser.click_in("#map-plot .area", across, 0.5)
        browser.until(
            f"return state.asked > {before} && document.querySelector('#status').textContent === ''"
        )
        browser.script(PRESS, name)
    browser.until("return state.walk")
    assert browser.script("return state.walk.answers.length") == 21
    browser.script(
        "const s = document.querySelector('#walk-slider'); s.value = 10;"
        "s.dispatchEvent(new Event('input'))"
    )
    assert browser.script("return document.querySelector('#answer h3').textContent") == (
        "Between A and B: 50 %"
    )
    middle = browser.script("return [state.answer.x, (state.ends.A.x + state.ends.B.x) / 2]")
    assert middle[0] == pytest.approx(middle[1])


def test_a_search_from_a_point_shows_its_path(browser):
    browser.click_in("#map-plot .area", 0.5, 0.5)
    browser.until(DRAWN)
    browser.script(PRESS, "Search from here")
    browser.until("return state.walk")
    assert browser.script("return document.querySelector('#walk-title').textContent") == (
        "Ascent from here"
    )
    first, last = browser.script(
        "return [state.walk.answers[0].predicted, state.walk.answers.at(-1).predicted]"
    )
    assert last > first
    assert browser.script("return document.querySelectorAll('#map-plot .ascent').length") == 1


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_a_phone(browser, dark):
    browser.size(390, 844, mobile=True)
    browser.dark(dark)
    browser.click_in("#map-plot .area", 0.5, 0.5)
    browser.until(DRAWN)
    browser.script(PRESS, "Search from here")
    browser.until("return state.walk")
    assert browser.script("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    ground = browser.script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 20, 25)") is dark


def test_an_error_of_the_server_is_said(browser, server, monkeypatch):
    def broken(body):
        raise RuntimeError("no")

    monkeypatch.setitem(server.answers, "/decode", broken)
    browser.click_in("#map-plot .area", 0.5, 0.5)
    browser.until("return document.querySelector('#status.bad')")
    text = browser.script("return document.querySelector('#status').textContent")
    assert text == "No answer: unexpected error; the terminal has more"
    (message,) = browser.console()  # Chromium tells of every failed request
    assert "500" in message


# Pixels of the window of a share of the way across and down the frame of the map.
SPOT = """
const [across, down] = arguments, frame = plot.area.getBoundingClientRect();
return [
  Math.round(frame.x + EDGE.left + across * plot.inner[0]),
  Math.round(frame.y + EDGE.top + down * plot.inner[1]),
]"""
# What lies under pixels of the window, by the axes' range.
UNDER = """
const [x, y, range] = arguments, frame = plot.area.getBoundingClientRect();
const across = (x - frame.x - EDGE.left) / plot.inner[0];
const down = (y - frame.y - EDGE.top) / plot.inner[1];
return [
  range.x[0] + across * (range.x[1] - range.x[0]),
  range.y[1] - down * (range.y[1] - range.y[0]),
]"""
RANGE = "return {x: [...plot.range.x], y: [...plot.range.y]}"
SCALE = "return plot.zoom.scale"
PLUS = "document.querySelector('.zoom button').click()"


def _under(browser, spot):
    return browser.script(UNDER, *spot, browser.script(RANGE))


def _settle(browser):
    """Wait until the map is drawn as it is zoomed."""
    browser.until("return !plot.zoom.waiting")


def _decoded_under(browser, server, spot):
    """Click; what was decoded lies under the pointer, and is what the server says of it."""
    before = browser.script("return state.asked")
    browser.click(*spot)
    browser.until(
        f"return state.asked > {before} && document.querySelector('#status').textContent === ''"
    )
    at = browser.script("return [state.answer.x, state.answer.y]")
    assert at == pytest.approx(_under(browser, spot), rel=1e-6)
    value = server.explorer.at_place(at)
    labels = "return [...document.querySelectorAll('#decoded text')].map((t) => t.textContent)"
    assert browser.script(labels) == value["json"]["labels"]
    mark = browser.script(
        "const m = document.querySelector('#map-plot .mark').getBoundingClientRect();"
        "return [m.x + m.width / 2, m.y + m.height / 2]"
    )
    assert mark == pytest.approx(spot, abs=0.75)


def test_the_wheel_zooms_about_the_pointer_and_a_click_decodes_what_is_under_it(browser, server):
    whole, spot = browser.script(RANGE), browser.script(SPOT, 0.7, 0.3)
    before = _under(browser, spot)
    browser.wheel(*spot, -240)
    _settle(browser)
    assert browser.script(SCALE) == pytest.approx(2.718281828**0.8)
    assert _under(browser, spot) == pytest.approx(before)
    browser.wheel(*browser.script(SPOT, 0.2, 0.6), -240)
    _settle(browser)
    assert browser.script(SCALE) == pytest.approx(2.718281828**1.6)
    _decoded_under(browser, server, browser.script(SPOT, 0.4, 0.55))
    for _ in range(3):
        browser.wheel(*spot, 240)
    _settle(browser)
    assert browser.script(RANGE) == whole
    _decoded_under(browser, server, browser.script(SPOT, 0.4, 0.55))


def test_a_zoomed_map_is_dragged_and_the_drag_decodes_nothing(browser, server):
    browser.script(PLUS)
    browser.script(PLUS)
    _settle(browser)
    start, end = browser.script(SPOT, 0.5, 0.5), browser.script(SPOT, 0.6, 0.35)
    held = _under(browser, start)
    asked = browser.script("return state.asked")
    browser.drag(start, end)
    _settle(browser)
    assert _under(browser, end) == pytest.approx(held)
    assert browser.script("return [state.asked, state.answer]") == [asked, None]
    _decoded_under(browser, server, browser.script(SPOT, 0.3, 0.3))
    whole = browser.script("return plot.zoom.full")
    browser.drag(browser.script(SPOT, 0.1, 0.9), browser.script(SPOT, 0.9, 0.1))
    browser.drag(browser.script(SPOT, 0.1, 0.9), browser.script(SPOT, 0.9, 0.1))
    _settle(browser)
    shown = browser.script(RANGE)  # not beyond the map's edge
    assert (shown["x"][0], shown["y"][0]) == (whole["x"][0], whole["y"][0])


def test_keys_and_buttons_zoom_and_a_double_click_shows_all(browser, server):
    whole = browser.script(RANGE)
    buttons = "return [...document.querySelectorAll('.zoom button')].map((b) => b.disabled)"
    assert browser.script(buttons) == [False, True, True]
    browser.script("plot.area.focus()")
    browser.keys("++-+")
    _settle(browser)
    assert browser.script(SCALE) == pytest.approx(2.25)
    assert browser.script(buttons) == [False, False, False]
    middle = browser.script(RANGE)
    for axis in ("x", "y"):
        assert sum(middle[axis]) == pytest.approx(sum(whole[axis]))
    browser.keys("0")
    assert browser.script(RANGE) == whole
    browser.keys("+" * 15)
    _settle(browser)
    assert browser.script(SCALE) == pytest.approx(64)
    assert browser.script(buttons) == [True, False, False]
    _decoded_under(browser, server, browser.script(SPOT, 0.25, 0.75))
    browser.keys("\ue014" * 40)  # the cursor leaves the middle, the map follows
    _settle(browser)
    seen = browser.script("return [plot.range.x[0] <= state.cursor[0], plot.range.x[1] - "
                          "state.cursor[0], plot.zoom.scale]")  # fmt: skip
    assert seen == [True, pytest.approx(0, abs=1e-9), pytest.approx(64)]
    asked = browser.script("return state.asked")
    browser.twice(*browser.script(SPOT, 0.5, 0.5))
    browser.until("return !plot.view")
    assert browser.script(RANGE) == whole
    assert browser.script("return state.asked") == asked + 1  # the first of both clicks alone


def test_two_fingers_zoom(browser, server):
    x, y = browser.script(SPOT, 0.5, 0.5)
    held = _under(browser, (x, y))
    browser.pinch([(x - 40, y), (x + 40, y)], [(x - 120, y), (x + 120, y)])
    _settle(browser)
    assert browser.script(SCALE) == pytest.approx(3, rel=0.02)
    assert _under(browser, (x, y)) == pytest.approx(held, rel=0.02, abs=0.02)
    _decoded_under(browser, server, browser.script(SPOT, 0.45, 0.4))
