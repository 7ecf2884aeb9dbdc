"""`python -m ngae.search`."""

import sys

from ngae.commands.search import main

sys.exit(main())
