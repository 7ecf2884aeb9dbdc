"""Brings encodings to where draws of the prior fall, without changing what the model says.

The KL divergence alone leaves encodings wider than N(0, I) and beside its centre, the more so the
less it weighs; draws of the prior then decode to what lies in their middle, often to the same.
Everything that reads z is linear in it at first, so a shift and a scale of each coordinate go into
the weights: reconstruction and predictions stay what they were, up to rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ngae.models.decoder import ByPlace
from ngae.models.encoder import Posterior
from ngae.models.ngae import NGAEModel

_LEAST = 1e-6  # of a variance


@torch.no_grad()
def standardise(model: NGAEModel, posterior: Posterior) -> None:
    """Give z mean 0 and variance 1 in each coordinate, over the mixture of some posteriors.

    Args:
        model: Its weights are changed.
        posterior: Of the architectures that count, encoded by `model`; of none, nothing changes.
    """
    if len(posterior.mean) == 0:
        return
    centre = posterior.mean.double().mean(dim=0)
    spread = posterior.mean.double().var(dim=0, unbiased=False)
    spread = (spread + posterior.logvar.double().exp().mean(dim=0)).clamp(min=_LEAST).sqrt()
    _move(model.encoder.mean, centre, spread)
    assert model.encoder.logvar.bias is not None
    model.encoder.logvar.bias.sub_(2 * spread.log())
    decoder = model.decoder
    _read(decoder.initial, centre, spread)
    for head in (decoder.type_place, decoder.edge_place, decoder.source_place):
        _read_by_place(head, centre, spread)
    for predictor in (model.performance, model.complexity):
        for first in predictor.first_layers() if predictor is not None else ():
            _read(first, centre, spread)


def _move(linear: nn.Linear, centre: Tensor, spread: Tensor) -> None:
    """Make `linear` give `(x - centre) / spread` where it gave x."""
    linear.weight.copy_(linear.weight.double() / spread[:, None])
    linear.bias.copy_((linear.bias.double() - centre) / spread)


def _read(linear: nn.Linear, centre: Tensor, spread: Tensor) -> None:
    """Make `linear` give for `(z - centre) / spread` what it gave for z."""
    weight = linear.weight.double()
    linear.bias.add_(weight @ centre)
    linear.weight.copy_(weight * spread)


def _read_by_place(head: ByPlace, centre: Tensor, spread: Tensor) -> None:
    """Do the same with a part of a head, whose term is its bias."""
    if head.latent is None:
        return
    weight = head.latent.weight.double()
    head.term.add_((weight @ centre).view_as(head.term))
    head.latent.weight.copy_(weight * spread)
