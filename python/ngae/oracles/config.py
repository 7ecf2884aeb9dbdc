"""Settings of who answers a search; holds no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ngae.settings import check_ranges, setting


@dataclass(frozen=True)
class OracleConfig:
    """What oracles judge by, how long they may take, and where their answers are kept."""

    images: str = setting(
        "digits",
        "images of shared-weights and train: digits, folder:PATH, cifar10:PATH, cifar100:PATH or "
        "mnist:PATH",
    )
    oracle_timeout: float = setting(0.0, "seconds for one run of a command; 0: any", least=0)
    oracle_retries: int = setting(0, "further attempts after an error of one evaluation", least=0)
    workers: int = setting(1, "evaluations at once, each in a process of its own", least=1)
    executor: str = setting(
        "processes",
        "where they run: processes of this machine, dask://HOST:PORT, dask:FILE.json, or "
        "'slurm partition=NAME time=MINUTES ...' with flags of sbatch",
    )
    ledger: str = setting(
        "", "file that keeps answers: nothing is lost by a kill, nothing is evaluated twice"
    )

    def __post_init__(self) -> None:
        check_ranges(self)
