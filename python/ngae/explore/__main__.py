"""`python -m ngae.explore`."""

import sys

from ngae.commands.explore import main

if __name__ == "__main__":
    sys.exit(main())
