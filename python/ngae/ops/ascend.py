"""`ascend`: many latent points climb the predictors, all steps in one op, weights frozen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import _cuda, _library, reference
from ngae.ops.parameters import PredictorParameters, check_precision, check_tensor, expect

_NUM_WEIGHTS = len(PredictorParameters._fields)

torch.library.define(
    "ngae::ascend",
    "(Tensor starts, Tensor[] weights, float step_size, int[] keep, bool bf16) -> Tensor",
)


def ascend(
    starts: Tensor,
    predictors: Sequence[PredictorParameters],
    *,
    step_size: float,
    keep: Sequence[int],
    precision: str = "float32",
) -> Tensor:
    """Climb the score of each point, in normalised steps::

        score(z) = sum over predictors p, outputs t of
            coefficient[p, t] * sigmoid(output relu(second relu(first z + first_bias)
                                        + second_bias) + output_bias)[t]
        moved    = z + step_size * sqrt(latent_dim) * g / max(|g|, 1e-12),  g = d score / d z
        z        = moved * min(1, 1.5 * sqrt(latent_dim) / max(|moved|, 1e-12))

    The second line draws points back to the radius where the prior has its mass
    (sqrt(latent_dim), with a margin of 1.5): predictors are not to be trusted beyond. The paper
    steps by `step_size * g`; the length of g depends on the sigmoid's slope, which vanishes where
    it is good. On the CPU a point's path depends neither on the number of threads nor on the
    points beside it.

    Args:
        starts: (num_points, latent_dim), float32 or float64.
        predictors: At least one, of the dtype of `starts`.
        step_size: Length of a step divided by sqrt(latent_dim).
        keep: Numbers of the steps after which points are wanted, in any order; 0 is the start.
            As many steps are taken as the greatest says.
        precision: As in `dag_gru`; products with `output` are exact in both.

    Returns:
        The points (len(keep), num_points, latent_dim), in the order of `keep`. There is no
        gradient.

    Raises:
        UsageError: A shape, dtype, device or step number that does not fit.
    """
    _check(starts, predictors, keep)
    check_precision("ascend", precision, starts)
    if _library.backend("ascend", starts.device) == "torch":
        return reference.ascend(
            starts, predictors, step_size=step_size, keep=keep, precision=precision
        )
    weights = [tensor for predictor in predictors for tensor in predictor]
    with torch.no_grad():
        points: Tensor = torch.ops.ngae.ascend(
            starts, weights, step_size, list(keep), precision == "bf16"
        )
    return points


def _check(starts: Tensor, predictors: Sequence[PredictorParameters], keep: Sequence[int]) -> None:
    expect("ascend", "starts", "dimensions", starts.dim(), 2)
    if starts.dtype not in (torch.float32, torch.float64):
        raise UsageError(f"ascend: starts: expected float32 or float64, found {starts.dtype}")
    if starts.shape[1] == 0:
        raise UsageError("ascend: starts: expected at least one column, found none")
    if not predictors:
        raise UsageError("ascend: predictors: expected at least one, found none")
    for predictor in predictors:
        _check_predictor(predictor, starts)
    for number in keep:
        if number < 0:
            raise UsageError(f"ascend: keep: expected step numbers from 0, found {number}")


def _check_predictor(predictor: PredictorParameters, starts: Tensor) -> None:
    hidden, outputs = predictor.first_bias.numel(), predictor.output_bias.numel()
    for name, size in (("first_bias", hidden), ("output_bias", outputs)):
        if size == 0:
            raise UsageError(f"ascend: {name}: expected at least one number, found none")
    shapes: dict[str, tuple[int, ...]] = {
        "first": (hidden, starts.shape[1]),
        "first_bias": (hidden,),
        "second": (hidden, hidden),
        "second_bias": (hidden,),
        "output": (outputs, hidden),
        "output_bias": (outputs,),
        "coefficient": (outputs,),
    }
    for name, shape in shapes.items():
        check_tensor("ascend", name, getattr(predictor, name), shape, starts)


def _predictors(weights: Sequence[Tensor]) -> list[PredictorParameters]:
    """Contiguous weights, by predictor."""
    held = [weight.contiguous() for weight in weights]
    return [
        PredictorParameters(*held[first : first + _NUM_WEIGHTS])
        for first in range(0, len(held), _NUM_WEIGHTS)
    ]


def _predictor_arguments(
    predictors: Sequence[PredictorParameters],
) -> list[tuple[list[int], int, int]]:
    """Addresses, hidden size and number of outputs of each predictor."""
    return [(_library.addresses(p), p.first.shape[0], p.output.shape[0]) for p in predictors]


@torch.library.impl("ngae::ascend", "CPU")
def _ascend(
    starts: Tensor, weights: Sequence[Tensor], step_size: float, keep: Sequence[int], bf16: bool
) -> Tensor:
    starts, predictors = starts.contiguous(), _predictors(weights)
    points = starts.new_empty(len(keep), *starts.shape)
    _library.function("ascend", starts.dtype)(
        starts.data_ptr(),
        *starts.shape,
        _predictor_arguments(predictors),
        step_size,
        list(keep),
        _library.machine(bf16),
        points.data_ptr(),
    )
    return points


def _ascend_cuda(
    starts: Tensor, weights: Sequence[Tensor], step_size: float, keep: Sequence[int], bf16: bool
) -> Tensor:
    _cuda.require_float32("ascend", starts)
    starts, predictors = starts.contiguous(), _predictors(weights)
    count, latent = starts.shape
    hidden = max(p.first.shape[0] for p in predictors)
    columns = (latent, latent, hidden, hidden, hidden)  # of the members of AscentMemory
    memory = [_cuda.empty(starts, count, width) for width in columns]
    points = _cuda.empty(starts, len(keep), count, latent)
    _cuda.call(
        "ascend",
        starts.device,
        bf16,
        starts.data_ptr(),
        count,
        latent,
        _predictor_arguments(predictors),
        step_size,
        list(keep),
        _library.addresses(memory),
        points.data_ptr(),
    )
    return points


def _ascend_fake(
    starts: Tensor, weights: Sequence[Tensor], step_size: float, keep: Sequence[int], bf16: bool
) -> Tensor:
    return starts.new_empty(len(keep), *starts.shape)


torch.library.impl("ngae::ascend", "CUDA", _ascend_cuda)
torch.library.register_fake("ngae::ascend", _ascend_fake)
