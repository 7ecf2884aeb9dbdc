"""`python -m ngae.report`."""

import sys

from ngae.commands.report import main

if __name__ == "__main__":
    sys.exit(main())
