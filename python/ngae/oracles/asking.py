"""What is worth asking an oracle about, and which architectures are one question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.records import Table as Records
from ngae.oracles.base import Oracle
from ngae.oracles.table import Table


@dataclass(frozen=True)
class Askable:
    """Which architectures an oracle may be asked about.

    Attributes:
        key: Gives the key of an architecture, equal for those that have one answer; None where it
            is not worth asking.
        rows: All that can be asked, each once, where only what a table holds can; else None.
    """

    key: Callable[[Dag], str | None]
    rows: Dags | None = None


def _hash(dag: Dag) -> str | None:
    return dag.canonical_hash


ANYTHING = Askable(_hash)


def askable(oracle: Oracle, known: Records) -> Askable:
    """Say what may be asked.

    A table is asked about the rows that are not in `known`; an architecture for which another one
    answers (`SearchSpace.canonical`) is that other one. Who evaluates can be asked anything.

    Args:
        oracle: Who answers, perhaps within others.
        known: Rows that need no asking.
    """
    while not isinstance(oracle, Table) and hasattr(oracle, "oracle"):
        oracle = oracle.oracle
    if not isinstance(oracle, Table):
        return ANYTHING
    table, answered = oracle, set(known.hashes)
    for dag, digest in zip(known.dags, known.hashes, strict=True):
        if digest not in table.hashes and (row := table.key_of(dag)) is not None:
            answered.add(row)

    def key(dag: Dag) -> str | None:
        found = table.key_of(dag)
        return None if found in answered else found

    return Askable(key, table.rows_beside(answered))
