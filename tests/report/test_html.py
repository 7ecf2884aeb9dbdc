import json

import pytest

from ngae.report.document import asset, document, policy
from ngae.report.html import Html, data_block, element, joined

NASTY = "</script><img src=x onerror=\"alert('1')\">&"


def test_text_is_escaped_and_markup_is_not():
    made = element("p", "a < b", element("b", NASTY), None, class_="x", data_name=NASTY, open=False)
    assert made == (
        '<p class="x" data-name="&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#x27;1&#x27;)'
        '&quot;&gt;&amp;">a &lt; b<b>&lt;/script&gt;&lt;img src=x onerror=&quot;'
        "alert(&#x27;1&#x27;)&quot;&gt;&amp;</b></p>"
    )
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert element("details", open=True) == "<details open></details>"
    assert joined(["<", Html("<i></i>")]) == "&lt;<i></i>"


def test_data_cannot_end_their_block():
    block = data_block("payload", {"name": NASTY, "<!--": 1})
    inner = block.removeprefix('<script type="application/json" id="payload">')
    inner = inner.removesuffix("</script>")
    assert not set("<>&") & set(inner)
    assert json.loads(inner) == {"name": NASTY, "<!--": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        data_block("payload", float("nan"))


def test_a_document_allows_its_own_script_and_style_alone():
    text = document("a & b", element("p", "x"), style="p{}", script="let a = 1 < 2;")
    assert "<title>a &amp; b</title>" in text
    assert "<script>let a = 1 < 2;</script>" in text
    assert policy("p{}", "let a = 1 < 2;") == (
        "default-src 'none'; style-src 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='; "
        "script-src 'sha256-Xd/xFl+DmsVqHczJvGQWMh7nLH7H7r5iGmQKRm0JimU='; "
        "connect-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize(
    "name",
    ["base.js", "network.js", "plot.js", "map.js", "curves.js", "found.js", "report.js",
     "answer.js", "walk.js", "explore.js",
     "style.css", "explore.css"],
)  # fmt: skip
def test_assets_neither_evaluate_nor_fetch_from_elsewhere(name):
    text = asset(name)
    for word in ("eval(", "new Function", "outerHTML", "insertAdjacent", "document.write",
                 "http:", "https:", "url(", "@import", "</script", "</style", "<!--"):  # fmt: skip
        assert word not in text
    assert text.count("innerHTML") == (1 if name == "base.js" else 0)  # a constant
