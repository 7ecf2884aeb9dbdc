"""`python -m ngae`."""

import sys

from ngae.cli import main

sys.exit(main())
