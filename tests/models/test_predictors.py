"""The predictors: several members whose mean predicts, and what the ascent is given of them."""

import json

import numpy as np
import pytest
import torch

from ngae.errors import UsageError
from ngae.models import LossConfig, ModelConfig, NGAEModel, TargetScaler, objective
from ngae.models.inputs import Inputs
from ngae.models.predictors import Predictor
from ngae.ops import ascend
from ngae.settings import read_file
from ngae.spaces.enas import EnasSpace
from ngae.train.config import RunConfig

SCALER = TargetScaler.fit(np.array([[0.1, 3.0], [0.7, 5.0], [0.4, 9.0]]))
SMALL = {"hidden_dim": 8, "latent_dim": 4, "head_dim": 8, "predictor_dim": 6}


def _predictor(members):
    torch.manual_seed(0)
    return Predictor(4, 6, SCALER, members)


def _points(count=5):
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(1))


def test_the_mean_of_the_members_is_predicted():
    predictor, z = _predictor(3), _points()
    each = predictor.each(z)
    assert each.shape == (3, 5, 2)
    torch.testing.assert_close(predictor(z), each.sum(0) / 3)
    assert (each.std(0) > 1e-4).all()  # members differ
    first, last = predictor.layers(z), predictor.further[1](z)
    width = predictor.high - predictor.low
    torch.testing.assert_close(each[0], predictor.low + width * first)
    torch.testing.assert_close(each[2], predictor.low + width * last)


def test_one_member_has_the_weights_names_and_bits_of_a_single_mlp():
    one, three, z = _predictor(1), _predictor(3), _points()
    names = [name for name, _ in one.named_parameters()]
    assert names == [f"layers.{n}.{kind}" for n in (0, 2, 4) for kind in ("weight", "bias")]
    assert torch.equal(one.each(z)[0], one.low + (one.high - one.low) * one.layers(z))
    assert torch.equal(one.layers[0].weight, three.layers[0].weight)  # the first is drawn first
    torch.testing.assert_close(one.each(z)[0], three.each(z)[0])


@pytest.mark.parametrize("members", [1, 3, 8])
@pytest.mark.parametrize("rows", [1, 3, 64])
def test_what_is_predicted_at_a_point_depends_on_no_other(members, rows):
    torch.manual_seed(0)
    predictor, z = Predictor(24, 72, SCALER, members), torch.randn(1000, 24)
    with torch.no_grad():
        whole, each = predictor(z), predictor.each(z)
        parts = torch.cat([predictor(part) for part in z[:200].split(rows)])
    assert torch.equal(parts, whole[:200])
    torch.testing.assert_close(whole, each.sum(0) / members)


def test_the_ascent_climbs_the_weighted_mean():
    predictor, z = _predictor(3), _points()
    weights = [2.0, -0.5]
    point = z.clone().requires_grad_()
    (predictor.in_units(predictor(point)) @ torch.tensor(weights)).sum().backward()
    step = 0.01 * 2 * point.grad / point.grad.norm(dim=1, keepdim=True)
    with torch.no_grad():
        found = ascend(z, predictor.weighed(weights), step_size=0.01, keep=[1])[0]
    inside = z.norm(dim=1) < 2.9  # of the radius 3 points are drawn back to
    assert inside.sum() > 1
    torch.testing.assert_close(found[inside], (z + step)[inside], rtol=1e-4, atol=1e-6)


def test_each_member_learns_the_targets_by_itself(make_table):
    space = EnasSpace(4)
    table = make_table(6, space)
    model = NGAEModel(
        space,
        ModelConfig(**SMALL, performance_members=3),
        TargetScaler.fit(table.performance[:, None]),
        TargetScaler.fit(table.complexity),
        seed=0,
    )
    inputs = Inputs.of(table, np.arange(6), model.device)
    noise = torch.zeros(6, 4)
    terms = model(inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, noise)
    targets = model.performance.standardised(inputs.performance[:, None])
    z = model.encoder(inputs.batch).mean
    errors = [(each - targets).square().mean() for each in model.performance.each(z)]
    torch.testing.assert_close(terms.performance, sum(errors) / 3)
    assert len(list(model.complexity.parameters())) == 6  # one member
    objective(terms, LossConfig()).backward()
    for member in (model.performance.layers, *model.performance.further):
        assert all(p.grad.abs().sum() > 0 for p in member.parameters())


def test_settings_of_before_have_one_member_those_of_people_the_default(tmp_path):
    written = {"format_version": 1, "model": {"hidden_dim": 8}, "train": {"epochs": 2}}
    own = {"model": {"hidden_dim": 8}}
    for name, values, members in (("run", written, 1), ("own", own, 8)):
        (tmp_path / f"{name}.json").write_text(json.dumps(values))
        config = RunConfig.from_sections(read_file(tmp_path / f"{name}.json"), name)
        assert (config.model.performance_members, config.model.hidden_dim) == (members, 8)
    kept = {"format_version": 1, "model": {"performance_members": 2}}
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    assert read_file(tmp_path / "kept.json") == {"model": {"performance_members": 2}}


def test_no_member_is_refused():
    with pytest.raises(UsageError, match="--performance-members: expected a number from 1"):
        ModelConfig(performance_members=0)
