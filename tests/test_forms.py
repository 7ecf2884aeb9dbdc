"""Which version a file is of, and the digest of what it holds."""

import hashlib

import numpy as np
import pytest

from ngae.errors import RefusedError
from ngae.files import LATER
from ngae.forms import Form, digest

FORM = Form("checkpoint", 3)


def test_a_form_is_named_by_kind_and_version():
    assert str(FORM) == "ngae-checkpoint-3"


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_versions_up_to_its_own_are_known(version):
    assert FORM.is_known(f"ngae-checkpoint-{version}", "x") is True


@pytest.mark.parametrize(
    "found",
    [None, 3, [], "", "ngae-table-3", "ngae-checkpoint-0", "ngae-checkpoint-03", "ngae-checkpoint-",
     "ngae-checkpoint-3\n", " ngae-checkpoint-3", "ngae-checkpoint-1234567890"],
)  # fmt: skip
def test_what_names_no_version_is_not_known(found):
    assert FORM.is_known(found, "x") is False


@pytest.mark.parametrize("version", ["4", "10", "999999999"])
def test_later_versions_are_refused_by_name(version):
    with pytest.raises(RefusedError) as caught:
        FORM.is_known(f"ngae-checkpoint-{version}", "a/file")
    assert str(caught.value) == (
        "a/file: expected a checkpoint of form ngae-checkpoint-3 or lower, "
        f"found ngae-checkpoint-{version}"
    )
    assert caught.value.remedy == LATER


def test_the_digest_is_of_facts_labels_and_bytes_in_their_order():
    arrays = [("a:U8", np.arange(3, dtype=np.uint8)), ("b:U8", np.arange(2, dtype=np.uint8))]
    facts = {"step": 1, "best": None}
    wanted = hashlib.sha256(b'{"best": null, "step": 1}a:U8\x00\x01\x02b:U8\x00\x01').hexdigest()
    assert digest(facts, arrays) == wanted
    assert digest(facts, arrays[::-1]) != wanted
