"""`python -m ngae.reproduce`."""

import sys

from ngae.commands.reproduce import main

if __name__ == "__main__":
    sys.exit(main())
