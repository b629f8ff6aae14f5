"""Follow the statuses that hold beside the one an order shows, and its pending requests, by its events. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from ...models.enums import EventType
from ...models.wire import text
from .order_events import Change

STATES = ("marks", "pending")
"""The fields that say it; a later one of an order's events changes what an earlier one has made."""
States: TypeAlias = Mapping[str, str | None]
_ENDS = (EventType.CANCELED, EventType.REJECTED, EventType.EXPIRED, EventType.CALCULATED)
_MARKS = (EventType.DONE_FOR_DAY, EventType.STOPPED, EventType.SUSPENDED)
_ACCEPT = (EventType.NEW, EventType.TRADE, EventType.REPLACED, *_MARKS)
_PENDING = (EventType.PENDING_CANCEL, EventType.PENDING_REPLACE)


def states_of(changes: Sequence[Change]) -> States | None:
    """Return what an order's events make of its states; None when not every one of them is there."""
    if not changes or not changes[0].is_placing or [one.version for one in changes] != [*range(1, len(changes) + 1)]:
        return None
    states = states_as_placed(changes[0])
    for change in changes[1:]:
        states = states_after(change, states)
    return states


def states_as_placed(placed: Change) -> States:
    """Return the states of an order when it was placed."""
    return {**dict.fromkeys(STATES), "marks": None if placed.type is EventType.NEW else placed.type.value}


def states_after(change: Change, before: States) -> States:
    """Return the states that a change makes of those before, which nothing but that is known of."""
    kind = change.type
    if kind in _ENDS:
        return {**before, "marks": None, "pending": None}
    marks = (before["marks"] or "").split()
    if kind in _ACCEPT and "PENDING_NEW" in marks:
        marks.remove("PENDING_NEW")
    if kind in _MARKS and kind.value not in marks:
        marks.append(kind.value)
    if kind is EventType.RESTATED:
        marks = [one for one in marks if one not in (EventType.DONE_FOR_DAY, EventType.SUSPENDED)]
    pending = before["pending"]
    if kind in (*_PENDING, EventType.REPLACED, EventType.CANCEL_REJECTED):
        pending = _pending_after(change, pending)
    return {"marks": " ".join(marks) or None, "pending": pending}


def _pending_after(change: Change, before: str | None) -> str | None:
    """Return the pending requests, in JSON, that a request or the answer to one makes of those before."""
    try:
        asked = cast("list[list[str]]", json.loads(before or "[]"))
        named, kind = change.said.client_order_id, change.type
        if kind in _PENDING:
            terms = change.said.quantity, change.said.price, change.said.stop_price
            asked.append([kind.value, named, text(change.ts_ns), *terms, change.text or ""])
        else:
            is_any = kind is EventType.CANCEL_REJECTED
            asked = [
                one
                for one in asked
                if not (is_any or one[0] == EventType.PENDING_REPLACE.value) or (named and one[1] != named)
            ]
    except (ValueError, TypeError, LookupError, RecursionError):
        return before  # it is named as what it is, where it is stored
    written = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    return written if asked else None
