"""The program ``slotbook``, run as ``python -m slotbook.cli``."""

import sys

from . import main

sys.exit(main())
