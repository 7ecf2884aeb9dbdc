"""The report in Chromium, from a file: linked figures, keys, dark, a phone, no request."""

import json
import shutil

import pytest

from ngae.cli import main
from tests.browser import MARKS, visiting

pytestmark = MARKS
READY = "return document.querySelector('#detail svg rect')"
TITLE = "return document.querySelector('#detail h3').textContent"
CHOSEN = "return document.querySelectorAll('.plot .chosen').length"


@pytest.fixture(scope="module")
def page(searched_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "run"
    shutil.copytree(searched_run, folder)
    assert main(["report", str(folder)]) == 0
    return (folder / "report.html").as_uri()


@pytest.fixture
def browser(window, page):
    with visiting(window, page, READY, alone=True) as browser:
        yield browser


def test_the_best_found_is_shown_at_first_in_both_figures(browser):
    best = browser.script("return searches[0].trials.find((t) => t.best)")
    assert browser.script(TITLE).startswith(f"Query {best['number'] + 1} of gradient")
    assert browser.script(CHOSEN) == 2
    labels = browser.script("return [...document.querySelectorAll('#detail svg text')].length")
    assert labels == 5
    assert browser.script("return document.querySelectorAll('#gallery article').length") == 6
    assert browser.script("return document.querySelectorAll('#curves figure').length") == 8


def test_a_click_in_one_figure_marks_the_network_in_the_others(browser):
    x, y = browser.script(
        "document.querySelector('#map').scrollIntoView();"
        "const i = table.train;"  # the first test row
        "const [x, y] = plots.map.pixels([table.x[i], table.y[i]]);"
        "const frame = plots.map.area.getBoundingClientRect();"
        "return [x + frame.x, y + frame.y]"
    )
    browser.click(x, y)
    assert browser.script(TITLE) == "A known architecture"
    row = browser.script("return state.chosen.i")
    test_row = row >= browser.script("return table.train")
    assert browser.script(CHOSEN) == (5 if test_row else 2)
    name = browser.script("return document.querySelector('#detail dd').textContent")
    assert name == ("test row" if test_row else "training row")
    types = browser.script(f"return graphOf(table.graphs[{row}]).types.map((t) => names.types[t])")
    shown = "return [...document.querySelectorAll('#detail svg text')].map((t) => t.textContent)"
    assert browser.script(shown) == types


def test_keys_move_from_network_to_network_and_enter_takes_one(browser):
    browser.script("document.querySelector('#front-plot .area').focus()")
    before = browser.script("return [state.chosen, state.hovered]")
    browser.keys("\ue012")  # left
    hovered = browser.script("return state.hovered")
    assert before[1] is None
    assert hovered not in (None, before[0])
    assert browser.script("return document.querySelectorAll('.hover').length") >= 2
    browser.keys("\ue007")
    assert browser.script("return state.chosen") == hovered


def test_the_complexity_of_the_front_can_be_chosen(browser):
    choose = (
        "const s = document.querySelector('#map-controls select'); s.value = 1;"
        "s.dispatchEvent(new Event('change'));"
        "return [...document.querySelectorAll('#front-plot .axis')].map((t) => t.textContent)"
    )
    assert browser.script(choose) == ["macs, down", "accuracy, up"]


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_a_phone(browser, dark):
    browser.dark(dark)
    browser.size(390, 844, mobile=True)
    browser.until("return innerWidth === 390 && plots.map.width < 390")
    assert browser.script("return document.documentElement.scrollWidth") == 390
    ground = browser.script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 20, 25)") is dark
    card = browser.script(
        "return getComputedStyle(document.querySelector('.plot')).backgroundColor"
    )
    assert (card == "rgb(255, 255, 255)") is not dark


def test_names_from_data_are_shown_and_never_run(searched_run, tmp_path, window):
    nasty = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    folder = tmp_path / "run"
    shutil.copytree(searched_run, folder)
    data = json.loads((folder / "data.json").read_text())
    data |= {"name": nasty, "performance": nasty, "complexity": [nasty, "<b>macs</b>"]}
    (folder / "data.json").write_text(json.dumps(data))
    assert main(["report", str(folder)]) == 0
    window.fresh()
    window.open((folder / "report.html").as_uri())
    window.until(READY)
    assert window.script("return [window.ran ?? 0, document.images.length]") == [0, 0]
    assert window.script("return document.querySelectorAll('script').length") == 2
    shown = "return document.querySelector('#front-plot .axis:last-of-type').textContent"
    assert window.script(shown) == f"{nasty}, up"
    assert window.script("return document.documentElement.innerHTML.includes('<b>')") is False
    assert window.console() == []
