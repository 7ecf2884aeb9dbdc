"""Every target by name, and what a target may do: end, or raise an error that is documented."""

from __future__ import annotations

from collections.abc import Callable

from ngae.errors import NgaeError
from tests.fuzz import graphs, reports, requests, stored, tables

Target = Callable[[bytes], None]
EXIT_CODES = (1, 2, 3, 4)

TARGETS: dict[str, Target] = {
    "csv": tables.csv,
    "json_lines": tables.json_lines,
    "dvae": tables.dvae,
    "joined": tables.joined,
    "architecture": graphs.architecture,
    "text": graphs.text,
    "nodes_and_edges": graphs.nodes_and_edges,
    "arrays": graphs.arrays,
    "limits": graphs.limits,
    "settings": stored.settings,
    "checkpoint": stored.checkpoint,
    "facts": stored.facts,
    "weights": stored.weights,
    "arrays_file": stored.arrays_file,
    "ledger": stored.ledger,
    "history": stored.history,
    "run_folder": stored.run_folder,
    "search_folder": stored.search_folder,
    "report": reports.report,
    "command_output": stored.command_output,
    "http": requests.http,
}


def attempt(target: Target, data: bytes) -> bool:
    """Run a target once.

    Returns:
        Whether the input was accepted; what is refused must be so by an error of ngae's tree, with
        an exit code and one line of text that a terminal can show.
    """
    try:
        target(data)
    except NgaeError as error:
        assert error.exit_code in EXIT_CODES
        line = str(error).replace("\n", "") if error.several_lines else str(error)
        assert line and line.isprintable(), repr(line)
        return False
    return True
