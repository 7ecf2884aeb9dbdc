"""`python -m ngae.export`."""

import sys

from ngae.commands.export import main

if __name__ == "__main__":
    sys.exit(main())
