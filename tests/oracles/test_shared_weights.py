import builtins
import pickle

import numpy as np
import pytest
import torch

from ngae.data.digits6 import SPACE, WEIGHTS
from ngae.errors import DataError, GraphError, MissingExtraError, TrainingError, UsageError
from ngae.networks.macro import MacroConfig
from ngae.networks.macro_network import MacroBank
from ngae.oracles import ImageData
from ngae.oracles.base import BudgetExhaustedError
from ngae.oracles.digits import load_digits_images
from ngae.oracles.shared_weights import (
    SharedWeights,
    SharedWeightsConfig,
    train_shared_weights,
)
from ngae.oracles.weights_file import load_weights, save_weights
from ngae.spaces.enas import EnasSpace

TINY = EnasSpace(2, MacroConfig(channels=2))
FEW = SharedWeightsConfig(steps=3, networks=1, batch_size=16)


def draw(space, count, seed=0):
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def test_images_are_split_900_and_897():
    digits = load_digits_images()
    assert digits.train_images.shape == (900, 1, 8, 8)
    assert digits.validation_images.shape == (897, 1, 8, 8)
    assert digits.train_labels[:5].tolist() == [0, 1, 2, 3, 4]
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 1)
    assert sorted(set(digits.validation_labels.tolist())) == list(range(10))


def test_layers_of_a_dag():
    dag = EnasSpace(3).parse("[[2], [0, 1], [5, 0, 1]]")
    assert EnasSpace(3).layers(dag) == ((2, 0, 5), ((0,), (0, 1), (1, 2)))


def test_an_answer_is_the_share_of_correct_images():
    oracle = SharedWeights.for_digits6(budget=2)
    dag = draw(SPACE, 1)[0]
    answer = oracle.query(dag)
    digits = load_digits_images()
    scores = load_weights(WEIGHTS)(digits.validation_images, *EnasSpace(6).layers(dag))
    correct = int((scores.argmax(1) == digits.validation_labels).sum())
    assert answer.detail == {"correct": correct, "images": 897}
    assert answer.performance == correct / 897
    assert list(answer.complexity.values()) == SPACE.complexity([dag])[0].tolist()
    assert answer.cost_s > 0
    assert oracle.query(dag).performance == answer.performance
    with pytest.raises(BudgetExhaustedError):
        oracle.query(dag)
    assert oracle.queries == 2


def test_counts_do_not_depend_on_the_other_architectures():
    oracle = SharedWeights.for_digits6()
    dags = draw(SPACE, 8)
    # Twice the same, and one that differs in the last layer alone.
    text = SPACE.format(dags[2])
    last = "".join("0" if c == "1" else c for c in text[text.rindex("[") :])
    dags += [dags[2], SPACE.parse(text[: text.rindex("[")] + last)]
    done = []
    counts = oracle.count_correct(dags, on_dag=lambda: done.append(1))
    alone = [oracle.query(dag).detail["correct"] for dag in dags]
    assert counts.tolist() == alone
    assert len(set(alone)) > 5
    assert len(done) == 10
    assert oracle.count_correct(dags[::-1]).tolist() == alone[::-1]
    assert oracle.count_correct([]).shape == (0,)


@pytest.mark.parametrize("num_layers", [1, 4])
def test_other_numbers_of_layers_work(num_layers):
    space = EnasSpace(num_layers, MacroConfig(channels=2))
    oracle = SharedWeights(space, MacroBank.complete(num_layers, space.network))
    for dag in draw(space, 3):
        assert 0 <= oracle.query(dag).performance <= 1


def test_training_follows_the_seed_and_leaves_the_random_state_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    losses = []
    first = train_shared_weights(TINY, FEW, lambda step, loss: losses.append((step, loss)))
    assert torch.equal(torch.get_rng_state(), before)
    assert [step for step, _ in losses] == [0, 1, 2]
    again = train_shared_weights(TINY, FEW).state_dict()
    for name, value in first.state_dict().items():
        assert torch.equal(value, again[name]), name
    other = SharedWeightsConfig(steps=3, networks=1, batch_size=16, seed=1)
    changed = train_shared_weights(TINY, other).state_dict()
    assert not torch.equal(changed["stem.0.weight"], again["stem.0.weight"])
    assert not any(parameter.requires_grad for parameter in first.parameters())


def test_training_lowers_the_loss():
    losses = []
    config = SharedWeightsConfig(steps=250, networks=1, batch_size=64, learning_rate=0.05)
    train_shared_weights(EnasSpace(1), config, lambda step, loss: losses.append(loss))
    assert np.mean(losses[-20:]) < 0.85 * np.mean(losses[:10])


def test_a_loss_that_is_not_finite_ends_the_training():
    config = SharedWeightsConfig(steps=50, networks=1, batch_size=16, learning_rate=1e30)
    with pytest.raises(TrainingError, match="the loss is"):
        train_shared_weights(TINY, config)


def test_weights_are_the_same_after_saving_and_bytes_follow_from_them(tmp_path):
    bank = MacroBank.complete(2, TINY.network)
    save_weights(tmp_path / "a.safetensors", bank)
    loaded = load_weights(tmp_path / "a.safetensors")
    assert (loaded.num_layers, loaded.config) == (2, TINY.network)
    for name, value in bank.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    save_weights(tmp_path / "b.safetensors", loaded)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"\x08\0\0\0\0\0\0\0{}      ", b"x" * 100])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="expected a file that save_weights wrote"):
        load_weights(path)


def test_space_and_weights_must_fit():
    with pytest.raises(UsageError, match="SharedWeights: weights: expected"):
        SharedWeights(EnasSpace(3, TINY.network), MacroBank.complete(2, TINY.network))
    large = EnasSpace(2, MacroConfig(image_size=16))
    with pytest.raises(UsageError, match=r"expected image_size.* found \(16, 1, 10\)"):
        SharedWeights(large, MacroBank.complete(2, large.network))
    with pytest.raises(UsageError, match="image_size"):
        train_shared_weights(large)


def test_an_architecture_outside_of_the_space_costs_nothing():
    oracle = SharedWeights.for_digits6()
    with pytest.raises(GraphError, match="enas6: expected 8 nodes"):
        oracle.query(draw(TINY, 1)[0])
    assert oracle.queries == 0


@pytest.mark.parametrize("values", [{"steps": 0}, {"batch_size": 1}, {"learning_rate": -1.0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(UsageError, match="expected a number"):
        SharedWeightsConfig(**values)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    true_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return true_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match="scikit-learn") as caught:
        SharedWeights.for_digits6()
    assert caught.value.remedy == "pip install 'ngae[ml]'"


def test_any_images_of_the_space_s_sizes_will_do():
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (60, 3, 5, 5), generator=rng, dtype=torch.uint8)
    labels = torch.arange(60) % 3
    data = ImageData(images[:40], labels[:40], images[40:], labels[40:], "noise", 3)
    network = MacroConfig(channels=2, image_size=5, image_channels=3, num_classes=3)
    space = EnasSpace(3, network, least_layers=2)
    bank = train_shared_weights(space, FEW, images=data)
    oracle = SharedWeights(space, bank, images=data)
    for dag in draw(space, 6):
        scores = bank(images[40:].float() / 255, *space.layers(dag))
        correct = int((scores.argmax(1) == labels[40:]).sum())
        assert oracle.query(dag).detail == {"correct": correct, "images": 20}
    with pytest.raises(UsageError, match=r"\(8, 1, 10\) of digits, found \(5, 3, 3\)"):
        SharedWeights(space, bank)


def test_a_copy_in_another_process_is_the_same_oracle():
    oracle = SharedWeights(TINY, MacroBank.complete(2, TINY.network), budget=3)
    copy = pickle.loads(pickle.dumps(oracle))
    assert copy.identity == oracle.identity
    dags = draw(TINY, 5)
    assert copy.count_correct(dags).tolist() == oracle.count_correct(dags).tolist()
