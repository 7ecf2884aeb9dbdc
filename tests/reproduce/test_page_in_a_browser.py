"""The page in Chromium, from a file: every drawing is seen, in the dark as well, on a phone."""

import pytest

from tests.browser import MISSING, Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]
COLOUR = """
const image = document.querySelectorAll('img')[arguments[0]];
const canvas = document.createElement('canvas');
canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
const context = canvas.getContext('2d');
context.drawImage(image, 0, 0);
return [...context.getImageData(30, 5, 1, 1).data].slice(0, 3);
"""


@pytest.fixture
def window(made):
    page = (made / "reproduce.html").as_uri()
    with Browser() as window:
        window.open(page)
        window.until("return document.querySelectorAll('img').length === 11")
        window.script("document.querySelectorAll('img').forEach((i) => (i.loading = 'eager'))")
        window.until("return [...document.images].every((i) => i.complete)")
        yield window
        assert window.console() == []
        asked = window.requests()
        assert asked[0] == page
        assert all(address.startswith("data:image/svg+xml") for address in asked[1:])


def test_every_drawing_is_seen_and_follows_light_and_dark(window):
    assert window.script("return [...document.images].every((i) => i.naturalWidth > 100)")
    assert window.script(COLOUR, 0) == [255, 255, 255]
    window.dark(True)
    body = window.script("return getComputedStyle(document.body).backgroundColor")
    assert body == "rgb(18, 20, 25)"


def test_a_phone_has_no_sideways_scrolling(window):
    window.size(390, 844, mobile=True)
    window.until("return document.documentElement.scrollWidth <= window.innerWidth")
