"""Compares `DVAE` with numbers that the published implementation computed, kept in one .npz file.

`FORM` describes the file. Nothing in it is run: arrays of objects are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from ngae.baselines.dvae_graphs import DenseGraphs
from ngae.baselines.dvae_model import DVAE
from ngae.errors import DataError, GraphError

Floats = NDArray[np.float64]

RELATIVE_ERROR = "max|ours - theirs| / max|theirs| of each array (max|ours - theirs| if all are 0)"

_REMEDY = "`python -m ngae.baselines.dvae check --help` lists the arrays that the file must hold"
_GRAPHS = ("node_types", "adjacency", "num_nodes")
_PER_GRAPH = ("mean", "logvar", "reconstruction_loss", "kl", "predictor", "predictor_complexity")
_SUMS = ("batch_loss", "batch_reconstruction_loss", "batch_kl")
_NOT_IN_LOSS = ("hv_unify.", "predictor.", "predictor_complexity.")


@dataclass(frozen=True, eq=False)
class Vectors:
    """What a file of test vectors holds.

    Attributes:
        model: The model with the file's weights.
        graphs: The graphs.
        expected: The published numbers by key, float64; gradients under `grad.<name>`.
    """

    model: DVAE
    graphs: DenseGraphs
    expected: Mapping[str, Floats]


def read_vectors(path: str | Path, dtype: torch.dtype = torch.float32) -> Vectors:
    """Read and check a file of test vectors.

    Args:
        path: The .npz file.
        dtype: That of the weights, and so of the whole computation.

    Raises:
        DataError: No such file, damaged, or with keys, shapes or values that do not fit; naming
            the key, what was expected and what was found.
    """
    arrays = _load_arrays(Path(path))
    try:
        return _make_vectors(arrays, dtype)
    except DataError as error:
        raise DataError(f"{path}: {error}", remedy=error.remedy or _REMEDY) from error


def check(vectors: Vectors, *, tolerance: float, gradient_tolerance: float) -> dict[str, Any]:
    """Compute everything that the file holds, one graph at a time and in one batch, and compare.

    Args:
        vectors: The file's content.
        tolerance: Largest relative error that passes, gradients aside.
        gradient_tolerance: The same for gradients.

    Returns:
        Relative errors: `errors` (the larger of both ways, NaN above all), `one_at_a_time`,
        `batch`, each by key; the largest of values and of gradients; `pass`.
    """
    graphs = vectors.graphs
    ways = {
        "one_at_a_time": [graphs.rows(i, i + 1) for i in range(len(graphs))],
        "batch": [graphs],
    }
    by_way: dict[str, dict[str, float]] = {}
    for way, parts in ways.items():
        ours = compute(vectors.model, parts)
        by_way[way] = {
            key: relative_error(ours[key], theirs) for key, theirs in vectors.expected.items()
        }
    errors = {key: _largest(way[key] for way in by_way.values()) for key in vectors.expected}
    value = _largest(error for key, error in errors.items() if not key.startswith("grad."))
    gradient = _largest(error for key, error in errors.items() if key.startswith("grad."))
    return {
        "relative_error": RELATIVE_ERROR,
        "tolerance": tolerance,
        "gradient_tolerance": gradient_tolerance,
        "largest_error": value,
        "largest_gradient_error": gradient,
        "pass": value <= tolerance and gradient <= gradient_tolerance,
        "errors": errors,
        **by_way,
    }


def compute(model: DVAE, parts: Sequence[DenseGraphs]) -> dict[str, Floats]:
    """Compute posterior, loss terms, heads and gradients as the published code does (z = mean).

    Args:
        model: The model, with both heads; its gradients are overwritten.
        parts: Batches of graphs; results are joined, sums and gradients added up.

    Returns:
        Arrays by the keys of the file.
    """
    if model.predictor is None or model.predictor_complexity is None:
        raise DataError("expected a model with both heads, found one without")
    model.zero_grad()
    rows: dict[str, list[torch.Tensor]] = {key: [] for key in _PER_GRAPH}
    for part in parts:
        mean, logvar = model.encode(part)
        losses = model.loss(part, mean, logvar)
        losses.total(model.config.beta).backward()
        heads = model.predictor(mean), model.predictor_complexity(mean)
        for key, value in zip(_PER_GRAPH, (mean, logvar, *losses, *heads), strict=True):
            rows[key].append(value.detach().double())
    result: dict[str, Floats] = {key: torch.cat(values).numpy() for key, values in rows.items()}
    reconstruction, kl = result["reconstruction_loss"].sum(), result["kl"].sum()
    sums = (reconstruction + model.config.beta * kl, reconstruction, kl)
    result.update({key: np.asarray(value) for key, value in zip(_SUMS, sums, strict=True)})
    for name, weight in model.named_parameters():
        gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
        result[f"grad.{name}"] = gradient.detach().double().numpy().copy()
    return result


def relative_error(ours: Floats, theirs: Floats) -> float:
    """Compute `RELATIVE_ERROR`; NaN where any of ours is."""
    scale = float(np.abs(theirs).max())
    return float(np.abs(ours - theirs).max()) / (scale or 1.0)


def _largest(values: Any) -> float:
    return float(np.max(list(values)))  # unlike Python's max, keeps NaN


def _load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream:
            return _read_archive(path, stream)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", remedy=_REMEDY) from error


def _read_archive(path: Path, stream: BinaryIO) -> dict[str, NDArray[Any]]:
    try:
        file = np.load(stream, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("one array, not an archive of arrays")
        with file:
            return {key: file[key] for key in file.files}
    except Exception as error:  # a damaged or hostile file can fail anywhere in the readers
        cause = str(error).split("\n")[0].split(". ")[0]  # without advice to trust the file
        raise DataError(
            f"{path}: expected an .npz file of plain arrays, found one that cannot be read: "
            f"{type(error).__name__}: {cause}",
            remedy=_REMEDY,
        ) from error


def _make_vectors(arrays: Mapping[str, NDArray[Any]], dtype: torch.dtype) -> Vectors:
    for key in (*_GRAPHS, *_PER_GRAPH, *_SUMS):
        if key not in arrays:
            raise DataError(f"key {key}: expected an array, found no such key")
    for key, array in arrays.items():
        _check_kind(key, array)
    graphs = _graphs(arrays)
    model = _model(arrays, dtype)
    model.check_graphs(graphs)
    shapes = _expected_shapes(model, len(graphs), arrays)
    for key, shape in shapes.items():
        if key not in arrays:
            raise DataError(f"key {key}: expected shape {shape}, found no such key")
        if arrays[key].shape != shape:
            raise DataError(f"key {key}: expected shape {shape}, found {arrays[key].shape}")
    return Vectors(model, graphs, {key: arrays[key].astype(np.float64) for key in shapes})


def _model(arrays: Mapping[str, NDArray[Any]], dtype: torch.dtype) -> DVAE:
    state = {
        key.removeprefix("param."): torch.from_numpy(array.astype(np.float64)).to(dtype)
        for key, array in arrays.items()
        if key.startswith("param.")
    }
    try:
        model = DVAE.from_state_dict(state)
    except DataError as error:
        raise DataError(f"keys param.*: {error}") from error
    for head in ("predictor", "predictor_complexity"):
        if getattr(model, head) is None:
            raise DataError(f"key param.{head}.0.weight: expected an array, found no such key")
    return model


def _graphs(arrays: Mapping[str, NDArray[Any]]) -> DenseGraphs:
    for key in _GRAPHS:
        if arrays[key].dtype.kind not in "bui":
            raise DataError(f"key {key}: expected integers, found {arrays[key].dtype}")
    tensors = [torch.from_numpy(arrays[key].astype(np.int64)) for key in _GRAPHS]
    graphs = DenseGraphs(*tensors)
    if len(graphs) == 0:
        raise GraphError("key node_types: expected at least one graph, found none")
    return graphs


def _check_kind(key: str, array: NDArray[Any]) -> None:
    if key in (*_PER_GRAPH, *_SUMS) or key.startswith(("param.", "grad.")):
        if array.dtype.kind != "f":
            raise DataError(f"key {key}: expected floating-point numbers, found {array.dtype}")
        if not np.isfinite(array).all():
            place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
            raise DataError(f"key {key}{place}: expected finite numbers, found NaN or infinity")


def _expected_shapes(
    model: DVAE, graphs: int, arrays: Mapping[str, NDArray[Any]]
) -> dict[str, tuple[int, ...]]:
    """Shape of each key to compare; gradients that are always 0 only where the file has them."""
    latent = model.config.latent_dim
    per_graph = ((graphs, latent), (graphs, latent), (graphs,), (graphs,), (graphs, 1), (graphs, 1))
    shapes: dict[str, tuple[int, ...]] = dict(zip(_PER_GRAPH, per_graph, strict=True))
    shapes.update(dict.fromkeys(_SUMS, ()))
    names = {f"grad.{name}": tuple(w.shape) for name, w in model.named_parameters()}
    for key in arrays:
        if key.startswith("grad.") and key not in names:
            raise DataError(f"key {key}: expected the gradient of a parameter, found another name")
    for key, shape in names.items():
        if key in arrays or not key.removeprefix("grad.").startswith(_NOT_IN_LOSS):
            shapes[key] = shape
    return shapes
