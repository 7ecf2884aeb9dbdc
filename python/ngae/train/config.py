"""Settings of a run: what is trained on what, how long, where; holds no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ngae.data.config import DataConfig
from ngae.errors import UsageError, shown
from ngae.evaluate.config import EvaluateConfig
from ngae.models.config import LossConfig, ModelConfig
from ngae.settings import as_dict, check_ranges, make, setting


@dataclass(frozen=True)
class TrainConfig:
    """How the model is trained."""

    epochs: int = setting(18, "passes over the training rows", least=1)
    batch_size: int = setting(
        0, "graphs a step; 0: a 64th of the training rows, from 16 to 128", least=0
    )
    lr: float = setting(
        0.0,
        "peak learning rate of Adam; cosine decay to 0; 0: .006 for 128 graphs a step, and for "
        "others as the square root of their number",
        least=0,
    )
    warmup_steps: int = setting(100, "steps over which the learning rate rises", least=0)
    clip: float = setting(1.0, "largest norm of the gradient", least=0)
    seed: int = setting(0, "seed of weights, order, noise and evaluation", least=0)
    standardise: bool = setting(
        True, "in the end, bring encodings to mean 0 and variance 1; predictions do not change"
    )
    device: str = setting("auto", "auto (the CPU), cpu or cuda")
    name: str = setting("ngae", "name of the model in the run folder's name")

    def __post_init__(self) -> None:
        check_ranges(self)

    def graphs_a_step(self, rows: int) -> int:
        """Return the batch size for a number of training rows: few rows need more steps."""
        return self.batch_size or min(max(rows // 64, 16), 128)

    def peak_lr(self, rows: int) -> float:
        """Return the peak learning rate for a number of training rows."""
        return self.lr or 0.006 * (self.graphs_a_step(rows) / 128) ** 0.5


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's result; saved as `config.json`."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)

    @classmethod
    def from_sections(cls, sections: Mapping[str, Mapping[str, Any]], place: str) -> RunConfig:
        """Make a RunConfig of tables by section name; what is absent keeps its default.

        Raises:
            UsageError: An unknown section or setting, or a value of the wrong kind.
        """
        for name in sections:
            if name not in SECTIONS:
                raise UsageError(
                    f"{place}: expected sections {', '.join(SECTIONS)}, found [{name}]"
                )
            if not isinstance(sections[name], Mapping):
                raise UsageError(
                    f"{place}: [{name}]: expected settings by name, found {shown(sections[name])}"
                )
        return cls(
            **{
                name: make(kind, sections.get(name, {}), f"{place}: [{name}]")
                for name, kind in SECTIONS.items()
            }
        )

    def located(self) -> RunConfig:
        """Return the same with absolute paths of the data's files."""
        return dataclasses.replace(self, data=self.data.located())

    def without_folders(self) -> RunConfig:
        """Return the same without the folders of the data's files."""
        return dataclasses.replace(self, data=self.data.without_folders())

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return the settings as plain values by section."""
        return as_dict(self)

    def differences(self, other: RunConfig) -> list[str]:
        """Name the settings in which `other` differs, as `section.name: ours -> theirs`."""
        ours, theirs = self.as_dict(), other.as_dict()
        return [
            f"{section}.{name}: {value} -> {theirs[section][name]}"
            for section, values in ours.items()
            for name, value in values.items()
            if value != theirs[section][name]
        ]


SECTIONS: dict[str, Any] = {
    field_.name: field_.default_factory for field_ in dataclasses.fields(RunConfig)
}


def quick(config: RunConfig) -> RunConfig:
    """Return a run of the same kind that takes well under a minute, to see that it works.

    Its folder is another one (`runs/<data>-quick-s<seed>`), so that it is not in the way.
    """
    return dataclasses.replace(
        config,
        model=dataclasses.replace(
            config.model, hidden_dim=64, latent_dim=16, head_dim=64, predictor_dim=64
        ),
        train=dataclasses.replace(
            config.train,
            epochs=min(config.train.epochs, 2),
            batch_size=config.train.batch_size or 64,  # in two epochs more steps teach more
            name="quick",
        ),
        evaluate=dataclasses.replace(
            config.evaluate, prior_points=500, protocol_points=50, protocol_decodings=10
        ),
    )
