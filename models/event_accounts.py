"""The positions of accounts that an event has changed, for those who follow them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from .errors import CorruptRecord
from .event import OrderEvent
from .numbers import exact_quantity


def account_quantities(event: OrderEvent) -> dict[str, Decimal]:
    """Return the quantity of each account's position that an event has changed, as it was after the event.

    >>> fields = {"trader": "T001", "sequence": 7, "ts_ns": 1703422805243925307, "symbol": "AAPL"}
    >>> account_quantities(OrderEvent(type="TRADE", account="ACC1", account_quantity="40", **fields))
    {'ACC1': Decimal('40')}
    >>> account_quantities(OrderEvent(type="SPLIT", accounts='{"ACC1":{"position_quantity":"80"}}', **fields))
    {'ACC1': Decimal('80')}

    Raises:
        CorruptRecord: The event's ``accounts`` do not say what became of accounts.
    """
    if event.account is not None and event.account_quantity is not None:
        return {event.account: Decimal(event.account_quantity)}
    if event.accounts is None:
        return {}
    try:
        said = cast("Mapping[str, Mapping[str, str]]", json.loads(event.accounts))
        return {account: Decimal(exact_quantity(of["position_quantity"])) for account, of in said.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        problem = f"{event.accounts[:80]!r} does not say what became of accounts"
        raise CorruptRecord(f"event {event.sequence} of {event.trader}", "accounts", problem) from None
