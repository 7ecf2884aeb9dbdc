"""Reads the sizes of the published model from the names and shapes of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ngae.baselines.dvae_config import DVAEConfig
from ngae.errors import DataError

Shapes = Mapping[str, tuple[int, ...]]

REMEDY = "pass the state_dict of a bidirectional D-VAE or NGAE model with node places in its gates"


def read_config(found: Shapes, expected: Callable[[DVAEConfig], Shapes]) -> DVAEConfig:
    """Infer the sizes of a model.

    Args:
        found: Shape of each parameter of a file.
        expected: Gives the names and shapes that a model of some sizes has.

    Returns:
        The sizes; a head is there where any of its parameters is.

    Raises:
        DataError: Naming parameters that are missing, foreign, or of the wrong shape.
    """
    heads = {
        "performance_head": any(name.startswith("predictor.") for name in found),
        "complexity_head": any(name.startswith("predictor_complexity.") for name in found),
    }
    _check_names(found, expected(DVAEConfig(1, 1, 2, 2, **heads)))
    for name in ("grue_forward.weight_ih", "gate_forward.0.weight", "fc1.weight"):
        if len(found[name]) != 2:
            raise DataError(
                f"parameter {name}: expected a matrix, found shape {found[name]}", remedy=REMEDY
            )
    latent, hidden = found["fc1.weight"]
    types, nodes = found["grue_forward.weight_ih"][1], found["gate_forward.0.weight"][1] - hidden
    for what, size, least in (
        ("hidden size (columns of fc1.weight)", hidden, 1),
        ("latent size (rows of fc1.weight)", latent, 1),
        ("number of node types (columns of grue_forward.weight_ih)", types, 2),
        ("number of nodes (columns of gate_forward.0.weight - hidden size)", nodes, 2),
    ):
        if size < least:
            raise DataError(f"{what}: expected at least {least}, found {size}", remedy=REMEDY)
    config = DVAEConfig(hidden, latent, types, nodes, **heads)
    _check_shapes(found, expected(config))
    return config


def _check_names(found: Shapes, expected: Shapes) -> None:
    wrong = []
    if missing := sorted(set(expected) - set(found)):
        wrong.append(f"missing: {_some(missing)}")
    if foreign := sorted(set(found) - set(expected)):
        wrong.append(f"foreign: {_some(foreign)}")
    if wrong:
        raise DataError(
            f"parameters: expected the {len(expected)} names of the published model, "
            f"found {'; '.join(wrong)}",
            remedy=REMEDY,
        )


def _check_shapes(found: Shapes, expected: Shapes) -> None:
    for name, shape in expected.items():
        if found[name] != shape:
            raise DataError(
                f"parameter {name}: expected shape {shape} (by fc1.weight {found['fc1.weight']}), "
                f"found {found[name]}",
                remedy=REMEDY,
            )


def _some(names: list[str], most: int = 8) -> str:
    shown = ", ".join(repr(name)[1:-1] for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
