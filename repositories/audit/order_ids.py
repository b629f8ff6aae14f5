"""Say what the events of an order make of its ids beside its own. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...models.enums import EventType
from .order_events import Change
from .statements import Statement


def ids_given(changes: Sequence[Change], order_id: str) -> dict[str, str]:
    """Return the number of the first event that has given an order each of its other ids."""
    given: dict[str, str] = {}
    for change in changes:
        for name in change.ids - given.keys() - {order_id}:
            given[name] = str(change.sequence)
    return given


def ids_after(event: Change, before: Mapping[str, str | None], aliases: Mapping[str, str]) -> dict[str, str | None]:
    """Return the fields of an order about its ids that an event has changed.

    Args:
        event: The event.
        before: Fields of the order before it, as far as they are known.
        aliases: The number of the event that has given the order each of its other ids.
    """
    after: dict[str, str | None] = {}
    new = [name for name in event.ids if aliases.get(name) == str(event.sequence)]
    if new and "aliases" in before:
        after["aliases"] = str(int(before["aliases"] or 0) + len(new))
    if event.venue_order_id is not None:
        after["venue_order_id"] = event.venue_order_id
    if event.type is EventType.REPLACED and event.client_order_id is not None:
        after["client_order_id"] = event.client_order_id
    return after


def id_statements(changes: Sequence[Change], order_id: str, aliases: Mapping[str, str]) -> dict[str, Statement]:
    """Return what events say of an order's fields about its ids, given all events since it was placed.

    Args:
        changes: The events.
        order_id: The order.
        aliases: The number of the event that has given it each of its other ids, as it is remembered: that counts, too.
    """
    first = f"event {changes[0].sequence}"
    found = {name: Statement(first, None) for name in ("client_order_id", "venue_order_id", "aliases")}
    ids: set[str] = set()
    for change in changes:
        event, number = f"event {change.sequence}", str(change.sequence)
        if new := change.ids - ids - {order_id}:
            ids |= new
            found["aliases"] = Statement(event, str(len(ids)))
        said = {"venue_order_id": change.venue_order_id}
        if change.type is EventType.REPLACED:
            said["client_order_id"] = change.client_order_id
        for name, value in said.items():
            if value is not None:
                found[name] = Statement(event, value, 2 if aliases.get(value) == number else 1)
    return found
