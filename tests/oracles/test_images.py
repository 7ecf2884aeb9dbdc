import builtins
import pickle

import numpy as np
import pytest
import torch

from ngae.errors import DataError, MissingExtraError, UsageError
from ngae.oracles import ImageData, images_named
from ngae.oracles.images import as_input


def made(count=10, shape=(3, 4, 4), **changes):
    images = torch.arange(count * int(np.prod(shape)), dtype=torch.float32).reshape(count, *shape)
    labels = torch.arange(count) % 2
    values = {
        "train_images": images, "train_labels": labels,
        "validation_images": images[:4], "validation_labels": labels[:4],
        "name": "made", "num_classes": 2,
    }  # fmt: skip
    return ImageData(**{**values, **changes})


def test_the_digits_are_there():
    images = images_named("digits")
    assert (images.shape, images.num_classes, images.name) == ((1, 8, 8), 10, "digits")
    assert images.identity == images_named("digits").identity
    assert images.identity != made().identity


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": torch.zeros(10, 4, 4)}, r"train part: expected float32 .* \(10, 4, 4\)"),
        ({"train_images": torch.zeros(10, 3, 4, 4).double()}, "found torch.float64"),
        ({"validation_images": torch.zeros(4, 1, 4, 4)}, r"validation part: .* \(1, 4, 4\)"),
        ({"validation_labels": torch.zeros(3).long()}, r"expected int64 labels \(4,\)"),
        ({"train_labels": torch.zeros(10)}, "found torch.float32"),
        ({"train_labels": torch.full((10,), 2)}, "expected labels from 0 to 1, found 2..2"),
        ({"validation_images": torch.zeros(0, 3, 4, 4)}, r"found torch.float32 \(0, 3, 4, 4\)"),
        ({"test_images": torch.zeros(4, 3, 4, 4)}, "expected test images and labels, found one"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        made(**changes)


def test_a_split_takes_every_image_once():
    images = torch.arange(50).reshape(50, 1, 1, 1).to(torch.uint8)
    labels = torch.arange(50) % 5
    first, again, other = (ImageData.split(images, labels, "s", 5, seed=seed) for seed in (0, 0, 1))
    assert (len(first.train_labels), len(first.validation_labels)) == (40, 10)
    everything = torch.cat([first.train_images, first.validation_images]).flatten()
    assert sorted(everything.tolist()) == list(range(50))
    assert torch.equal(first.validation_images.flatten().long() % 5, first.validation_labels)
    assert first.identity == again.identity != other.identity
    with pytest.raises(DataError, match="expected images for two parts, found 1"):
        ImageData.split(images[:1], labels[:1], "s", 5)


def test_datasets_of_torch_are_taken_whole():
    images, labels = torch.rand(6, 1, 2, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    train = torch.utils.data.TensorDataset(images, labels)
    data = ImageData.from_datasets(train, torch.utils.data.Subset(train, [5, 0]))
    assert torch.equal(data.train_images, images)
    assert (data.validation_labels.tolist(), data.num_classes) == ([2, 0], 3)
    pictures = [(np.full((2, 3, 3), 255, dtype=np.uint8), 1), (np.zeros((2, 3, 3), np.uint8), 0)]
    data = ImageData.from_datasets(pictures, pictures, "p", 4)
    assert (data.shape, data.train_images.dtype, data.num_classes) == ((3, 2, 3), torch.uint8, 4)
    assert as_input(data.train_images)[0].unique().tolist() == [1.0]
    with pytest.raises(DataError, match="one type and shape"):
        ImageData.from_datasets([pictures[0], (images[0], 1)], pictures)
    with pytest.raises(DataError, match="one type and shape, found none"):
        ImageData.from_datasets([], pictures)


def test_images_travel_as_they_are():
    data = made(test_images=torch.ones(2, 3, 4, 4), test_labels=torch.tensor([0, 1]))
    copy = pickle.loads(pickle.dumps(data))
    assert copy.identity == data.identity
    assert pickle.loads(pickle.dumps(made())).test_images is None


@pytest.mark.parametrize(
    "name", ["digit", "", "folder", "folder:", "cifar10", "imagenet:/x", "digits:/x"]
)
def test_other_names_are_refused(name):
    with pytest.raises(UsageError, match=r"--images: expected digits or one of folder:PATH"):
        images_named(name)


@pytest.mark.parametrize("name", ["folder:{}", "cifar10:{}", "mnist:{}"])
def test_a_missing_extra_is_one_line(tmp_path, monkeypatch, name):
    true_import = builtins.__import__

    def without(module, *args, **kwargs):
        if module.split(".")[0] in ("PIL", "torchvision"):
            raise ImportError(module)
        return true_import(module, *args, **kwargs)

    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.png").write_bytes(b"")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match="which is not installed") as caught:
        images_named(name.format(tmp_path))
    assert caught.value.remedy == "pip install 'ngae[vision]'"


def write(path, value, size=(4, 4), mode="RGB"):
    picture = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.new(mode, size, value).save(path)


def test_folders_of_classes_are_split(tmp_path):
    for number in range(10):
        write(tmp_path / "cat" / f"{number}.png", (number, 0, 0))
        write(tmp_path / "dog" / f"{number}.PNG", (0, number, 255))
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    data = images_named(f"folder:{tmp_path}")
    assert (data.shape, data.num_classes, data.test_labels) == ((3, 4, 4), 2, None)
    assert (len(data.train_labels), len(data.validation_labels)) == (16, 4)
    dogs = data.train_images[:, 2, 0, 0] == 255
    assert torch.equal(dogs.long(), data.train_labels)


def test_folders_of_parts_are_taken_as_they_are(tmp_path):
    for part, count in (("train", 3), ("val", 2), ("test", 1)):
        for label, name in enumerate("ab"):
            for number in range(count):
                write(tmp_path / part / name / f"{number}.png", 100 * label + number, mode="L")
    data = images_named(f"folder:{tmp_path}")
    assert data.shape == (1, 4, 4)
    assert data.train_images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert data.validation_labels.tolist() == [0, 0, 1, 1]
    assert data.test_images[:, 0, 0, 0].tolist() == [0, 100]
    write(tmp_path / "val" / "c" / "0.png", 0, mode="L")
    with pytest.raises(DataError, match="expected the classes a, b, found a, b, c"):
        images_named(f"folder:{tmp_path}")


def test_broken_folders_are_explained(tmp_path):
    with pytest.raises(DataError, match="expected a folder, found none"):
        images_named(f"folder:{tmp_path / 'gone'}")
    with pytest.raises(DataError, match="a folder for each of two classes or more"):
        images_named(f"folder:{tmp_path}")
    write(tmp_path / "a" / "0.png", 0)
    (tmp_path / "b").mkdir()
    with pytest.raises(DataError, match=r"b: expected files that end in \.png"):
        images_named(f"folder:{tmp_path}")
    write(tmp_path / "b" / "0.png", 0, size=(5, 4))
    with pytest.raises(DataError, match=r"b/0.png: expected .* \(3, 4, 4\), found \(3, 4, 5\)"):
        images_named(f"folder:{tmp_path}")
    (tmp_path / "b" / "0.png").write_bytes(b"no png")
    with pytest.raises(DataError, match=r"b/0\.png: expected a PNG or JPEG image"):
        images_named(f"folder:{tmp_path}")
