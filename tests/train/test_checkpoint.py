import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from ngae.errors import RefusedError
from ngae.train.checkpoint import (
    Checkpoint,
    _digest,
    decoded,
    encoded,
    load_weights,
    read_checkpoint,
    write_checkpoint,
)

GOOD = Checkpoint({"model.w": torch.arange(6.0).view(2, 3), "sums": torch.ones(2)}, {"step": 3})


def test_round_trip_and_equal_bytes(tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_checkpoint(first, GOOD)
    write_checkpoint(second, GOOD)
    assert first.read_bytes() == second.read_bytes()
    read = read_checkpoint(first)
    assert read.facts == {"step": 3}
    assert torch.equal(read.part("model.")["w"], GOOD.tensors["model.w"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_the_order_of_facts_and_tensors_changes_no_byte():
    facts = {"step": 3, "config": {"a": 1, "b": 2}}
    other = {"config": {"b": 2, "a": 1}, "step": 3}
    turned = dict(reversed(GOOD.tensors.items()))
    assert encoded(Checkpoint(GOOD.tensors, facts)) == encoded(Checkpoint(turned, other))


def _foreign(path):
    save_file({"w": torch.ones(2)}, path)


def _tampered(path):
    write_checkpoint(path, GOOD)
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def _tampered_facts(path):
    write_checkpoint(path, GOOD)
    path.write_bytes(path.read_bytes().replace(b'step\\": 3', b'step\\": 4'))


def _truncated(path):
    write_checkpoint(path, GOOD)
    path.write_bytes(path.read_bytes()[:-5])


def _later(path):
    write_checkpoint(path, GOOD)
    path.write_bytes(path.read_bytes().replace(b"ngae-checkpoint-1", b"ngae-checkpoint-2"))


def _pickled(path):
    path.write_bytes(pickle.dumps({"w": 1}))


def _said(text):
    """A whole file that says `text` beside its tensors."""
    return lambda path: save_file({"w": torch.ones(2)}, path, {"ngae": text})


def _signed(facts):
    """A whole file with the right digest over anything."""
    head = {"format": "ngae-checkpoint-1", "facts": facts}
    head["sha256"] = _digest({"w": torch.ones(2)}, facts)
    return _said(json.dumps(head))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: None, "found no file"),
        (_said('"ngae-checkpoint-1"'), "of form ngae-checkpoint-1, found None"),
        (_said("[" * 2000), "truncated or foreign"),
        (_said('{"format": "ngae\\u001b-1"}'), r"found ngae\\x1b-1$"),
        (_said('{"format": "ngae-checkpoint-1"}'), "the digest differs"),
        (_signed([1]), "the digest differs"),
        (_signed(None), "the digest differs"),
        (_foreign, "of form ngae-checkpoint-1, found None"),
        (_later, "of form ngae-checkpoint-1 or lower, found ngae-checkpoint-2"),
        (_tampered, "the digest differs"),
        (_tampered_facts, "the digest differs"),
        (_truncated, "truncated or foreign"),
        (_pickled, "truncated or foreign"),
        (lambda path: path.write_bytes(b""), "truncated or foreign"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, spoil, message):
    path = tmp_path / "c.safetensors"
    spoil(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(RefusedError, match=message) as caught:
        read_checkpoint(path)
    assert "c.safetensors" in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_weights_that_do_not_fit_are_named(tmp_path):
    module = torch.nn.Linear(3, 2)
    with pytest.raises(RefusedError, match=r"missing \['bias'\], unknown \['w'\]"):
        load_weights(module, {"weight": torch.ones(2, 3), "w": torch.ones(1)}, tmp_path)
    with pytest.raises(RefusedError, match=r"weight: expected shape \(2, 3\), found \(3, 3\)"):
        load_weights(module, {"weight": torch.ones(3, 3), "bias": torch.ones(2)}, tmp_path)


def test_what_another_process_sends_is_the_same_or_refused():
    there = decoded(encoded(GOOD), "process 0")
    assert there.facts == GOOD.facts
    assert there.tensors.keys() == GOOD.tensors.keys()
    assert all(torch.equal(there.tensors[name], t) for name, t in GOOD.tensors.items())
    content = bytearray(encoded(GOOD))
    content[-1] ^= 1
    with pytest.raises(RefusedError, match="process 0: expected the contents that were written"):
        decoded(bytes(content), "process 0")


def test_the_digest_is_of_names_types_shapes_values_and_facts():
    w = torch.arange(6.0)
    whole = _digest({"w": w}, {"step": 3})
    others = [
        ({"v": w}, {"step": 3}), ({"w": w.view(2, 3)}, {"step": 3}), ({"w": w}, {"step": 4}),
        ({"w": w.view(torch.int32)}, {"step": 3}), ({"w": w.flip(0)}, {"step": 3}),
    ]  # fmt: skip
    assert whole not in [_digest(tensors, facts) for tensors, facts in others]
    assert whole == _digest({"w": torch.stack([w, w], 1)[:, 0]}, {"step": 3})  # not contiguous


def test_weights_are_copied_into_a_module_of_these_names_and_shapes():
    module = torch.nn.Linear(2, 1)
    weights = {"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.tensor([3.0])}
    load_weights(module, weights, "here")
    assert module(torch.tensor([[10.0, 100.0]])).item() == 213.0
    weights["weight"] = torch.ones(2, 1)
    with pytest.raises(
        RefusedError, match=r"here: weight: expected shape \(1, 2\), found \(2, 1\)"
    ):
        load_weights(module, weights, "here")
