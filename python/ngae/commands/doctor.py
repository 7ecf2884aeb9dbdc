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
    from ngae import _native

    console.give(f"{'cpu levels':10} {', '.join(_native.load().cpu_levels())}")
    difference = _self_test()
    good = difference < 1e-4
    verdict = "ok" if good else "FAILED"
    console.give(
        f"{'self-test':10} {verdict}: native ops against plain torch, largest relative difference "
        f"{difference:.1e}"
    )
    return 0 if good else 1


def _self_test() -> float:
    """Take the gradients of a small model's objective natively and by plain torch.

    Returns:
        The largest difference of a parameter's gradient, relative to its length.
    """
    import os

    import numpy as np
    import torch

    from ngae.batch import GraphBatch
    from ngae.models import ModelConfig, NGAEModel, TargetScaler
    from ngae.models.decisions import Decisions
    from ngae.spaces.enas import EnasSpace

    space, rng = EnasSpace(6), np.random.default_rng(0)
    batch = GraphBatch.pack([space.sample(rng) for _ in range(32)])
    scaler = TargetScaler.fit(np.linspace(0, 1, 4)[:, None])
    config = ModelConfig(hidden_dim=64, latent_dim=8, head_dim=64, predictor_dim=64)
    model = NGAEModel(space, config, scaler, scaler, seed=0)
    decisions, targets = Decisions.of(batch, space.rules), torch.linspace(0, 1, 32)
    before, gradients = os.environ.get("NGAE_OPS"), []
    try:
        for backend in ("cpp", "torch"):
            os.environ["NGAE_OPS"] = backend
            terms = model(batch, decisions, targets, targets[:, None], torch.zeros(32, 8))
            total = terms.nodes + terms.edges + terms.kl + terms.performance + terms.complexity
            gradients.append(torch.autograd.grad(total, list(model.parameters())))
    finally:
        if before is None:
            del os.environ["NGAE_OPS"]
        else:
            os.environ["NGAE_OPS"] = before
    differences = [(a - b).norm() / b.norm() for a, b in zip(*gradients, strict=True)]
    return float(torch.stack(differences).max())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
