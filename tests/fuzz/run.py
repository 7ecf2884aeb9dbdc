"""Fuzzes one target by coverage: `python -m tests.fuzz.run TARGET CORPUS [flags of libFuzzer]`.

`scripts/fuzz.sh` calls it; it needs atheris. `--list` names the targets.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Instrument ngae, then run the target; seeds are added to the corpus."""
    try:
        import atheris
    except ImportError:
        sys.exit("expected atheris, found none: pip install 'ngae[fuzz]'")
    with atheris.instrument_imports(include=["ngae", "tomllib"]):
        from tests.fuzz.graphs import spaces
        from tests.fuzz.seeds import seeds
        from tests.fuzz.targets import TARGETS, attempt

        spaces()  # imports them
    if sys.argv[1] == "--list":
        print(" ".join(TARGETS))
        return
    name, corpus = sys.argv.pop(1), Path(sys.argv[1])
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    target = TARGETS[name]
    atheris.Setup(sys.argv, lambda data: attempt(target, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
