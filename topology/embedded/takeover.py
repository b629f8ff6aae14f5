"""Find the primary that serves a trader, and wait for the one that takes over when it is killed."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...models.errors import EmbeddedError
from .deployment import Deployment
from .server import Server

LONGEST = 60.0
"""The seconds after which nobody is waited for any longer."""
_POLL_SECONDS = 0.05


def primary_of(deployment: Deployment, trader: str) -> Server | None:
    """Return the primary that serves a trader now, None when none does."""
    return next((server for server in deployment.primaries() if serves(server, trader)), None)


def serves(primary: Server, trader: str) -> bool:
    """Return True if a primary serves the slot of a trader, for which a key of any prefix stands."""
    try:
        primary.ask("EXISTS", f"{{{trader}}}:book")
    except EmbeddedError:  # MOVED: the slot is another primary's
        return False
    return True


def wait_for(look: Callable[[], Server | None], problem: str) -> Server:
    """Look for a server again and again, and return it. Raises EmbeddedError, with the problem, after a minute."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(_POLL_SECONDS)
    raise EmbeddedError(f"{problem} within {LONGEST:g} s")
