"""What `report` computes with the model, so that the page is made of files alone: `report.npz`.

Predictions at the encodings of all rows, some ascents, the architectures; in the folder of each
search where its queries are in the latent space.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae import console
from ngae.api import NGAE
from ngae.commands.banner import show_banner
from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import Dataset
from ngae.errors import DataError, GraphError, RefusedError, shown
from ngae.models import NGAEModel
from ngae.report.arrays import DRAWN, write_arrays
from ngae.report.files import numbered_lines, read_latents, searches_in
from ngae.report.graphs import arrays_of
from ngae.search.config import GradientConfig
from ngae.spaces.base import SearchSpace
from ngae.train.folder import RunFolder
from ngae.transfer import transfer

_PATHS = 10  # ascents that are drawn: more would cover the map
_KEPT = 11  # points of an ascent


def prepare(path: Path, device: str | None = None, space: str = "") -> None:
    """Compute and write what the report needs and the run folder lacks.

    Without a checkpoint, what was computed before is taken.

    Args:
        path: The run folder.
        device: Where the model is to be; None: where it was trained.
        space: The run's space, where it is code.

    Raises:
        RefusedError: No finished run, or a space that is code and was not named.
        DataError: A trial whose architecture is not in the space.
    """
    folder = RunFolder(path)
    folder.read_config()
    if not folder.metrics.exists():
        raise RefusedError(
            f"{path}: expected a finished run, found no metrics.json",
            remedy=f"python -m ngae.train --config {folder.config} --out {path} --resume",
        )
    if not folder.last.exists() and (path / DRAWN).exists():
        console.say("note: no checkpoint; the report is made of what was computed before")
        return
    run = NGAE.load(path, device, space)
    show_banner(run.model.device)
    console.say("predicting at the encodings of all rows")
    write_arrays(path / DRAWN, of_rows(run.model, run.data, read_latents(path)))
    for search in searches_in(path, having="trials.jsonl"):
        console.say(f"encoding the queries of {search.name}")
        write_arrays(search / DRAWN, of_trials(run.model, run.data.space, search))


def of_rows(
    model: NGAEModel, data: Dataset, latents: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Compute what belongs to the table.

    Args:
        model: The model.
        data: Its data.
        latents: `latents.npz`.

    Returns:
        Arrays by name: predictions in the order of training and test rows, graphs, ascents.

    Raises:
        RefusedError: As many encodings as rows are expected, of the model's width.
    """
    z = np.concatenate([latents["train_mean"], latents["test_mean"]]).astype(np.float32)
    rows = len(data.train) + len(data.test)
    if z.shape != (rows, _width(model)):
        raise RefusedError(
            f"latents.npz: expected {rows} rows of {_width(model)} numbers, found {z.shape}",
            remedy="train again: the table or the run has changed",
        )
    with torch.no_grad():
        prediction = model.predict(_on_device(model, z))
    arrays = {
        **arrays_of(Dags.joined([data.train.dags, data.test.dags])),
        "node_types": np.array(data.space.node_type_names),
    }
    if prediction.performance is not None:
        arrays["predicted_performance"] = _numbers(prediction.performance)
        performance = np.concatenate([latents["train_performance"], latents["test_performance"]])
        arrays["ascents"] = _ascents(model, z, performance)
    if prediction.complexity is not None:
        arrays["predicted_complexity"] = _numbers(prediction.complexity)
    return arrays


def of_trials(model: NGAEModel, space: SearchSpace, folder: Path) -> dict[str, NDArray[Any]]:
    """Encode the queries of a search: number, mean, graphs.

    Args:
        model: The model.
        space: Its search space.
        folder: The folder of the search.

    Raises:
        DataError: A trial whose architecture is not in the space; names file and line.
    """
    place = folder / "trials.jsonl"
    numbers, dags = [], []
    for line, trial in numbered_lines(place):
        if trial.get("architecture"):
            numbers.append(_number(trial, f"{place}:{line}"))
            dags.append(_parsed(space, str(trial["architecture"]), f"{place}:{line}"))
    return {
        "number": np.array(numbers, dtype=np.int64),
        "mean": _numbers(model.encode(dags).mean) if dags else np.zeros((0, _width(model))),
        **arrays_of(Dags.of(dags, space)),
    }


def _number(trial: dict[str, Any], place: str) -> int:
    number = trial.get("number")
    if type(number) is not int:
        raise DataError(f"{place}: number: expected an integer, found {shown(number)}")
    return number


def _parsed(space: SearchSpace, text: str, place: str) -> Dag:
    try:
        return space.parse(text)
    except GraphError as error:
        raise DataError(f"{place}: expected an architecture of {space.name}: {error}") from error


def _ascents(
    model: NGAEModel, z: NDArray[np.float32], performance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ascents of the predicted performance from rows of every rank: (kept, paths, latent_dim)."""
    config = GradientConfig()
    known = np.flatnonzero(~np.isnan(performance))
    order = known[np.argsort(performance[known], kind="stable")]
    ranks = np.linspace(0, len(order) - 1, min(_PATHS, len(order))).astype(int)
    keep = np.linspace(0, config.steps, min(_KEPT, config.steps + 1)).astype(int)
    return _numbers(
        model.ascend(
            _on_device(model, z[order[ranks]]),
            performance_weight=1.0,
            complexity_weights=[],
            step_size=config.step_size,
            keep=keep.tolist(),
        )
    )


def _width(model: NGAEModel) -> int:
    return model.config.latent_dim


def _on_device(model: NGAEModel, values: NDArray[np.float32]) -> Tensor:
    (tensor,) = transfer([torch.from_numpy(values)], model.device)
    return tensor


def _numbers(tensor: Tensor) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = tensor.double().cpu().numpy()
    return numbers
