"""`python -m ngae.train`."""

import sys

from ngae.commands.train import main

sys.exit(main())
