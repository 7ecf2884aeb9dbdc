import pytest
import torch

import ngae
import ngae.search.predicted
import ngae.spaces.registry
from ngae.errors import RefusedError, UsageError


@pytest.fixture
def fitted(tmp_path, make_table):
    """A tiny model of a file of its own."""
    space = ngae.spaces.registry.space_named("enas3")
    table = make_table(60, space)
    lines = [
        f"{space.format(d)}, {p}\n" for d, p in zip(table.dags, table.performance, strict=True)
    ]
    (tmp_path / "t.txt").write_text("".join(lines))
    data = ngae.load(str(tmp_path / "t.txt"))
    model = ngae.NGAE(hidden_dim=8, latent_dim=4, head_dim=8, predictor_dim=8, prior_points=20)
    return model.fit(data, epochs=2, out=tmp_path / "run", protocol_points=4)


def test_load_gives_back_what_fit_made(fitted, tmp_path):
    loaded = ngae.NGAE.load(tmp_path / "run")
    assert loaded.config == fitted.config
    dags = fitted.data.test.dags
    assert torch.equal(loaded.encode(dags).mean, fitted.encode(dags).mean)
    again = loaded.evaluate()
    assert again["reconstruction"] == fitted.metrics["reconstruction"]
    z = loaded.encode(dags).mean
    assert loaded.decode(z) == fitted.decode(z)
    assert torch.equal(loaded.predict(z).performance, fitted.predict(z).performance)


def test_a_run_loads_on_a_named_device(fitted, tmp_path):
    loaded = ngae.NGAE.load(tmp_path / "run", "cpu")
    assert loaded.model.device == torch.device("cpu")
    assert loaded.config.train.device == "cpu"
    with pytest.raises(RefusedError, match="--device: expected auto, cpu or a device of this mach"):
        ngae.NGAE.load(tmp_path / "run", "nowhere")


@pytest.mark.gpu
def test_a_run_goes_to_a_device(fitted, tmp_path, cuda_device):
    loaded = ngae.NGAE.load(tmp_path / "run", "cuda")
    assert loaded.model.device == cuda_device
    dags = fitted.data.test.dags
    torch.testing.assert_close(loaded.encode(dags).mean.cpu(), fitted.encode(dags).mean)
    metrics = loaded.evaluate()
    assert metrics["prior"]["validity"] == 1.0
    assert metrics["reconstruction"]["mean"] == pytest.approx(
        fitted.metrics["reconstruction"]["mean"], rel=1e-4
    )
    oracle = ngae.search.predicted.Predicted(
        loaded.model, loaded.data.space, loaded.data.table.complexity_names
    )
    result = ngae.Search(loaded, seed=1, num_starts=16, steps=5).run(budget=6, oracle=oracle)
    assert len(result.trials) == 6


def test_search_is_the_same_twice_and_within_the_budget(fitted):
    oracle = ngae.search.predicted.Predicted(
        fitted.model, fitted.data.space, fitted.data.table.complexity_names
    )
    results = [
        ngae.Search(fitted, seed=1, num_starts=16, steps=5).run(budget=6, oracle=oracle)
        for _ in range(2)
    ]
    first, second = ([t.dag for t in result.trials] for result in results)
    assert first == second
    assert len({dag.canonical_hash for dag in first}) == 6
    known = set(fitted.data.table.hashes)
    assert all(dag.canonical_hash not in known for dag in first)
    assert results[0].best in results[0].pareto
    costs = [trial.answer.complexity["params"] for trial in results[0].pareto]
    assert costs == sorted(costs)


def test_wrong_use_is_named():
    with pytest.raises(UsageError, match="expected a known setting, found 'hiden_dim'"):
        ngae.NGAE(hiden_dim=3)
    with pytest.raises(UsageError, match="expected a trained model"):
        ngae.NGAE().evaluate()
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        ngae.Nothing  # noqa: B018
