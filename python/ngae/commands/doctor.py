"""`ngae doctor`: versions, device, backend and a self-test of the native ops."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ngae import console


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae doctor",
        description="Print versions, backend and a one-second self-test: paste it into an issue.",
        epilog="example:\n  ngae doctor",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Test and print; 1 where the ops disagree."""
    import torch

    from ngae.train.session import environment

    for name, value in environment(torch.device("cpu")).items():
        console.give(f"{name:10} {value}")
    difference = _self_test()
    good = difference < 1e-5
    verdict = "ok" if good else "FAILED"
    console.give(f"{'self-test':10} {verdict}: largest difference to plain torch {difference:.1e}")
    return 0 if good else 1


def _self_test() -> float:
    """Propagate random graphs by the native op and by plain torch; their largest difference."""
    import numpy as np
    import torch

    from ngae.batch import GraphBatch
    from ngae.models.propagation import Propagation
    from ngae.ops import reference
    from ngae.spaces.enas import EnasSpace

    space = EnasSpace(6)
    rng = np.random.default_rng(0)
    batch = GraphBatch.pack([space.sample(rng) for _ in range(32)])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        propagation = Propagation(space.num_node_types, 64, space.max_nodes, vertex_index=True)
        ours = propagation(batch)
        plain = reference.dag_gru(batch, propagation.weights())
    return float((ours - plain).abs().max())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
