"""A search that asks you: cells of NAS-Bench-201, evolution, answers on disk in the folder given.

    python examples/ask_and_tell.py mine

Stop it at any time; the same command goes on, and asks for nothing twice.
"""

import sys

import ngae


def evaluate(dag: ngae.Dag) -> float:
    """Stand for days of work: the share of 3x3 convolutions, which a search finds quickly."""
    return dag.node_labels.count("nor_conv_3x3") / 6


def main(folder: str, budget: int = 40) -> None:
    """Ask, evaluate and tell until the budget is spent; then write and print what was found."""
    space = ngae.spaces.space_named("nas-bench-201")
    search = ngae.Search(
        space, strategy="evolution", constraint="params <= 1.2e6", seed=0, folder=folder
    )
    while search.pending or search.queries < budget:
        for dag in search.pending or search.ask(4):
            search.tell(dag, performance=evaluate(dag))
    search.save()
    best = search.result().best
    print(f"{search.queries} queries, best {best.answer.performance:.2f}")
    print(space.format(best.dag))
    search.close()


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["mine"])
