"""Say when a key expires, given the entries that say it too. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable

NEVER = "inf"
DRIFT_MS = 1_000
"""The most milliseconds by which a key may expire later than its entries say.

When a slot moves, MIGRATE hands a key over with the time that it has left, so that it gains the time of the move
(https://redis.io/docs/latest/commands/migrate/).
"""


def expiry_of(milliseconds: int, entries: Iterable[str | None]) -> str:
    """Return when a key expires, in milliseconds since the epoch, or NEVER for -1: as an entry says it, if one is near.

    >>> expiry_of(1_002, ["1000", None]), expiry_of(2_001, ["1000"]), expiry_of(-1, ["1000"])
    ('1000', '2001', 'inf')
    """
    if milliseconds == -1:
        return NEVER
    near = [entry for entry in entries if entry is not None and abs(float(entry) - milliseconds) <= DRIFT_MS]
    return min(near, key=lambda entry: abs(float(entry) - milliseconds), default=str(milliseconds))
