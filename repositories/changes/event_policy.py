"""Say how many events a book keeps, and on which channels it publishes them; every change sends this along."""

from __future__ import annotations

from ...models.types import MAX_QUANTITY
from ...topology.settings import Settings


def events_policy(settings: Settings) -> str:
    """Return the policy as scripts read it, ``<number> <channels>``, such as ``100000 order_events traders``."""
    kept = MAX_QUANTITY if settings.events_kept is None else settings.events_kept
    return " ".join((str(kept), *sorted(settings.publish)))
