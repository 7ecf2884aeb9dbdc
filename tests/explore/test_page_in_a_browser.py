"""The live page in Chromium: clicks, keys, walks; no error, nothing asked of anybody else."""

import pytest

from tests.browser import MISSING, Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]
READY = "return document.querySelectorAll('.legend').length && document.querySelector('.area')"
DRAWN = "return document.querySelectorAll('#decoded svg rect').length"
PRESS = (
    "[...document.querySelectorAll('button')].find((b) => b.textContent === arguments[0]).click()"
)


@pytest.fixture(scope="module")
def window():
    with Browser() as window:
        yield window


@pytest.fixture
def browser(window, server):
    window.fresh()
    window.open(server.address)
    window.until(READY)
    yield window
    assert window.console() == []
    asked = window.requests()
    assert asked
    assert all(address.startswith(server.address) for address in asked)


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
