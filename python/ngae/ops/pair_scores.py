"""`pair_scores`: scores of pairs of rows by one hidden layer, without a row per pair.

The door `pair_scores` checks its arguments; `torch.ops.ngae.pair_scores` and
`pair_scores_backward` behind it are native and differentiable.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae.ops import _library, reference
from ngae.ops.gather_rows import gather_rows
from ngae.ops.parameters import check_index, check_number, check_tensor

_PAIRS = "Tensor source, Tensor target, Tensor weight, Tensor pair_source, Tensor pair_target"

torch.library.define("ngae::pair_scores", f"({_PAIRS}) -> Tensor")
torch.library.define(
    "ngae::pair_scores_backward", f"(Tensor dscore, {_PAIRS}) -> (Tensor, Tensor, Tensor)"
)


def pair_scores(
    source: Tensor, target: Tensor, weight: Tensor, pair_source: Tensor, pair_target: Tensor
) -> Tensor:
    """Compute a score for each pair of a source and a target row.

        score_i = sum over j of weight_j * relu(source[pair_source_i, j] + target[pair_target_i, j])

    On the CPU a score depends on no other pair, and nothing on the number of threads. On CUDA it
    is a composition of `gather_rows` and a product, with a row for each pair.

    Args:
        source: (num_sources, columns), float32 or float64.
        target: (num_targets, columns).
        weight: (columns,).
        pair_source: int64 (num_pairs,) row of `source`.
        pair_target: int64 (num_pairs,) row of `target`.

    Returns:
        (num_pairs,), with gradients for source, target and weight.

    Raises:
        UsageError: A shape, dtype or device that does not fit.
        IndexError: A pair names no row.
    """
    check_number("pair_scores", "weight", weight)
    columns = weight.shape[0] if weight.dim() else 0
    check_tensor("pair_scores", "weight", weight, (columns,), weight)
    for name, rows in (("source", source), ("target", target)):
        count = rows.shape[0] if rows.dim() else 0
        check_tensor("pair_scores", name, rows, (count, columns), weight)
    check_index("pair_scores", "pair_source", pair_source, weight)
    num_pairs = pair_source.shape[0]
    check_index("pair_scores", "pair_target", pair_target, weight, num_pairs)
    backend = _library.backend("pair_scores", weight.device)
    if backend == "torch":
        return reference.pair_scores(source, target, weight, pair_source, pair_target)
    if backend == "cuda":
        pairs = gather_rows(source, pair_source) + gather_rows(target, pair_target)
        return torch.relu(pairs) @ weight
    result: Tensor = torch.ops.ngae.pair_scores(source, target, weight, pair_source, pair_target)
    return result


def _sizes(source: Tensor, target: Tensor, pair_source: Tensor) -> list[int]:
    return [source.shape[0], target.shape[0], pair_source.shape[0], source.shape[1]]


@torch.library.impl("ngae::pair_scores", "CPU")
def _forward(
    source: Tensor, target: Tensor, weight: Tensor, pair_source: Tensor, pair_target: Tensor
) -> Tensor:
    score = source.new_empty(pair_source.shape)
    inputs = _library.contiguous([source, target, weight, pair_source, pair_target])
    _library.function("pair_scores_forward", source.dtype)(
        _sizes(source, target, pair_source),
        _library.machine(False),
        _library.addresses(inputs),
        score.data_ptr(),
    )
    return score


@torch.library.impl("ngae::pair_scores_backward", "CPU")
def _backward(
    dscore: Tensor,
    source: Tensor,
    target: Tensor,
    weight: Tensor,
    pair_source: Tensor,
    pair_target: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    gradients = (_like(source), _like(target), _like(weight))
    inputs = _library.contiguous([source, target, weight, pair_source, pair_target])
    dscore = dscore.contiguous()
    _library.function("pair_scores_backward", source.dtype)(
        _sizes(source, target, pair_source),
        _library.machine(False),
        _library.addresses(inputs),
        dscore.data_ptr(),
        _library.addresses(gradients),
    )
    return gradients


def _like(tensor: Tensor) -> Tensor:
    return tensor.new_empty(tensor.shape)


def _forward_fake(source: Tensor, *arguments: Tensor) -> Tensor:
    return source.new_empty(arguments[2].shape)


def _backward_fake(dscore: Tensor, *arguments: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    source, target, weight, *_ = arguments
    return _like(source), _like(target), _like(weight)


def _setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _autograd(ctx: Any, dscore: Tensor) -> tuple[Any, ...]:
    return *torch.ops.ngae.pair_scores_backward(dscore, *ctx.saved_tensors), None, None


torch.library.register_fake("ngae::pair_scores", _forward_fake)
torch.library.register_fake("ngae::pair_scores_backward", _backward_fake)
torch.library.register_autograd("ngae::pair_scores", _autograd, setup_context=_setup_context)
