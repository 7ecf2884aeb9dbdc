"""NAS-Bench-201 (NATS-Bench topology): a public CSV of test accuracies, or the official packages.

The official files are pickles that only their own package reads; it is imported when asked for.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from ngae.data.convert import bad_record, rounded
from ngae.errors import DataError, NgaeError

_LANDSCAPE = {
    "cifar10_test_acc_200ep": "CIFAR10TestAccuracy200Epochs",
    "cifar100_test_acc_200ep": "CIFAR100TestAccuracy200Epochs",
    "imagenet16_120_test_acc_200ep": "ImageNetTestAccuracy200Epochs",
}
_ARCH = "ArchitectureString"
# Name of a data set in the columns: where validation is asked, where testing is.
_DATA = {
    "cifar10": ("cifar10-valid", "cifar10"),
    "cifar100": ("cifar100", "cifar100"),
    "imagenet16_120": ("ImageNet16-120", "ImageNet16-120"),
}


def read_landscape(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of `nats_bench.csv` of v-tao/nats-bench-landscape, in the order of the index.

    Columns: index, arch_str, the test accuracies after 200 epochs in percent, and for each file
    `latency/<device>.pt` (of HayeonLee/HELP) latency_<device>_ms.

    Args:
        path: The file, or a folder with it and with the folder `latency`.

    Raises:
        DataError: A missing column, a row without three accuracies, latencies of other lengths.
    """
    if not path.is_dir():
        yield from _rows(path)
        return
    latencies = read_latencies(path / "latency")
    rows = list(_rows(path / "nats_bench.csv"))
    for device, values in latencies.items():
        if len(values) != len(rows):
            raise DataError(
                f"{path}: expected {len(rows)} latencies of {device}, found {len(values)}"
            )
    for index, row in enumerate(rows):
        times = {
            f"latency_{name}_ms": rounded(values[index], 3) for name, values in latencies.items()
        }
        yield {**row, **times}


def read_latencies(folder: Path) -> dict[str, list[float]]:
    """Read a folder of `<device>.pt`: one list of numbers each, in the order of the index.

    The files are read with `torch.load(weights_only=True)`: lists and tensors, no code.

    Returns:
        The lists by device, in the order of the names.

    Raises:
        DataError: No such files, or something else in one.
    """
    import torch

    found: dict[str, list[float]] = {}
    for file in sorted(folder.glob("*.pt")):
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
            values = torch.as_tensor(content, dtype=torch.float64)
        except Exception as error:  # torch raises many kinds
            raise DataError(f"{file}: expected a list of numbers: {error}") from error
        if values.ndim != 1 or not bool(torch.isfinite(values).all()):
            raise DataError(
                f"{file}: expected one list of finite numbers, found {tuple(values.shape)}"
            )
        found[file.stem] = values.tolist()
    if not found:
        raise DataError(f"{folder}: expected files <device>.pt, found none")
    return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in (_ARCH, *_LANDSCAPE.values()) if name not in _head(reader)]
            if missing:
                raise bad_record(path, "head", f"a column {missing[0]}", ", ".join(_head(reader)))
            for index, cells in enumerate(reader):
                row: dict[str, Any] = {"index": index, "arch_str": cells[_ARCH]}
                if not cells[_ARCH] or None in cells:
                    raise bad_record(path, index + 1, f"{len(_head(reader))} cells", str(cells))
                for name, source in _LANDSCAPE.items():
                    row[name] = _percent(path, index + 1, source, cells[source])
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected a CSV file that can be read: {error}") from error


def _head(reader: csv.DictReader[str]) -> list[str]:
    return list(reader.fieldnames or [])


def _percent(path: Path | str, record: int, name: str, value: object) -> str:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number <= 100:
        raise bad_record(path, record, f"{name}, a number from 0 to 100", str(value))
    return rounded(number, 4)


def read_api(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of an official file or folder, by the package `nats_bench` or `nas_201_api`.

    Raises:
        NgaeError: Neither package is installed.
        DataError: The package cannot read it.
    """
    for module in ("nats_bench", "nas_201_api"):
        try:
            package = import_module(module)
        except ImportError:
            continue
        try:
            if module == "nats_bench":
                api = package.create(str(path), "tss", fast_mode=path.is_dir(), verbose=False)
            else:
                api = package.NASBench201API(str(path), verbose=False)
        except Exception as error:  # whatever the package raises
            raise DataError(f"{path}: expected a file that {module} reads: {error}") from error
        yield from rows_of(api, str(path))
        return
    raise NgaeError(
        f"{path}: expected the package nats_bench or nas_201_api to read it with, found neither",
        remedy="pip install nats-bench (or nas-bench-201)",
    )


def rows_of(api: Any, place: str) -> Iterator[dict[str, Any]]:
    """Yield one row an architecture of an API object, in the order of the index.

    Columns: index, arch_str; for each data set <data>_val_acc_200ep, <data>_test_acc_200ep, the
    same with 12ep (percent, means over the trials; CIFAR-10's validation is of the model trained
    on the half training set); <data>_params_m, <data>_flops_m (10^6, as the package states them).

    Args:
        api: An object with `len`, `arch`, `get_more_info` and `get_cost_info`.
        place: What it was read from, for errors.

    Raises:
        DataError: The object raises anything, or gives no number where one is asked for.
    """
    for index in range(len(api)):
        arch = _answered(place, index, "an architecture", partial(api.arch, index))
        row: dict[str, Any] = {"index": index, "arch_str": str(arch)}
        for epochs in ("200", "12"):
            for data, (validation, test) in _DATA.items():
                asked = _asked(api, place, index, validation, "valid-accuracy", epochs)
                row[f"{data}_val_acc_{epochs}ep"] = asked
                asked = _asked(api, place, index, test, "test-accuracy", epochs)
                row[f"{data}_test_acc_{epochs}ep"] = asked
        for data, (_, test) in _DATA.items():
            costs = _costs(api, place, index, test)
            row[f"{data}_params_m"] = rounded(costs["params"], 6)
            row[f"{data}_flops_m"] = rounded(costs["flops"], 5)
        if getattr(api, "fast_mode", False):  # a folder: each result is loaded when asked for
            api.arch2infos_dict.pop(index, None)
        yield row


def _asked(api: Any, place: str, index: int, source: str, key: str, epochs: str) -> str:
    info = _fields(
        place,
        index,
        f"{source} accuracies after {epochs} epochs",
        lambda: api.get_more_info(index, source, hp=epochs, is_random=False),
    )
    return _percent(place, index, f"{source} {key} after {epochs} epochs", info.get(key))


def _costs(api: Any, place: str, index: int, source: str) -> dict[str, float]:
    costs = _fields(place, index, f"{source} costs", lambda: api.get_cost_info(index, source))
    return {
        name: _cost(place, index, f"{source} {name}", costs.get(name))
        for name in ("params", "flops")
    }


def _cost(place: str, record: int, name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise bad_record(place, record, f"{name}, a finite number from 0", str(value))
    return number


def _fields(place: str, index: int, what: str, ask: Callable[[], Any]) -> Mapping[str, Any]:
    found = _answered(place, index, what, ask)
    if not isinstance(found, Mapping):
        raise bad_record(place, index, what, found)
    return found


def _answered(place: str, index: int, what: str, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:  # whatever the package raises
        raise bad_record(place, index, what, f"{type(error).__name__}: {error}") from error
