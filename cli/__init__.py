"""The desk's tools on the command line: ``slotbook replay``, ``orders``, ``positions`` and ``demo``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_LIBRARIES = frozenset({"typer", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, of ``sys.argv`` unless given, and return its exit code."""
    try:
        from .app import run  # here, so that a plain `pip install slotbook` gets an answer and not a traceback
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        sys.stderr.write("slotbook: the command line needs typer and rich: pip install 'slotbook[cli]'\n")
        return 2
    return run(arguments)
