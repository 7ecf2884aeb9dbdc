"""`python -m ngae.status`."""

import sys

from ngae.commands.status import main

if __name__ == "__main__":
    sys.exit(main())
