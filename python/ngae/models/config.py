"""Sizes and switches of the model, as frozen settings; holds no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class ModelConfig:
    """What the model is made of.

    The defaults differ from the paper's text in `readout` and `latent_in_heads`: the text's form
    (`output`, off) reaches the same reconstruction only after many times as many epochs.
    `configs/paper.toml` holds the paper's values.
    """

    # 256 trains half as fast and is no better on ENAS-6: RMSE .172 with either after 12 epochs.
    hidden_dim: int = setting(128, "size of a node state", "--hs", least=1)
    latent_dim: int = setting(56, "size of the latent space", "--nz", least=1)
    head_dim: int = setting(128, "hidden size of the node type and edge heads", least=1)
    predictor_dim: int = setting(256, "hidden size of the predictors", least=1)
    bidirectional: bool = setting(True, "propagate along the edges and against them")
    # Without it two nodes of equal history send the same message, and skip edges are learned late:
    # r .862 instead of .954 after 4 epochs on ENAS-6.
    vertex_index: bool = setting(True, "let gate and map see the place of a node (as D-VAE does)")
    readout: Literal["all", "output"] = setting(
        "all", "node states that the posterior reads: all of them, or the output node's"
    )
    latent_in_heads: bool = setting(True, "feed z to the heads too, not only to the first state")
    performance_predictor: bool = setting(True, "train a predictor of the performance")
    # They share the encoder. On ENAS-6 after sixteen epochs one errs by .165 (RMSE / std), four by
    # .159, eight by .158.
    performance_members: int = setting(
        8, "predictors of the performance, whose mean is taken", least=1
    )
    complexity_predictor: bool = setting(True, "train a predictor of the complexities")
    precision: Literal["float32", "bf16"] = setting(
        "float32",
        "operands of the engine's products; bf16 is faster where the CPU has AVX512-BF16",
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class LossConfig:
    """Weights and constants of the objective."""

    # The paper's equation (6) has weight 1, the published code 0.005 beside noise of 0.01. With
    # the posterior's own noise less is better: on ENAS-6 sampled reconstruction is 97.9 % with
    # 0.005, 99.1 % with 0.002 (eight epochs), 99.7 % with 0.001, 99.9 % with 0.0005 (sixteen); why
    # a little less: docs/results.md.
    beta: float = setting(0.0004, "weight of the KL divergence", least=0)
    performance_weight: float = setting(2.0, "weight of the squared error in performance", least=0)
    complexity_weight: float = setting(1.0, "weight of the squared error in complexity", least=0)
    # Without it encodings are correlated, and draws of the prior, which are not, fall beside them.
    # On ENAS-6 0.001 costs .005 in RMSE / std; see docs/results.md.
    correlation_weight: float = setting(
        0.0004, "weight of squared correlations between latent coordinates", least=0
    )
    # 1 is the posterior itself; the published code draws with 0.01.
    noise_scale: float = setting(1.0, "factor on the posterior's noise while training", least=0)

    def __post_init__(self) -> None:
        check_ranges(self)
