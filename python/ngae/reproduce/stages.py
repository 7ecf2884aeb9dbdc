"""The stages of a reproduction, in order: what each computes, and the file that it leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ngae.api import NGAE
from ngae.data import Dataset, load_config
from ngae.errors import UsageError
from ngae.evaluate.metrics import kendall_tau
from ngae.files import write_json
from ngae.oracles.base import Oracle, identity_of
from ngae.oracles.registry import has_weights, is_embedded
from ngae.oracles.shared_weights import SharedWeights
from ngae.reproduce import measuring
from ngae.reproduce.config import Plan, is_published
from ngae.reproduce.folder import ReproduceFolder, Stage, read_json, write_csv
from ngae.reproduce.judge import Judge, quality
from ngae.searching import Search
from ngae.train.folder import RunFolder, read_log
from ngae.train.session import Observer, environment, run_training

NewObserver = Callable[[RunFolder], Observer]

ROUNDS = 5  # in which a search asks and learns
_CHECKED = 100  # test rows on which the oracle is held against the table


@dataclasses.dataclass(frozen=True)
class Method:
    """One of the three searches that figure 5 compares.

    Attributes:
        key: Name of its folder and files.
        title: For people.
        model: Which training it searches with, `ngae` or `vae`.
        strategy: As in `ngae search --strategy`.
    """

    key: str
    title: str
    model: str
    strategy: str


METHODS = (
    Method("ngae", "NGAE", "ngae", "gradient"),
    Method("ngae-without-complexity", "NGAE without complexity", "ngae", "gradient"),
    Method("dvae-bo", "D-VAE + BO", "vae", "bo"),
)


def methods() -> tuple[Method, ...]:
    """List the searches that can be run here: Bayesian optimisation needs BoTorch."""
    return tuple(m for m in METHODS if m.strategy != "bo" or find_spec("botorch") is not None)


class Laboratory:
    """Does the work of the stages in one folder.

    Args:
        plan: The settings.
        folder: Where everything goes; claimed by the caller.
        observer: Makes who shows a training.
    """

    def __init__(self, plan: Plan, folder: ReproduceFolder, observer: NewObserver) -> None:
        self.plan, self.folder, self.observer = plan, folder, observer
        self._loaded: tuple[Path, NGAE] | None = None

    @cached_property
    def data(self) -> Dataset:
        """The table.

        Raises:
            UsageError: It lacks performances or complexities.
        """
        data = load_config(self.plan.run.data)
        if not len(data.train.labelled) or not len(data.test.labelled):
            raise UsageError("ngae reproduce: expected rows with a performance, found none")
        if not data.table.complexity_names:
            raise UsageError("ngae reproduce: expected a complexity beside the performance")
        return data

    @cached_property
    def oracle(self) -> Oracle:
        """Who answers the searches: shared weights for the embedded table, else a regressor."""
        if is_embedded(self.data.table):
            return SharedWeights.for_digits6()
        return Judge(self.data.table)

    @property
    def weighed(self) -> str:
        """The complexity that counts: multiply-adds where the table has them."""
        names = self.data.table.complexity_names
        return "macs" if "macs" in names else names[0]

    def stages(self) -> list[Stage]:
        """List all stages, in the order in which they are done."""
        place, first = self.folder, self.plan.seeds[0]
        found = [
            Stage("data", "read the table, try the oracle", (place / "data.json",), self._data)
        ]
        found += [stage for seed in self.plan.seeds for stage in self._of_training(seed)]
        for key, title, work in (
            ("figure3-map", "map the latent space", measuring.latent_map),
            ("figure4-predicted", "predict test architectures", measuring.predicted),
            ("figure4-ascent", "climb from draws of the prior", measuring.ascents),
        ):
            file = place / f"{key}.csv"
            found.append(Stage(key, title, (file,), partial(self._measured, work, file, first)))
        found += [stage for seed in self.plan.seeds for stage in self._of_searches(seed)]
        return found

    def model(self, seed: int, name: str) -> NGAE:
        """Load the model of a finished training."""
        path = self.folder.run(seed, name).path
        if self._loaded is None or self._loaded[0] != path:
            self._loaded = path, NGAE.load(path, space=self.plan.run.data.code)
        return self._loaded[1]

    def _of_training(self, seed: int) -> list[Stage]:
        found = [self._training("ngae", f"train NGAE, seed {seed}", seed)]
        for epoch in self.plan.checkpoints:
            file = self.folder.measures(seed, epoch)
            key = f"measures-s{seed}-e{epoch}"
            title = f"measure after {epoch} epochs, seed {seed}"
            found.append(Stage(key, title, (file,), partial(self._measures, seed, epoch, file)))
        return found

    def _of_searches(self, seed: int) -> list[Stage]:
        found = []
        for method in methods():
            if method.model == "vae":
                title = f"train the VAE of D-VAE, seed {seed}"
                found.append(self._training("vae", title, seed))
            files = tuple(
                self.folder.search(seed, method.key) / name
                for name in ("result.json", "trials.jsonl")
            )
            key, title = f"search-{method.key}-s{seed}", f"search: {method.title}, seed {seed}"
            found.append(Stage(key, title, files, partial(self._search, method, seed)))
        return found

    def _training(self, name: str, title: str, seed: int) -> Stage:
        run = self.folder.run(seed, name)
        files: tuple[Path, ...] = (run.config, run.log, run.last, run.metrics)
        if name == "ngae":
            files += tuple(_kept(run, epoch) for epoch in self.plan.checkpoints[:-1])
        return Stage(f"{name}-s{seed}", title, files, partial(self._train, name, seed, files))

    def _train(self, name: str, seed: int, files: tuple[Path, ...]) -> None:
        run = self.folder.run(seed, name)
        config = self.plan.training(seed, predictors=name == "ngae")
        kept = {e: _kept(run, e) for e in self.plan.checkpoints[:-1]} if name == "ngae" else {}
        done = len(read_log(run.log))
        # What was deleted and lies behind cannot be had but by training again.
        again = any(epoch < done and not file.exists() for epoch, file in kept.items())
        observer = measuring.Keeper(run, kept, self.observer(run))
        run_training(
            config, self.data, run, resume=not again, overwrite=again, observer=observer
        )  # fmt: skip

    def _data(self) -> None:
        """Say what the table is, and how far the oracle is to be trusted."""
        data, train = self.data, self.data.train.performance[self.data.train.labelled]
        facts = {
            **data.as_dict(),
            "published": is_published(self.plan.run.data.data),
            "performance_mean": float(train.mean()),
            "performance_std": float(train.std()),
            "performance_best": float(np.nanmax(data.table.performance)),
            "complexities": list(data.table.complexity_names),
            "weighed": self.weighed,
            "oracle": {"name": self.oracle.name, "identity": identity_of(self.oracle)},
            "environment": environment(self._device()),
        }
        if isinstance(self.oracle, SharedWeights):
            facts["oracle"]["checked"] = self._checked(self.oracle)
        else:
            facts["oracle"]["quality"] = quality(data)
            facts["oracle"]["digits"] = self._agreement()
        write_json(self.folder / "data.json", facts)

    def _checked(self, oracle: SharedWeights) -> dict[str, int]:
        """Count test rows that the embedded weights answer as the table does."""
        rows = self.data.test.labelled[:_CHECKED]
        correct = oracle.count_correct([self.data.test.dags[int(row)] for row in rows])
        images = len(oracle.images.validation_labels)
        equal = np.isclose(correct / images, self.data.test.performance[rows], rtol=0, atol=1e-9)
        return {"rows": len(rows), "equal": int(equal.sum())}

    def _agreement(self) -> dict[str, float] | None:
        """Tell how the embedded weights order test rows; None where they have other networks."""
        table = self.data.test
        if not has_weights(table.space):
            return None
        rows = table.labelled[:_CHECKED]
        correct = SharedWeights.for_digits6().count_correct([table.dags[int(r)] for r in rows])
        tau = kendall_tau(correct.astype(np.float64), table.performance[rows])
        return {"rows": len(rows), "kendall_tau": tau}

    def _device(self) -> Any:
        from ngae.train.model import pick_device

        return pick_device(self.plan.run.train.device)

    def _measures(self, seed: int, epoch: int, file: Path) -> None:
        run, config = self.folder.run(seed, "ngae"), self.plan.training(seed, predictors=True)
        last = epoch == self.plan.checkpoints[-1]
        path = run.last if last else _kept(run, epoch)
        known = read_json(run.metrics) if last else None
        write_json(file, measuring.at_checkpoint(path, self.data, config, epoch, known))

    def _measured(self, work: measuring.Work, file: Path, seed: int) -> None:
        head, rows = work(self.model(seed, "ngae"), self.plan)
        write_csv(file, head, rows)

    def _search(self, method: Method, seed: int) -> None:
        folder = self.folder.search(seed, method.key)
        (folder / "result.json").unlink(missing_ok=True)  # of a search whose trials are gone
        own: dict[str, Any] = {"surrogate": "sparse"}
        if method.strategy == "gradient":
            weight = self.plan.own.weight if method.key == "ngae" else 0.0
            own = {"guide": "predictors", "starts": "prior", "weight": weight}
        search = Search(
            self.model(seed, method.model),
            folder=folder,
            strategy=method.strategy,
            weigh=self.weighed,
            batch=max(1, self.plan.own.budget // ROUNDS),
            seed=seed,
            **own,
        )
        search.run(self.plan.own.budget, self.oracle)


def _kept(run: RunFolder, epoch: int) -> Path:
    """Where the weights after so many epochs are."""
    return run.last.parent / f"epoch-{epoch}.safetensors"
