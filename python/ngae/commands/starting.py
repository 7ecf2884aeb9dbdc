"""What a search of the command line starts from: a run, a table, or a space alone."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ngae import console
from ngae.api import NGAE
from ngae.commands.banner import show_banner
from ngae.commands.graph_model import model_of
from ngae.data import DataConfig, Dataset, Table, load_config
from ngae.data.columns import NONE
from ngae.data.sampling import draw_distinct, write_table
from ngae.errors import UsageError
from ngae.models import NGAEModel
from ngae.oracles.base import Oracle
from ngae.oracles.config import OracleConfig
from ngae.oracles.registry import check_is_read, is_embedded, oracle_named
from ngae.search.config import SearchConfig
from ngae.search.predicted import Predicted
from ngae.search.run import starting_rows
from ngae.spaces.registry import space_named
from ngae.train.model import pick_device

_GRAPHS = 20_000  # drawn of a space without a table, about as many as digits6 has
_DRAWN = 0  # their seed: searches of any seed have one model


@dataclass(frozen=True, eq=False)
class Source:
    """Where a search gets its known rows and its model from.

    Attributes:
        table: All rows; none of a space alone.
        columns: How a history is read.
        folder: Folder of a search, by the name of the search.
        model: Gives the model, by the search's folder: trains it there where it was not.
        run: The finished run, with its data; None where there is none.
    """

    table: Table
    columns: DataConfig
    folder: Callable[[str], Path]
    model: Callable[[Path], NGAEModel]
    run: NGAE | None = None

    @classmethod
    def of_run(
        cls,
        path: Path,
        device: str | None,
        columns: Mapping[str, Any] = MappingProxyType({}),
        space: str = "",
    ) -> Source:
        """Take the model of a finished run and the rows that it was trained on.

        Args:
            path: The run folder.
            device: Where the model is to be; None: where it was trained.
            columns: Fields of `DataConfig` in which a history differs from the run's table.
            space: The run's space, where it is code.
        """
        run = NGAE.load(path, device, space)
        show_banner(run.model.device)
        folder = path / "search"
        config = dataclasses.replace(run.data.config, **columns)
        return cls(run.data.table, config, folder.joinpath, lambda _: run.model, run)

    @classmethod
    def of_table(cls, config: DataConfig, device: str | None) -> Source:
        """Take the rows of a table, and a model of their graphs."""
        show_banner(pick_device(device or "auto"))
        data = load_config(config)
        _show_rows(data)
        label = Path(config.data).name.removesuffix(".gz").rsplit(".", 1)[0]

        def model(folder: Path) -> NGAEModel:
            return _trained(config, folder, device)

        return cls(data.table, config, _named(label), model)

    @classmethod
    def of_space(cls, config: DataConfig, device: str | None) -> Source:
        """Take a space in which nothing is known, and a model of graphs that are drawn of it."""
        space = space_named(config.space)
        show_banner(pick_device(device or "auto"))

        def model(folder: Path) -> NGAEModel:
            path = folder / "graphs.csv"
            if not path.exists():
                write_table(draw_distinct(space, _GRAPHS, _DRAWN), space, path)
            drawn = DataConfig(data=str(path), space=config.space, performance_col=NONE)
            return _trained(drawn, folder, device)

        return cls(Table.empty(space), config, _named(config.space), model)

    def oracle(self, config: SearchConfig, own: OracleConfig) -> Oracle:
        """Make who answers.

        `auto` is shared weights for the embedded table, and a run's predictions for any other one.

        Raises:
            UsageError: Nobody, or who cannot judge these architectures.
        """
        name = config.oracle
        if name == "auto" and is_embedded(self.table):
            name = "shared-weights"
        elif name == "auto" and self.run is not None:
            name = "predicted"
        check_is_read(name, own)
        if name == "predicted" and self.run is not None:
            console.say("note: performances are the model's predictions; evaluate the proposals")
            return Predicted(self.run.model, self.table.space, self.table.complexity_names)
        if name in ("auto", "predicted") or (name == "table" and not len(self.table)):
            found = "none" if name == "auto" else name
            raise UsageError(
                f"--oracle: expected who answers beside a {self._kind}, found {found}",
                remedy="pass --oracle train, --oracle 'command PROGRAM {arch}'"
                + (", or --oracle table" if len(self.table) else ""),
            )
        return oracle_named(name, self.table, own, config.seed)

    def known(self, oracle: Oracle) -> Table:
        """Return the rows of known performance; none where a table without a run answers."""
        if self.run is not None:
            return starting_rows(self.run.data, oracle)
        return self.table.subset(self.table.labelled[: 0 if oracle.name == "table" else None])

    @property
    def _kind(self) -> str:
        return "table" if len(self.table) else "space"


def _show_rows(data: Dataset) -> None:
    """Say what rows there are."""
    table = data.table
    console.say(
        f"data: {data.name}, space {data.space.name}, {len(table)} rows, {len(table.labelled)} of "
        "them with a performance"
    )


def _named(label: str) -> Callable[[str], Path]:
    short = re.sub(r"[^A-Za-z0-9.]+", "-", label)
    return lambda name: Path("runs") / f"search-{short}-{name}"


def _trained(config: DataConfig, folder: Path, device: str | None) -> NGAEModel:
    path = model_of(config, folder / "model", device or "")
    return NGAE.load(path, device, config.code).model
