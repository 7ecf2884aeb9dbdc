"""The model as a user of Python handles it: fit, evaluate, encode, decode, predict, load."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from ngae.dag import Dag
from ngae.data import Dataset, load_config
from ngae.errors import RefusedError, UsageError
from ngae.evaluate.protocol import evaluate
from ngae.models import NGAEModel, Posterior, Prediction
from ngae.train.config import SECTIONS, RunConfig
from ngae.train.folder import RunFolder
from ngae.train.model import load_model
from ngae.train.session import Observer, run_training


class NGAE:
    """A graph VAE with two predictors, and the data it was trained on.

    Args:
        settings: Fields of the settings by name, whichever section they stand in, such as
            `hidden_dim=128, epochs=10, beta=0.01, seed=1`.

    Raises:
        UsageError: An unknown setting, or a value of the wrong kind.
    """

    def __init__(self, **settings: Any) -> None:
        self.config = _with_settings(RunConfig(), settings)
        self._model: NGAEModel | None = None
        self._data: Dataset | None = None
        self.metrics: dict[str, Any] | None = None

    @property
    def model(self) -> NGAEModel:
        """The trained model.

        Raises:
            UsageError: There is none yet.
        """
        if self._model is None:
            raise UsageError("NGAE: expected a trained model, found none", remedy="call fit first")
        return self._model

    @property
    def data(self) -> Dataset:
        """The data that the model was trained on.

        Raises:
            UsageError: There are none yet.
        """
        if self._data is None:
            raise UsageError("NGAE: expected a trained model, found none", remedy="call fit first")
        return self._data

    def fit(
        self,
        data: Dataset,
        *,
        out: str | Path | None = None,
        resume: bool | Literal["auto"] = False,
        overwrite: bool = False,
        observer: Observer | None = None,
        **settings: Any,
    ) -> NGAE:
        """Train on `data`, evaluate, and write a run folder.

        Args:
            data: From `ngae.load`.
            out: The run folder; `runs/<data>-ngae-s<seed>` by default.
            resume: Go on with the run in that folder, if there is one.
            overwrite: Replace the run in that folder.
            observer: Who shows progress; silent by default.
            settings: As for the constructor, overriding it.

        Returns:
            This object, trained.

        Raises:
            RefusedError: The folder is in use.
            TrainingError: A term of the objective is not finite.
        """
        config = dataclasses.replace(_with_settings(self.config, settings), data=data.config)
        folder = RunFolder(Path(out)) if out is not None else RunFolder.named(config)
        finished = run_training(
            config, data, folder, resume=bool(resume), overwrite=overwrite, observer=observer
        )
        self.config, self._data = config, data
        self._model, self.metrics = finished.model, finished.metrics
        return self

    @classmethod
    def load(cls, folder: str | Path, device: str | None = None, space: str = "") -> NGAE:
        """Load a finished run, with its data.

        Args:
            folder: The run folder.
            device: Where the model is to be: auto (the CPU), cpu or cuda; by default where it
                was trained.
            space: The run's space, where it is code, such as `file.py:Name`: what a folder names
                is imported only if the caller names it, too.

        Raises:
            RefusedError: No run folder, no such device, a checkpoint that is damaged or does not
                fit, or a space that is code and was not named.
        """
        run = RunFolder(Path(folder))
        loaded = cls()
        loaded.config = run.read_trusted_config(space)
        if device is not None:
            train = dataclasses.replace(loaded.config.train, device=device)
            loaded.config = dataclasses.replace(loaded.config, train=train)
        if not run.last.exists():
            raise RefusedError(
                f"{run.path}: expected a trained model, found no checkpoint",
                remedy=f"python -m ngae.train --config {run.config} --out {run.path} --resume",
            )
        loaded._data = load_config(loaded.config.data)
        loaded._model = load_model(run, loaded._data, loaded.config)
        return loaded

    def evaluate(self, seed: int | None = None, **settings: Any) -> dict[str, Any]:
        """Measure the model on test rows and prior; see `ngae.evaluate.protocol.evaluate`."""
        config = dataclasses.replace(self.config.evaluate, **settings)
        seed = self.config.train.seed if seed is None else seed
        return evaluate(self.model, self.data, config, seed=seed)

    def encode(self, dags: Sequence[Dag]) -> Posterior:
        """Return the posterior of each architecture, (len(dags), latent_dim)."""
        return self.model.encode(dags)

    def decode(self, z: Tensor, *, seed: int = 0, stochastic: bool = False) -> list[Dag]:
        """Return one architecture for each row of z (num_points, latent_dim)."""
        return self.model.decode(z, seed=seed, stochastic=stochastic)

    def predict(self, z: Tensor) -> Prediction:
        """Return performance and complexities at z (num_points, latent_dim), in their units."""
        return self.model.predict(z)


def _with_settings(config: RunConfig, settings: dict[str, Any]) -> RunConfig:
    """Put each setting into the section that has a field of its name."""
    home = {
        field.name: section
        for section, kind in SECTIONS.items()
        if section != "data"
        for field in dataclasses.fields(kind)
    }
    sections = config.as_dict()
    for name, value in settings.items():
        if name not in home:
            raise UsageError(
                f"NGAE: expected a known setting, found {name!r}",
                remedy=f"known: {', '.join(sorted(home))}",
            )
        sections[home[name]][name] = value
    return RunConfig.from_sections(sections, "NGAE")
