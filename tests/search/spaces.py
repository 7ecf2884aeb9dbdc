"""Spaces that tests of every strategy go through, beside some of their own."""

from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace

PUBLISHED = [
    EnasSpace(6),
    EnasSpace(5, least_layers=2),
    space_named("nas-bench-101"),
    space_named("nas-bench-201"),
    space_named("nas-bench-graph"),
]
