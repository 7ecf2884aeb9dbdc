"""`python -m ngae.completion`."""

import sys

from ngae.commands.completion import main

if __name__ == "__main__":
    sys.exit(main())
