"""What a report reads: the files of a run folder, checked and as plain values and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.dags import Dags
from ngae.errors import DataError, RefusedError
from ngae.files import check_form, parse_json
from ngae.report.arrays import DRAWN, Arrays, array_of, read_arrays, remedy_of
from ngae.report.graphs import dags_of


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of the run's table, those of the training part first.

    Attributes:
        mean: (num_rows, latent_dim) posterior means.
        performance: (num_rows,), NaN where it is not known.
        complexity: (num_rows, num_complexities).
        num_train: Rows of the training part.
        predicted_performance: (num_rows,), or None without that predictor.
        predicted_complexity: (num_rows, num_complexities), or None likewise.
        dags: The architectures.
        ascents: (num_kept, num_paths, latent_dim) ascents of the predicted performance, or None.
    """

    mean: NDArray[np.float64]
    performance: NDArray[np.float64]
    complexity: NDArray[np.float64]
    num_train: int
    predicted_performance: NDArray[np.float64] | None
    predicted_complexity: NDArray[np.float64] | None
    dags: Dags
    ascents: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.mean)


@dataclass(frozen=True, eq=False)
class FoundBySearch:
    """One search in the run folder.

    Attributes:
        name: Name of its folder.
        result: `result.json`; {} where the search did not end.
        trials: Lines of `trials.jsonl` whose architecture was encoded.
        mean: (num_trials, latent_dim) where they are in the latent space.
        dags: Their architectures.
    """

    name: str
    result: Mapping[str, Any]
    trials: tuple[Mapping[str, Any], ...]
    mean: NDArray[np.float64]
    dags: Dags


@dataclass(frozen=True, eq=False)
class RunFiles:
    """Everything that a report is made of.

    Attributes:
        path: The run folder.
        config: `config.json`.
        environment: `env.json`.
        data: `data.json`.
        metrics: `metrics.json`.
        log: Lines of `log.jsonl`.
        node_types: A label for each node type.
        rows: The table.
        searches: In order of their names.
    """

    path: Path
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    log: tuple[Mapping[str, Any], ...]
    node_types: tuple[str, ...]
    rows: Rows
    searches: tuple[FoundBySearch, ...]


def read_run(path: Path) -> RunFiles:
    """Read a run folder.

    Raises:
        RefusedError: A file of a finished run is missing, or the run is of a later form.
        DataError: A file that is not what it should be.
    """
    names = ("config.json", "env.json", "data.json", "metrics.json")
    config, environment, data, metrics = (read_json(path / name) for name in names)
    check_form(config, path / "config.json")
    drawn = read_arrays(path / DRAWN)
    rows = _rows(path, read_latents(path), drawn)
    labels = tuple(str(label) for label in array_of(path / DRAWN, drawn, "node_types").tolist())
    return RunFiles(
        path, config, environment, data, metrics, tuple(read_lines(path / "log.jsonl")),
        labels, rows, tuple(_search(folder) for folder in searches_in(path)),
    )  # fmt: skip


def searches_in(path: Path, having: str = DRAWN) -> list[Path]:
    """List the folders of searches that hold the file `having`, by name."""
    return sorted(file.parent for file in (path / "search").glob(f"*/{having}"))


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        RefusedError: There is no such file.
        DataError: It holds something else.
    """
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RefusedError(
            f"{path.parent}: expected a finished run, found no {path.name}",
            remedy="`ngae train` makes one; --resume ends one that was interrupted",
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON objects, one a line, up to a line that a crash has cut off; [] without the file.

    Raises:
        DataError: It is no text in UTF-8.
    """
    return [value for _, value in numbered_lines(path)]


def numbered_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Read as `read_lines` does, each with the number of its line, from 1."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected lines of JSON in UTF-8: {error}") from error
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except ValueError:
            break
        if isinstance(value, dict):
            found.append((number, value))
    return found


def read_latents(path: Path) -> dict[str, NDArray[Any]]:
    """Read `latents.npz` of a run folder: encodings and targets of training and test rows.

    Args:
        path: The run folder.

    Raises:
        RefusedError: There is no such file.
        DataError: It is no such file, or an array is missing or of another form.
    """
    place = path / "latents.npz"
    arrays = read_arrays(place)
    for name, axes in (("mean", 2), ("performance", 1), ("complexity", 2)):
        for part in ("train", "test"):
            found = array_of(place, arrays, f"{part}_{name}")
            if found.ndim != axes or found.dtype.kind not in "fiu":
                raise DataError(
                    f"{place}: {part}_{name}: expected numbers along {axes} axes, "
                    f"found {found.dtype} along {found.ndim}",
                    remedy=remedy_of(place),
                )
        widths = [arrays[f"{part}_{name}"].shape[1:] for part in ("train", "test")]
        if widths[0] != widths[1]:
            raise DataError(
                f"{place}: test_{name}: expected rows of {widths[0]}, as in train_{name}, "
                f"found {widths[1]}",
                remedy=remedy_of(place),
            )
    return arrays


def _rows(path: Path, latents: Arrays, drawn: Arrays) -> Rows:
    both = {
        name: np.concatenate([latents[f"train_{name}"], latents[f"test_{name}"]]).astype(np.float64)
        for name in ("mean", "performance", "complexity")
    }
    dags = dags_of({k: array_of(path / DRAWN, drawn, k) for k in drawn if k.startswith("graph_")})
    if len(dags) != len(both["mean"]):
        raise DataError(
            f"{path / DRAWN}: expected {len(both['mean'])} rows, as in latents.npz, "
            f"found {len(dags)}",
            remedy="`ngae report` makes it anew of the checkpoint",
        )
    return Rows(
        **both,
        num_train=len(latents["train_mean"]),
        predicted_performance=drawn.get("predicted_performance"),
        predicted_complexity=drawn.get("predicted_complexity"),
        dags=dags,
        ascents=drawn.get("ascents"),
    )


def _search(folder: Path) -> FoundBySearch:
    arrays = read_arrays(folder / DRAWN)
    place = folder / DRAWN
    lines = {line.get("number"): line for line in read_lines(folder / "trials.jsonl")}
    numbers = array_of(place, arrays, "number").tolist()
    missing = [number for number in numbers if number not in lines]
    if missing:
        raise DataError(
            f"{folder / 'trials.jsonl'}: expected query {missing[0]}, found no such line",
            remedy="`ngae report` reads the search anew",
        )
    result = folder / "result.json"
    return FoundBySearch(
        folder.name,
        read_json(result) if result.exists() else {},
        tuple(lines[number] for number in numbers),
        array_of(place, arrays, "mean").astype(np.float64),
        dags_of({k: array_of(place, arrays, k) for k in arrays if k.startswith("graph_")}),
    )
