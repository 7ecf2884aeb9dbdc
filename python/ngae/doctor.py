"""`python -m ngae.doctor`."""

import sys

from ngae.commands.doctor import main

if __name__ == "__main__":
    sys.exit(main())
