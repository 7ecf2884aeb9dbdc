"""Settings of a search and of each strategy; holds no torch and no numpy.

Flags of a strategy other than `gradient` carry its name: `--evolution-population`.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ngae.errors import UsageError
from ngae.settings import check_ranges, make, setting


@dataclass(frozen=True)
class SearchConfig:
    """How a search proceeds, whatever the strategy."""

    strategy: Literal[
        "gradient",
        "random",
        "evolution",
        "local",
        "nsga2",
        "reinforce",
        "bo",
        "gp",
        "ascent",
        "nao",
    ] = setting(
        "gradient",
        "climb in the latent space of a model; or another strategy, most without a model "
        "(docs/search.md)",
    )
    oracle: str = setting(
        "auto",
        "who answers: auto, predicted, table, shared-weights, train, or 'command PROGRAM {arch}'",
    )
    budget: int = setting(50, "architectures to ask the oracle about", least=1)
    weigh: str = setting("", "complexity that counts beside the performance (none: the first)")
    constraint: str = setting("", 'limits, such as "params <= 0.5e6, macs <= 2e8"')
    batch: int = setting(
        0,
        "queries between two looks at the answers; 0: as many as are evaluated at once",
        least=0,
    )
    seed: int = setting(0, "seed of the search", least=0)

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class StrategyConfig:
    """Settings of one strategy.

    Attributes:
        flag_prefix: What its flags begin with.
    """

    flag_prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class GradientConfig(StrategyConfig):
    """Settings of `GradientSearch`."""

    guide: Literal["auto", "surrogate", "predictors"] = setting(
        "auto",
        "who says what is promising: a surrogate that learns from every answer, or the trained "
        "predictors alone; auto: the predictors where their own predictions are the answers",
    )
    weight: float = setting(0.0, "weight of the predicted complexity in the objective", least=0)
    starts: Literal["best", "prior"] = setting(
        "best", "where ascents start: encodings of the best known rows, or draws of the prior"
    )
    num_starts: int = setting(256, "ascents at a time", least=1)
    initial: int = setting(16, "random draws that begin a search from nothing", least=2)
    aim: Literal["best", "front"] = setting(
        "best", "the best architecture, or the whole Pareto front"
    )
    steps: int = setting(50, "steps of an ascent", least=0)
    step_size: float = setting(0.1, "length of a step, in latent units a coordinate", least=0)


@dataclass(frozen=True)
class RandomConfig(StrategyConfig):
    """`RandomSearch` has nothing to set."""


@dataclass(frozen=True)
class EvolutionConfig(StrategyConfig):
    """Settings of `EvolutionSearch`."""

    flag_prefix: ClassVar[str] = "evolution_"

    # Real et al. 2019 take 100 and 25 for 20,000 queries. Of the pairs that were tried on
    # NAS-Bench-201 this one found the best cell most often within 64 to 192 queries, and as often
    # as larger populations within 500.
    population: int = setting(30, "members of the ageing population", least=1)
    tournament: int = setting(20, "members of which the best is the parent", least=1)


@dataclass(frozen=True)
class LocalConfig(StrategyConfig):
    """Settings of `LocalSearch`."""

    flag_prefix: ClassVar[str] = "local_"

    # Ten in the code of White et al. 2021 (naszilla/naszilla, nas_algorithms.py, num_init).
    draws: int = setting(10, "uniform draws of which the best is climbed from", least=1)


@dataclass(frozen=True)
class NSGA2Config(StrategyConfig):
    """Settings of `NSGA2Search`."""

    flag_prefix: ClassVar[str] = "nsga2_"

    population: int = setting(20, "members that stay after each round", least=2)
    # Deb et al. 2002, section V: crossover with 0.9.
    crossover_rate: float = setting(0.9, "share of children with two parents", least=0, most=1)
    mutation_rate: float = setting(0.5, "share of these that also mutate", least=0, most=1)


@dataclass(frozen=True)
class ReinforceConfig(StrategyConfig):
    """Settings of `ReinforceSearch`."""

    flag_prefix: ClassVar[str] = "reinforce_"

    learning_rate: float = setting(0.1, "learning rate of Adam", least=0)
    entropy_weight: float = setting(0.01, "weight of the entropy in the objective", least=0)
    # NAS-Bench-201, section 4: a moving average with momentum 0.9.
    baseline_momentum: float = setting(0.9, "momentum of the moving baseline", least=0, most=1)


@dataclass(frozen=True)
class BOConfig(StrategyConfig):
    """Settings of `BOSearch`."""

    flag_prefix: ClassVar[str] = "bo_"

    surrogate: Literal["exact", "sparse"] = setting(
        "exact", "an exact Gaussian process, or one of inducing points, as D-VAE has it"
    )
    initial: int = setting(16, "random draws that begin a search from nothing", least=2)
    aim: Literal["best", "front"] = setting(
        "best", "the best architecture, or the whole Pareto front"
    )


@dataclass(frozen=True)
class GPConfig(StrategyConfig):
    """Settings of `GPSearch`."""

    flag_prefix: ClassVar[str] = "gp_"

    initial: int = setting(16, "random draws that begin a search from nothing", least=2)
    aim: Literal["best", "front"] = setting(
        "best", "the best architecture, or the whole Pareto front"
    )


@dataclass(frozen=True)
class AscentConfig(StrategyConfig):
    """Settings of `AscentSearch`."""

    flag_prefix: ClassVar[str] = "ascent_"

    regressor: Literal["mlp", "kernel-ridge", "gaussian-process"] = setting(
        "mlp",
        "what predicts at latent points: an ensemble of MLPs, or by scikit-learn kernel ridge "
        "regression or a Gaussian process",
    )
    loss: Literal["squared", "ranking"] = setting(
        "squared", "what the MLPs are fitted by: squared error, or the order of pairs of labels"
    )
    weight: float = setting(
        0.05,
        "weight of the predicted complexity, in units of its spread; 0: it does not count",
        least=0,
    )
    steps: int = setting(50, "steps of an ascent; 1: the one-step update of NAO", least=1)
    step_size: float = setting(0.1, "length of a step, in latent units a coordinate", least=0)
    update: Literal["gradient", "newton"] = setting(
        "gradient", "what a step follows: the gradient, or damped Newton steps"
    )
    num_starts: int = setting(64, "ascents at a time, from the best labelled ones", least=1)
    initial: int = setting(16, "random draws that begin a search from nothing", least=2)


@dataclass(frozen=True)
class NAOConfig(StrategyConfig):
    """Settings of `NAOSearch`."""

    flag_prefix: ClassVar[str] = "nao_"

    width: int = setting(64, "width of embedding, encoder and decoder", least=1)
    epochs: int = setting(
        5, "epochs of each training; the first one takes six times as many", least=1
    )
    step_size: float = setting(
        1.0, "length of the first gradient step, in lengths of an embedding", least=0
    )
    initial: int = setting(16, "random draws that begin a search from nothing", least=2)


STRATEGY_CONFIGS: dict[str, type[StrategyConfig]] = {
    "gradient": GradientConfig,
    "random": RandomConfig,
    "evolution": EvolutionConfig,
    "local": LocalConfig,
    "nsga2": NSGA2Config,
    "reinforce": ReinforceConfig,
    "bo": BOConfig,
    "gp": GPConfig,
    "ascent": AscentConfig,
    "nao": NAOConfig,
}


def search_configs(values: Mapping[str, Any], place: str) -> tuple[SearchConfig, StrategyConfig]:
    """Make the settings of a search and of its strategy from values by field name.

    Raises:
        UsageError: An unknown name, one of another strategy, or a value of the wrong kind.
    """
    shared = {field.name for field in dataclasses.fields(SearchConfig)}
    config = make(SearchConfig, {n: v for n, v in values.items() if n in shared}, place)
    own = {name: value for name, value in values.items() if name not in shared}
    kind = STRATEGY_CONFIGS[config.strategy]
    known = [field.name for field in dataclasses.fields(kind)]
    for name in own:
        if name not in known:
            near = difflib.get_close_matches(name, [*sorted(shared), *known], 1)
            raise UsageError(
                f"{place}: expected a setting of the strategy {config.strategy}, found {name!r}",
                remedy=f"did you mean {near[0]}?" if near else _others(name, known),
            )
    return config, make(kind, own, place)


def _others(name: str, known: list[str]) -> str:
    """Name the strategies that have the setting, or what there is to set."""
    having = [
        strategy
        for strategy, kind in STRATEGY_CONFIGS.items()
        if name in {field.name for field in dataclasses.fields(kind)}
    ]
    return f"strategy {' or '.join(having)} has it" if having else f"known: {', '.join(known)}"
