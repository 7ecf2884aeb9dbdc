"""Training for spaces other than ENAS, on images other than the digits."""

import os
import struct
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from ngae.errors import UsageError
from ngae.oracles import Epoch, ImageData, Training, TrainingConfig
from ngae.spaces.chain import Chain
from ngae.spaces.nasbench201 import NasBench201Config, NasBench201Space

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
CIFAR = DATA / "cifar10-4k"


class Rows(Chain):
    """Two layers on flattened digits."""

    operations: ClassVar = {
        "linear": lambda: nn.Linear(16, 16),
        "relu": nn.ReLU,
        "drop": nn.Dropout,
    }
    length = 2
    input_shape = (1, 8, 8)

    def stem(self):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16))

    def head(self):
        return nn.Linear(16, 10)


class Names(Chain):
    operations = ("a", "b")


class Wrong(Rows):
    def head(self):
        return nn.Linear(16, 9)


SPACE = Rows()
DAG = SPACE.parse("linear(0) relu(0,1) output(2)")
ONE = TrainingConfig(epochs=2, batch_size=100)


def test_any_space_that_classifies_is_trained():
    answer = Training(SPACE, TrainingConfig(epochs=8)).query(DAG)
    assert answer.performance > 0.75
    assert answer.performance == answer.detail["correct"] / 897
    weights = 64 * 16 + 16 * 16 + 16 * 10
    assert answer.complexity == {"params": weights + 16 + 16 + 10, "macs": weights}


@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 0.01), ("sgd", 0.1)])
def test_a_seed_decides_and_the_random_state_is_left_alone(optimizer, rate):
    dag = SPACE.parse("drop(0) linear(1) output(2)")
    settings = {"epochs": 2, "batch_size": 100, "optimizer": optimizer, "learning_rate": rate}
    config = TrainingConfig(**settings)
    before = torch.get_rng_state()
    first, again = (Training(SPACE, config).query(dag) for _ in range(2))
    torch.manual_seed(1)
    third = Training(SPACE, config).query(dag)
    torch.set_rng_state(before)
    assert first.performance == again.performance == third.performance > 0.15
    other = TrainingConfig(**settings, seed=5)
    assert Training(SPACE, other).query(dag).performance != first.performance


def test_several_seeds_are_averaged():
    alone = [
        Training(SPACE, TrainingConfig(epochs=2, batch_size=100, seed=seed)).query(DAG).performance
        for seed in (3, 4)
    ]
    both = Training(SPACE, TrainingConfig(epochs=2, batch_size=100, seed=3, seeds=2)).query(DAG)
    assert both.performance == pytest.approx(np.mean(alone))
    assert both.detail["performance_std"] == pytest.approx(np.std(alone, ddof=1))
    assert both.detail["seeds"] == 2


def test_epochs_are_told_and_judging_them_changes_nothing():
    epochs = []
    watched = Training(SPACE, ONE, on_epoch=epochs.append).query(DAG)
    assert watched.performance == Training(SPACE, ONE).query(DAG).performance
    assert [(e.seed, e.epoch) for e in epochs] == [(0, 1), (0, 2)]
    assert isinstance(epochs[0], Epoch)
    assert epochs[1].loss < epochs[0].loss
    assert epochs[1].accuracy == watched.performance


def test_patience_ends_a_training_at_its_best_epoch():
    epochs = []
    config = TrainingConfig(epochs=30, batch_size=30, learning_rate=0.3, patience=2)
    answer = Training(SPACE, config, on_epoch=epochs.append).query(DAG)
    accuracies = [e.accuracy for e in epochs]
    assert len(epochs) < 30
    assert answer.performance == max(accuracies)
    assert accuracies.index(max(accuracies)) == len(epochs) - 3


def test_bfloat16_learns_as_well():
    answer = Training(SPACE, TrainingConfig(epochs=8, precision="bf16")).query(DAG)
    assert answer.performance > 0.75


def test_test_images_are_reported_and_do_not_guide():
    data = Training(SPACE, ONE).images
    validation, labels = data.validation_images, data.validation_labels
    parts = (data.train_images, data.train_labels, validation, labels, "d", 10)
    tested = ImageData(*parts, validation[:100], (labels[:100] + 1) % 10)
    answer = Training(SPACE, ONE, images=tested).query(DAG)
    assert answer.performance == Training(SPACE, ONE).query(DAG).performance > 0.3
    assert answer.detail["test_accuracy"] < 0.3


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (Names(), "expected a space whose `build` makes networks, found .*Names: .*names alone"),
        (Wrong(), r"expected class scores \(2, 10\), found \(2, 9\)"),
        (NasBench201Space(), r"expected .* \(8, 1, 10\) of digits, found \(32, 3, 10\)"),
    ],
)
def test_spaces_that_do_not_fit_are_refused_at_once(space, message):
    with pytest.raises(UsageError, match=f"Training: {message}"):
        Training(space)


def test_images_that_do_not_fit_are_refused_at_once():
    images = torch.zeros(4, 1, 9, 9)
    labels = torch.arange(4)
    data = ImageData(images, labels, images, labels, "nine", 10)
    with pytest.raises(UsageError, match=r"take images \(2, 1, 9, 9\) of nine, found: mat1"):
        Training(SPACE, images=data)
    with pytest.raises(UsageError, match="device: expected one of this machine, found 'nowhere'"):
        Training(SPACE, TrainingConfig(device="nowhere"))


def test_the_identity_names_what_decides():
    same = [Training(SPACE, ONE).identity for _ in range(2)]
    assert same[0] == same[1]
    noise = ImageData.split(torch.rand(9, 1, 8, 8), torch.arange(9), "x", 10)
    others = [
        Training(SPACE, TrainingConfig(epochs=3, batch_size=100)).identity,
        Training(SPACE, ONE, images=noise).identity,
    ]
    assert len({same[0], *others}) == 3


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_on_a_gpu(cuda_device, precision):
    config = TrainingConfig(epochs=8, device=str(cuda_device), precision=precision)
    first, again = (Training(SPACE, config).query(DAG).performance for _ in range(2))
    assert first == again > 0.75


def _pixels(path):
    """Bytes of a PNG picture of 8-bit RGB: (height, width, 3)."""
    content, place, packed = path.read_bytes(), 8, b""
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        body = content[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2)
        packed += body if kind == b"IDAT" else b""
        place += length + 12
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 3 * width)
    rows = np.zeros((height + 1, 3 * width + 3), dtype=np.uint8)
    for y, (method, line) in enumerate(zip(lines[:, 0], lines[:, 1:], strict=True), 1):
        rows[y, 3:] = _unfiltered(method, line, rows[y - 1])
    return rows[1:, 3:].reshape(height, width, 3)


def _unfiltered(method, line, above):
    if method in (0, 2):
        return line + (above[3:] if method == 2 else 0)
    out = [0, 0, 0]
    for x, value in enumerate(line.tolist(), 3):
        a, b, c = out[x - 3], int(above[x]), int(above[x - 3])
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((value + {1: a, 3: (a + b) // 2, 4: paeth}[int(method)]) % 256)
    return np.array(out[3:], dtype=np.uint8)


@pytest.mark.end_to_end
@pytest.mark.skipif(not CIFAR.exists(), reason=f"no images in {CIFAR} (NGAE_TEST_DATA)")
def test_cifar_10_is_learned_above_chance():
    pictures = _pixels(CIFAR / "cifar10_batch_0.png").reshape(1000, 32, 32, 3)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    table = np.loadtxt(CIFAR / "labels.csv", delimiter=",", skiprows=1, dtype=np.int64)
    labels = torch.from_numpy(table[:1000, 1])
    data = ImageData(images[:700], labels[:700], images[700:], labels[700:], "cifar10-4k", 10)
    space = NasBench201Space(NasBench201Config(channels=4, cells=1))
    dag = space.parse(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    )
    epochs = []
    answer = Training(space, TrainingConfig(epochs=4), images=data, on_epoch=epochs.append).query(
        dag
    )
    assert answer.performance > 0.2
    assert epochs[-1].loss < epochs[0].loss
    assert answer.detail["images"] == 300
