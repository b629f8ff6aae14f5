"""The command line of Slotbook: ``slotbook replay``, ``orders``, ``positions``, ``watch``, ``verify`` and others."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_LIBRARIES = frozenset({"typer", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``arguments`` are those of ``sys.argv`` by default."""
    try:
        from .app import run  # here, so that without typer and rich the user gets one line and not a traceback

        return run(arguments)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        sys.stderr.write("slotbook: the command line needs typer and rich: pip install 'slotbook[cli]'\n")
        return 2
