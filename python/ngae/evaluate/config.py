"""How much is decoded and measured; holds no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class EvaluateConfig:
    """Sizes of the evaluation."""

    prior_points: int = setting(10_000, "points drawn from the prior, decoded once each", least=1)
    protocol_points: int = setting(1_000, "points of the published protocol", least=1)
    protocol_decodings: int = setting(10, "decodings of each of those points", least=1)
    evaluate_batch_size: int = setting(
        512, "test graphs or points taken at a time", "--infer-batch-size", least=1
    )

    def __post_init__(self) -> None:
        check_ranges(self)
