"""What a reproduction does otherwise than the paper, and what it leaves out, with the commands."""

from __future__ import annotations

from ngae.reproduce.results import Results
from ngae.reproduce.stages import METHODS, ROUNDS, methods
from ngae.search.config import GradientConfig


def oracle_text(results: Results) -> str:
    """Say who answered the searches, and how far it is to be trusted."""
    oracle = results.data["oracle"]
    name, performance = results.data["name"], results.data["performance"]
    if oracle["name"] == "shared-weights":
        checked = oracle["checked"]
        return (
            f"The oracle is the embedded shared weights, which made the table {name}: on "
            f"{checked['equal']} of {checked['rows']} test rows that were tried it answers what "
            "stands in the table. Performance is accuracy on 8x8 digits, without training."
        )
    quality, digits = oracle["quality"], oracle["digits"]
    weights = (
        ""
        if digits is None
        else (
            f" The embedded shared weights, which judge by 8x8 digits, order {digits['rows']} test "
            f"rows with Kendall tau {digits['kendall_tau']:.2f} to the table, and are not asked."
        )
    )
    return (
        f"The oracle is a regressor, not a training: boosted trees on types and edges by place, "
        f"fitted to all rows of {name}, which answer in units of {performance}. Fitted to the "
        f"training rows alone they reach RMSE {quality['rmse']:.5f} "
        f"(/ std: {quality['rmse_normalised']:.3f}), r {quality['pearson_r']:.3f} on the test "
        f"rows: smaller differences between networks mean nothing.{weights}"
    )


def differences(results: Results) -> list[str]:
    """List what is done otherwise than in the paper's text."""
    plan, climb = results.plan, GradientConfig()
    model = plan.run.model
    found = []
    if model.readout == "all" or model.latent_in_heads:
        found.append(
            "The encoder reads out the states of all nodes, and z enters the heads of the decoder "
            "too. The paper's own form, --preset paper, learns many times more slowly."
        )
    found += [
        f"The KL divergence has weight {plan.run.loss.beta:g}; equation (6) has 1.",
        f"One training of {plan.run.train.epochs} epochs with a cosine decay over all of them is "
        f"measured after {', '.join(map(str, plan.checkpoints))}; the paper's has 300.",
        "The decoder writes what the search space allows, so that validity is 100 % by "
        "construction.",
        f"Ascents take {climb.steps} steps of one length, {climb.step_size:g} a coordinate, in "
        "place of steps proportional to the gradient (Algorithm 1).",
        f"In equation (7) performance and {results.data['weighed']} are in units of their spread "
        f"in the table; the complexity has weight {plan.own.weight:g}. The paper subtracts a "
        "complexity from an accuracy, both in [0, 1].",
        f"Searches ask in {ROUNDS} rounds. Those by gradient climb from draws of the prior by the "
        "trained predictors alone.",
        "D-VAE + BO: the same VAE, trained without predictors, then a sparse Gaussian process and "
        "expected improvement (BoTorch) on the best and the last 400 known rows, which learns from "
        "its answers.",
    ]
    return found


def missing(results: Results) -> list[tuple[str, str]]:
    """List what is left out, each with the command that does it, or ""."""
    run = results.folder.run(results.plan.seeds[0], "ngae").path
    found = [
        (
            "Figures 3 to 5 are pictures in the paper, without numbers in its text: there is "
            "nothing to compare numbers with.",
            "",
        ),
        (
            "The networks that were found are not trained from scratch on CIFAR-10, which has to "
            "be there and takes far longer. This asks about three proposals so:",
            f"ngae search {run} --guide predictors --starts prior --budget 3 --oracle train "
            "--images cifar10:PATH",
        ),
        (
            "The paper's own form of the model, and its 300 epochs, take hours:",
            "ngae reproduce --preset paper --out runs/reproduce-paper",
        ),
    ]
    if not results.data["published"]:
        found.append(
            (
                "The paper's table is ENAS-6, which is not part of ngae. Fetch it, then:",
                "ngae data get enas6 && ngae reproduce --data enas6",
            )
        )
    if len(methods()) < len(METHODS) or not any(
        one.method.key == "dvae-bo" for one in results.found
    ):
        found.append(
            (
                "D-VAE + BO needs BoTorch. Install it, and give the same command again:",
                "pip install 'ngae[bo]'",
            )
        )
    return found
