"""Read what an event says of the positions of accounts. Nothing here does I/O."""

from __future__ import annotations

import json
from typing import NamedTuple, cast

from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from ...models.wire import decode
from ..changes.account_views import account_views
from ..changes.event_totals import whole_totals
from ..changes.recorded import is_placing
from .findings import Fields
from .totals import Held, read_totals


class AccountChange(NamedTuple):
    """The position of an account after one event, as that says it."""

    account: str
    event: OrderEvent
    """The event as if that were the only position."""
    stated: Held | None
    """The position as the event states it; None for an event that places an order, with which the position begins."""


def changes_of_accounts(key: str, event: OrderEvent, fields: Fields) -> list[AccountChange]:
    """Return what an event says of the positions of accounts. Raises CorruptRecord, which names ``key``."""
    if event.terms is not None and is_placing(fields):
        account = cast("dict[str, object]", json.loads(event.terms)).get("account")
        return [AccountChange(account, event, None)] if isinstance(account, str) else []
    found: list[AccountChange] = []
    identity = {"trader": event.trader, "sequence": str(event.sequence)}
    for account, view in account_views(key, fields):
        seen = decode(OrderEvent, key, {**view, **identity})
        stated = read_totals(key, seen, whole_totals(view)).position
        if stated is None:
            raise CorruptRecord(key, "account_totals", "is of an event that changes no position")
        found.append(AccountChange(account, seen, stated))
    return found
