"""`python -m ngae.data`."""

import sys

from ngae.commands.data import main

sys.exit(main())
