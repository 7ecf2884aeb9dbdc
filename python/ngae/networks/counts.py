"""`count`: trainable parameters and multiply-adds of any network, counted on the meta device.

Nothing is computed and no weight is copied, so that the size of a network does not matter.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ngae.errors import UsageError


class Counts(NamedTuple):
    """What a network costs.

    Attributes:
        params: Trainable parameters, shared ones once.
        macs: Multiply-adds of one forward pass.
    """

    params: int
    macs: int


def count(
    network: nn.Module | Callable[[], nn.Module],
    input_shape: Sequence[int],
    *,
    dtype: torch.dtype = torch.float32,
) -> Counts:
    """Count a network's trainable parameters and multiply-adds in eval mode.

    macs = FLOPs / 2, by `torch.utils.flop_counter`: convolutions, matrix products and attention.
    Biases, norms, pooling and other arithmetic of single elements count nothing.

    Args:
        network: A module, which stays as it is, or a function that makes one.
        input_shape: Shape of the one input, the batch included: (1, ...) for the cost of one.
        dtype: Of the input; an integer type for token numbers.

    Raises:
        UsageError: The network does not run on such an input.
    """
    twin = _on_meta(network) if isinstance(network, nn.Module) else _made_on_meta(network)
    twin.eval()
    entering = torch.empty(tuple(input_shape), dtype=dtype, device="meta")
    try:
        with torch.no_grad(), torch.device("meta"), FlopCounterMode(display=False) as counter:
            twin(entering)
    except (RuntimeError, NotImplementedError, ValueError) as error:
        raise UsageError(
            f"count: input_shape: expected one that {type(twin).__name__} runs on, "
            f"found {tuple(input_shape)}: {error}"
        ) from error
    return Counts(_parameters(twin), counter.get_total_flops() // 2)


def count_parameters(make: Callable[[], nn.Module]) -> int:
    """Count the trainable parameters, shared ones once, of what `make` makes."""
    return _parameters(_made_on_meta(make))


def _parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _made_on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


def _on_meta(network: nn.Module) -> nn.Module:
    """Copy everything but the weights, of which shapes alone are kept."""
    memo: dict[int, Tensor] = {}
    for tensor in chain(network.parameters(), network.buffers()):
        bare = torch.empty_like(tensor, device="meta")
        if isinstance(tensor, nn.Parameter):
            bare = nn.Parameter(bare, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = bare
    return copy.deepcopy(network, memo)
