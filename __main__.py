"""The program ``slotbook``, run as ``python -m slotbook``."""

import sys

from .cli import main

sys.exit(main())
