"""What tests of every strategy go through: spaces, an oracle, a problem without known rows."""

import numpy as np

from ngae.data import Table
from ngae.oracles.base import Answer
from ngae.spaces import space_named
from ngae.spaces.cell import Cell
from ngae.spaces.chain import Chain
from ngae.spaces.enas import EnasSpace
from ngae.spaces.recurrent import RecurrentSpace

PUBLISHED = [
    EnasSpace(6),
    EnasSpace(5, least_layers=2),
    space_named("nas-bench-101"),
    space_named("nas-bench-201"),
    space_named("nas-bench-graph"),
]


class Few(Cell):
    operations = ("a", "b", "c")
    max_operations = 4
    max_edges = 6


class Row(Chain):
    operations = ("a", "b", "c")
    length = 4
    least_length = 2


SPACES = [*PUBLISHED, RecurrentSpace(12), Few(), Row()]


class Judge:
    """Sums types; fails where `fails` says so."""

    name = identity = "judge"

    def __init__(self, space, fails=lambda dag: False):
        self.space, self.fails = space, fails

    def query(self, dag):
        if self.fails(dag):
            return Answer.failed("no")
        return Answer(float(sum(dag.node_types)), {"edges": float(len(dag.edges))}, 0.0)


def nothing(space):
    costs = np.zeros((0, len(space.complexity_names)))
    return Table(
        "none", space, (), np.zeros(0), costs, "accuracy", space.complexity_names,
        np.zeros(0, dtype=np.int64), "made",
    )  # fmt: skip
