"""Tensor operators of ngae: propagation over DAGs, decoding, the dense parts, latent ascent."""

from ngae.ops import dag_gru_cuda as dag_gru_cuda  # registers itself
from ngae.ops._library import active_backend
from ngae.ops.adam import adam_step
from ngae.ops.ascend import ascend
from ngae.ops.dag_gru import dag_gru
from ngae.ops.decode import decode
from ngae.ops.gather_rows import gather_rows, sum_by_index
from ngae.ops.grouped_linear import grouped_linear
from ngae.ops.linear import linear
from ngae.ops.pair_scores import pair_scores
from ngae.ops.parameters import (
    DagGruParameters,
    Decoded,
    DecoderParameters,
    PredictorParameters,
)

__all__ = [
    "DagGruParameters",
    "Decoded",
    "DecoderParameters",
    "PredictorParameters",
    "active_backend",
    "adam_step",
    "ascend",
    "dag_gru",
    "decode",
    "gather_rows",
    "grouped_linear",
    "linear",
    "pair_scores",
    "sum_by_index",
]
