import pytest

from ngae.errors import UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.search.config import GradientConfig
from ngae.search.gradient import GradientSearch
from ngae.search.problem import Problem
from ngae.spaces.enas import EnasSpace


def test_a_weight_needs_a_complexity_predictor(make_table):
    table = make_table(20, EnasSpace(3))
    config = ModelConfig(hidden_dim=8, latent_dim=4, complexity_predictor=False)
    scales = TargetScaler.fit(table.performance[:, None]), TargetScaler.fit(table.complexity)
    model = NGAEModel(table.space, config, *scales, seed=0)
    problem = Problem(table.space, table)
    with pytest.raises(UsageError, match="expected a model with a complexity predictor"):
        GradientSearch(model, problem, config=GradientConfig(weight=0.5))
    assert (
        len(GradientSearch(model, problem, config=GradientConfig(num_starts=8, steps=2)).ask(3))
        == 3
    )
