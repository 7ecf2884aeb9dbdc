import pytest

from ngae.errors import UsageError
from ngae.search.config import STRATEGY_CONFIGS, AscentConfig, EvolutionConfig
from ngae.search.variants import Variant, variants_of

DEFAULTS = {name: kind() for name, kind in STRATEGY_CONFIGS.items()}


def test_variants_keep_their_text_as_label():
    text = "evolution, ascent:weight=0;num-starts=8 ,ascent,evolution,ascent:regressor=kernel-ridge"
    assert variants_of(text, DEFAULTS) == [
        Variant("evolution", "evolution", EvolutionConfig()),
        Variant("ascent:weight=0;num-starts=8", "ascent", AscentConfig(weight=0.0, num_starts=8)),
        Variant("ascent", "ascent", AscentConfig()),
        Variant("ascent:regressor=kernel-ridge", "ascent", AscentConfig(regressor="kernel-ridge")),
    ]


def test_fields_replace_what_flags_have_set():
    own = {**DEFAULTS, "evolution": EvolutionConfig(population=7, tournament=3)}
    (found,) = variants_of("evolution:tournament=5", own)
    assert found.own == EvolutionConfig(population=7, tournament=5)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", "expected some of gradient, random.*found ''", None),
        ("acsent:steps=1", "expected some of gradient, .*found 'acsent'", "did you mean ascent?"),
        ("ascent:stps=1", "ascent:stps=1: expected a known setting, found 'stps'",
         "did you mean steps?"),
        ("ascent:steps=x", "ascent:steps=x: steps: expected a whole number, found 'x'", None),
        ("ascent:weight=x", "ascent:weight=x: weight: expected a number, found 'x'", None),
        ("ascent:update=up", "update: expected one of gradient, newton, found 'up'", None),
        ("ascent:steps=0", "--ascent-steps: expected a number from 1, found 0", None),
        ("ascent:steps=1;steps=2", "expected steps once, found it twice", None),
        ("ascent:steps", "expected field=value after the colon, found 'steps'", "for example"),
        ("ascent:", "expected field=value after the colon, found ''", "for example"),
        ("random:steps=1", "expected a known setting, found 'steps'", "known: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(text, message, remedy):
    with pytest.raises(UsageError, match=message) as caught:
        variants_of(text, DEFAULTS)
    assert (caught.value.remedy or "").startswith(remedy or "")
    assert (caught.value.remedy is None) == (remedy is None)
