"""Read an event as one of each account whose position it has changed. Nothing here does I/O.

Such an event says of an account's position what it says of the trader's: what was added, and what the position was
after it. So what follows a position from event to event follows that of an account in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from ...models.errors import CorruptRecord

_OF_POSITION = frozenset(
    (
        *("position_quantity", "position_cost", "position_cost_change", "cost_basis", "totals", "accounts"),
        *("account", "account_quantity", "account_cost", "account_cost_basis", "account_totals"),
    )
)
"""The fields that say something of one position."""
_OF_ACCOUNT = {
    "account_quantity": "position_quantity",
    "account_cost": "position_cost",
    "account_cost_basis": "cost_basis",
}
"""For each field of the account's position the one of the trader's."""
_ALWAYS = {"position_quantity", "position_change", "totals"}
_OF_ACCOUNTS = {*_ALWAYS, "period"}


def account_views(key: str, event: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each account whose position an event has changed, with the event as if that were the only position.

    >>> dict(account_views("e", {"order_id": "A1", "account": "1", "account_quantity": "5", "account_totals": "5 0",
    ...                          "position_quantity": "7", "totals": "3 9 7 0"}))
    {'1': {'order_id': 'A1', 'position_quantity': '5', 'totals': '3 9 5 0'}}

    Raises CorruptRecord, which names ``key``, for an event that says no such thing.
    """
    common = {name: value for name, value in event.items() if name not in _OF_POSITION}
    if "account" in event:
        if "account_totals" not in event or "account_quantity" not in event:
            raise CorruptRecord(key, "account_totals", "is missing")
        of_order = " ".join(event.get("totals", "").split(" ")[:2]) + " " if "order_id" in event else ""
        view = {name: event[said] for said, name in _OF_ACCOUNT.items() if said in event}
        yield event["account"], {**common, **view, "totals": f"{of_order}{event['account_totals']}"}
    if "accounts" in event:
        for account, said in _accounts(key, event["accounts"]).items():
            yield account, {**{name: value for name, value in common.items() if name != "period"}, **said}


def view_of(key: str, event: Mapping[str, str], account: str) -> dict[str, str]:
    """Return an event as one of an account's position; none of what it says of positions when it has not changed it."""
    if not event:
        return {}
    return dict(account_views(key, event)).get(
        account, {name: value for name, value in event.items() if name not in _OF_POSITION}
    )


def _accounts(key: str, written: str) -> dict[str, dict[str, str]]:
    """Return what a split or a roll says of accounts. Raises CorruptRecord."""
    try:
        found = cast("object", json.loads(written))
    except (ValueError, RecursionError):
        found = None
    values = cast("dict[str, object]", found) if isinstance(found, dict) else {"": None}
    for said in values.values():
        texts = cast("dict[str, object]", said) if isinstance(said, dict) else {"": None}
        is_text = all(isinstance(one, str) for one in texts.values())
        if not is_text or texts.keys() - _OF_ACCOUNTS or not texts.keys() >= _ALWAYS:
            raise CorruptRecord(key, "accounts", f"{written[:80]!r} does not say what became of accounts")
    return cast("dict[str, dict[str, str]]", values)
