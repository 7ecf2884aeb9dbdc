"""Linear layers as torch keeps them, computed by the native op."""

from __future__ import annotations

from torch import Tensor, nn

from ngae.ops import linear


def dense(layer: nn.Linear, x: Tensor, precision: str) -> Tensor:
    """Return `layer(x)`; x (rows, inputs), precision as in `ngae.ops.linear`."""
    return linear(x, layer.weight, layer.bias, precision=precision)
