"""`python -m ngae.evaluate`."""

import sys

from ngae.commands.evaluate import main

sys.exit(main())
