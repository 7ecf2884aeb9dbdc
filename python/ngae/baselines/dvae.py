"""The published D-VAE/NGAE model, exactly: what there is, and `python -m ngae.baselines.dvae`.

Names are imported when first used, so that `--help` needs no torch.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngae import console
from ngae._lazy import lazily
from ngae.files import finite

if TYPE_CHECKING:
    from ngae.baselines.dvae_checkpoint import load_checkpoint as load_checkpoint
    from ngae.baselines.dvae_config import DVAEConfig as DVAEConfig
    from ngae.baselines.dvae_graphs import DenseGraphs as DenseGraphs
    from ngae.baselines.dvae_model import DVAE as DVAE
    from ngae.baselines.dvae_model import Losses as Losses

_HOME = {
    "DVAE": "dvae_model",
    "DVAEConfig": "dvae_config",
    "DenseGraphs": "dvae_graphs",
    "Losses": "dvae_model",
    "load_checkpoint": "dvae_checkpoint",
}

__all__ = ["DVAE", "DVAEConfig", "DenseGraphs", "Losses", "build_parser", "load_checkpoint", "main"]

FORM = """\
the file (G graphs of at most N nodes, latent size L; sizes are read from it):
  param.<name>                      every weight under its published name; so come the sizes
  node_types (G, N)                 0 start, 1 end, 2.. operations; -1 past the graph's end
  adjacency (G, N, N)               1 where node [row] feeds node [column]
  num_nodes (G,)
  mean, logvar (G, L)               posterior
  reconstruction_loss, kl (G,)      nats, z = mean
  predictor, predictor_complexity (G, 1)
  batch_loss, batch_reconstruction_loss, batch_kl ()
                                    sums over the graphs; loss = reconstruction + 0.005 * kl
  grad.<name>                       gradient of batch_loss

exit code: 0 all within the tolerances, 1 not, 2 usage, 3 a file that cannot be used

example:
  python -m ngae.baselines.dvae check vectors.npz --tolerance 1e-5
"""


__getattr__ = lazily("ngae.baselines", _HOME)


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="python -m ngae.baselines.dvae",
        description="The published D-VAE/NGAE model: check it, look into its checkpoints.",
        epilog="example: python -m ngae.baselines.dvae check vectors.npz",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="compare with numbers of the published implementation",
        description="Compare posterior, loss, heads and gradients with published numbers, one "
        "graph at a time and in one batch. Prints relative errors as JSON.",
        epilog=FORM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("file", metavar="FILE.npz", help="test vectors")
    for flag, default, what in (
        ("--tolerance", 1e-5, "values"),
        ("--gradient-tolerance", 1e-4, "gradients"),
    ):
        text = f"largest relative error of {what} (default: {default:g})"
        check.add_argument(flag, type=_tolerance, default=default, metavar="X", help=text)
    check.add_argument(
        "--dtype",
        choices=("float32", "float64"),
        default="float32",
        help="precision of the computation (default: float32)",
    )
    check.set_defaults(command=_check)
    show = commands.add_parser("show", help="print the sizes of a published checkpoint as JSON")
    show.add_argument("file", metavar="FILE.pth", help="a saved state dict")
    show.set_defaults(command=_show)
    for command in (check, show):
        command.add_argument("--debug", action="store_true", help="print a traceback on an error")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""

    def command(arguments: argparse.Namespace) -> int:
        code: int = arguments.command(arguments)
        return code

    return console.run(build_parser(), command, argv)


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0, found {text!r}")
    return value


def _check(arguments: argparse.Namespace) -> int:
    import torch

    from ngae.baselines.dvae_check import check, read_vectors

    vectors = read_vectors(arguments.file, getattr(torch, arguments.dtype))
    report = check(
        vectors,
        tolerance=arguments.tolerance,
        gradient_tolerance=arguments.gradient_tolerance,
    )
    head = {
        "file": arguments.file,
        "num_graphs": len(vectors.graphs),
        "dtype": arguments.dtype,
        "model": vectors.model.config.as_dict(),
    }
    console.give(json.dumps(finite({**head, **report}), indent=2))
    return 0 if report["pass"] else 1


def _show(arguments: argparse.Namespace) -> int:
    from ngae.baselines.dvae_checkpoint import load_checkpoint

    model = load_checkpoint(arguments.file)
    count = sum(weight.numel() for weight in model.parameters())
    console.give(json.dumps({**model.config.as_dict(), "parameters": count}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
