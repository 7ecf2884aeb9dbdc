"""How much of the paper is made anew, and of what; holds no torch."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngae.data.catalog import find
from ngae.errors import UsageError
from ngae.settings import as_dict, check_ranges, setting
from ngae.train.config import RunConfig

PARTS = 3  # checkpoints of a training, as the paper's Table 1 has them


@dataclass(frozen=True)
class ReproduceConfig:
    """Sizes of the figures and of the searches."""

    seeds: int = setting(1, "trainings and searches, by seeds from --seed on", least=1)
    budget: int = setting(50, "networks that each search of figure 5 asks about", least=3)
    # The paper subtracts a complexity in [0, 1] from an accuracy in [0, 1]. On ENAS-6 that is 25
    # spreads of accuracy for one of complexity, and the search would look for small networks only.
    weight: float = setting(
        0.2, "weight of the complexity in figure 5, both in units of their spreads", least=0
    )
    networks: int = setting(100, "test architectures in figure 4", least=3)
    ascents: int = setting(100, "draws of the prior that climb in figure 4", least=1)
    map_points: int = setting(41, "points along a side of the map of figure 3", least=2)

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class Plan:
    """Everything that decides on the results; `plan.json` of the folder.

    Attributes:
        run: How the first model is trained; those of further seeds differ in the seed.
        own: Settings of the reproduction.

    Raises:
        UsageError: Too few epochs for three checkpoints.
    """

    run: RunConfig = field(default_factory=RunConfig)
    own: ReproduceConfig = field(default_factory=ReproduceConfig)

    def __post_init__(self) -> None:
        if self.run.train.epochs < PARTS:
            raise UsageError(
                f"--epochs: expected at least {PARTS}, one for each checkpoint of Table 1, "
                f"found {self.run.train.epochs}"
            )

    @property
    def seeds(self) -> range:
        """Seeds of the trainings."""
        first = self.run.train.seed
        return range(first, first + self.own.seeds)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Epochs after which Table 1 is measured: a third, two thirds, all of them."""
        return tuple(round(self.run.train.epochs * k / PARTS) for k in range(1, PARTS + 1))

    def training(self, seed: int, *, predictors: bool) -> RunConfig:
        """Return the settings of one training.

        Args:
            seed: Its seed.
            predictors: Whether performance and complexity are learned with the VAE, as NGAE does.
        """
        run = self.run
        model = run.model
        if not predictors:
            model = dataclasses.replace(
                model, performance_predictor=False, complexity_predictor=False
            )
        name = "ngae" if predictors else "vae"
        train = dataclasses.replace(run.train, seed=seed, name=name)
        return dataclasses.replace(run, model=model, train=train)

    def sections(self) -> dict[str, dict[str, Any]]:
        """Return the settings as plain values by section."""
        return {"reproduce": as_dict(self.own), **self.run.located().as_dict()}


def quick(plan: Plan) -> Plan:
    """Return a plan of the same kind for minutes: smaller models, fewer epochs and queries."""
    run, own = plan.run, plan.own
    model = dataclasses.replace(run.model, hidden_dim=128, head_dim=128, predictor_dim=128)
    train = dataclasses.replace(run.train, epochs=min(run.train.epochs, 9))
    own = dataclasses.replace(own, budget=min(own.budget, 20))
    return Plan(dataclasses.replace(run, model=model, train=train), own)


def is_published(data: str) -> bool:
    """Tell whether `--data` is the published table of ENAS-6: its name, or its very file."""
    entry = find("enas6")
    assert entry is not None
    path = Path(data)
    if find(data) is not None or not path.is_file():
        return data == entry.name
    return hashlib.sha256(path.read_bytes()).hexdigest() == entry.files[0].sha256


def of_published(values: Mapping[str, Any]) -> dict[str, Any]:
    """Complete settings of the data, where they are the published table, as D-VAE's code has it.

    Args:
        values: Fields of `DataConfig` that were given; they stay.

    Returns:
        The same; with the burn-in and the published split if the table is that one.
    """
    data = str(values.get("data", ""))
    if not is_published(data):
        return dict(values)
    burn_in = {} if find(data) is not None else {"burn_in": 1000}
    return {**burn_in, "split": "published", **values}


def folder_name(plan: Plan, *, is_quick: bool) -> Path:
    """Return the default folder: `runs/reproduce-<data>`, with `-quick` where it is."""
    label = Path(plan.run.data.data).name.removesuffix(".gz").rsplit(".", 1)[0]
    return Path("runs") / f"reproduce-{label}{'-quick' if is_quick else ''}"
