"""Settings of a search; holds no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class SearchConfig:
    """How a search proceeds."""

    strategy: Literal["gradient", "random"] = setting(
        "gradient", "climb the predictors in the latent space, or sample the space uniformly"
    )
    oracle: str = setting(
        "auto",
        "who answers: auto, predicted, table, shared-weights, train, or 'command PROGRAM {arch}'",
    )
    budget: int = setting(50, "architectures to ask the oracle about", least=1)
    weight: float = setting(0.0, "weight of the predicted complexity in the objective", least=0)
    weigh: str = setting("", "complexity that is weighed (none: the table's first)")
    constraint: str = setting("", 'limits, such as "params <= 0.5e6, macs <= 2e8"')
    starts: Literal["best", "prior"] = setting(
        "best", "where ascents start: encodings of the best known rows, or draws of the prior"
    )
    num_starts: int = setting(512, "ascents at a time", least=1)
    steps: int = setting(50, "steps of an ascent", least=0)
    step_size: float = setting(0.1, "length of a step, in latent units a coordinate", least=0)
    batch: int = setting(10, "queries between two looks at the answers", least=1)
    seed: int = setting(0, "seed of the search", least=0)

    def __post_init__(self) -> None:
        check_ranges(self)
