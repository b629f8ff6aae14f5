"""What every change of a book is told about its event: how many are kept, and where it is announced."""

from __future__ import annotations

from ...models.types import MAX_QUANTITY
from ...topology.settings import Settings


def events_policy(settings: Settings) -> str:
    """The policy as scripts read it, ``<how many> <channels>``."""
    kept = MAX_QUANTITY if settings.events_kept is None else settings.events_kept
    return " ".join((str(kept), *sorted(settings.publish)))
