"""Read limits and the switch of trading as they are stored. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping

from ...models.errors import CorruptRecord, never_written
from ...models.keys import TraderKeys
from ...models.limits import Limits, Trading, limits_of
from ...topology.call import Reply
from ..replies import text

TRADER, SYMBOL = "trader", "symbol:"
"""The field of the trader's own limits, and the beginning of those of symbols."""
PASSED = "passed:"
"""The beginning of the field that counts what a symbol's limits have let pass; the header counts the trader's."""


def read_trading(keys: TraderKeys, written: Reply) -> Trading:
    """Return the switch that a header has. Raises CorruptRecord."""
    if written is None:
        return Trading.ACTIVE
    if text(written) not in Trading.__members__:
        raise never_written(keys.book, "trading", written)
    return Trading[text(written)]


def read_limits(keys: TraderKeys, field: str, written: str) -> Limits | None:
    """Return the limits in a field of the hash; None for empty ones. Raises CorruptRecord."""
    try:
        found = limits_of(keys.trader, None if field == TRADER else field.removeprefix(SYMBOL), written)
    except ValueError:
        raise never_written(keys.limits, field, written) from None
    return None if found.is_empty else found


def limits_in_hash(keys: TraderKeys, found: Mapping[str, str]) -> list[Limits]:
    """Return all limits of a trader: the trader's own first, then by symbol. Raises CorruptRecord."""
    some: list[Limits] = []
    for field in sorted(found, key=lambda one: (one != TRADER, one)):
        if field == TRADER or field.startswith(SYMBOL):
            limits = read_limits(keys, field, found[field])
            some += [] if limits is None else [limits]
        elif not field.startswith(PASSED):
            raise CorruptRecord(keys.limits, field, "is not a field of limits")
    return some
