"""Tensor operators of ngae: propagation over DAGs, and decoding."""

from ngae.ops._library import active_backend
from ngae.ops.dag_gru import dag_gru
from ngae.ops.decode import decode
from ngae.ops.parameters import DagGruParameters, Decoded, DecoderParameters

__all__ = [
    "DagGruParameters",
    "Decoded",
    "DecoderParameters",
    "active_backend",
    "dag_gru",
    "decode",
]
