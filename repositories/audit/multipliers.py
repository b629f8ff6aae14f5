"""Follow what events say of the multiplier of each position. Nothing here does I/O."""

from __future__ import annotations

import json
import re
from typing import NamedTuple, cast

from ...models.enums import EventType
from ...models.event import OrderEvent
from ...models.wire import text
from .findings import Fields
from .statements import ENOUGH, ENOUGH_FOR_UNUSABLE

ONE = "1"
"""The multiplier of what has none."""
_IS_MULTIPLIER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,36})?", re.ASCII).fullmatch


class StatedMultiplier(NamedTuple):
    """The multiplier of a symbol's position, as an event of it states it."""

    sequence: int
    """The number of the last of them."""
    value: str
    agreeing: int
    """The number of events in a row that say so."""


class Multipliers:
    """The multipliers that events state: those that place an order, execute one, or set a position with one."""

    def __init__(self) -> None:
        self._stated: dict[tuple[str, str], list[StatedMultiplier]] = {}

    def add(self, symbol: str, event: OrderEvent, account: str = "") -> None:
        """Add what one more event says of the position in a symbol, or of an account's in it."""
        if event.type.is_execution or event.type in (EventType.POSITION, EventType.SPLIT, EventType.ROLL):
            said = text(event.multiplier or ONE)
        elif event.type in (EventType.NEW, EventType.PENDING_NEW) and event.request_id is None:
            said = cast("dict[str, str]", json.loads(event.terms or "{}")).get("multiplier", ONE)
        else:
            return
        before = self._stated.setdefault((symbol, account), [])
        agreeing = before[-1].agreeing + 1 if before and before[-1].value == said else 1
        before.append(StatedMultiplier(event.sequence, said, agreeing))

    def last(self, symbol: str, as_of: int, account: str = "") -> StatedMultiplier | None:
        """Return what the last event up to ``as_of`` says; None when none does."""
        stated = self._stated.get((symbol, account), ())
        return next((one for one in reversed(stated) if one.sequence <= as_of), None)


def differing(stored: Fields, stated: StatedMultiplier | None) -> bool:
    """Return True for a position that has another multiplier than its events say."""
    return stated is not None and stored.get("multiplier", ONE) != stated.value


def obstacle(stored: Fields, stated: StatedMultiplier) -> str | None:
    """Return why a multiplier is not to be repaired; None where enough events say it."""
    found = stored.get("multiplier")
    is_usable = found is not None and _IS_MULTIPLIER(found) is not None
    if stated.agreeing >= (ENOUGH if is_usable else ENOUGH_FOR_UNUSABLE):
        return None
    return f"only event {stated.sequence:,} says so"
