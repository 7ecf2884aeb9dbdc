"""Fuzzes one target by coverage: `python -m tests.fuzz.run TARGET CORPUS [flags of libFuzzer]`.

`scripts/fuzz.sh` calls it; it needs atheris.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Instrument ngae, then run the target."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install 'ngae[fuzz]'")
    with atheris.instrument_imports(include=["ngae", "tomllib", "json"]):
        from tests.fuzz.seeds import seeds
        from tests.fuzz.targets import TARGETS, attempt
    name, corpus = sys.argv.pop(1), Path(sys.argv[1])
    target = TARGETS[name]
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, lambda data: attempt(target, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
