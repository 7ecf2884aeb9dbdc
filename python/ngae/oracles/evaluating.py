"""What is done where an evaluation runs, and how its end travels back: as a value, never raised.

Executors differ in what they make of an exception; of one that cannot be pickled, some break.
"""

from __future__ import annotations

from dataclasses import dataclass

from ngae.dag import Dag
from ngae.errors import NgaeError
from ngae.oracles.base import Answer, Oracle
from ngae.oracles.ledger import described


@dataclass(frozen=True)
class Outcome:
    """How an evaluation ended; one of the three is there.

    Attributes:
        answer: What the oracle said.
        error: What it raised on purpose.
        crash: What else was raised, in a line.
    """

    answer: Answer | None = None
    error: NgaeError | None = None
    crash: str = ""


def evaluate(oracle: Oracle, dag: Dag) -> Outcome:
    """Ask `oracle` about `dag`."""
    try:
        return Outcome(answer=oracle.query(dag))
    except NgaeError as error:
        return Outcome(error=error)
    except Exception as error:
        return Outcome(crash=described(error))
