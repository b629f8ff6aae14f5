"""``python -m slotbook.cli`` is ``slotbook``."""

import sys

from . import main

sys.exit(main())
