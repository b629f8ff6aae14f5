"""Read what the request of an event says beside its terms, and prove it by the digest of it. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...models.enums import EventType, OrderStatus
from ...models.event import OrderEvent
from ...models.wire import text
from ..changes.digest import digest_of_words


class Said(NamedTuple):
    """Words in which an event repeats what its request says beside; '' for nothing."""

    client_order_id: str = ""
    original_client_order_id: str = ""
    reason: str = ""
    status: str = ""
    """The status that a report says, where the order shows another."""
    quantity: str = ""
    price: str = ""
    stop_price: str = ""
    venue_order_id: str = ""


NOTHING_SAID = Said()
_ENDS = (EventType.CANCELED, EventType.REJECTED, EventType.EXPIRED, EventType.CALCULATED)
_TERMS = (EventType.REPLACED, EventType.RESTATED)


def said_in(event: OrderEvent) -> Said:
    """Return what the event of a request says of the request itself."""
    if event.request_id is None:
        return NOTHING_SAID
    said = Said(
        *(
            "" if value is None else text(value)
            for value in (
                *(event.client_order_id, event.original_client_order_id, event.reason, event.reported_status),
                *(event.requested_quantity, event.requested_price, event.requested_stop_price),
                event.venue_order_id,
            )
        )
    )
    return said if any(said) else NOTHING_SAID


def is_said(kind: EventType, words: Sequence[str], said: Said, shown: OrderStatus | None) -> bool:
    """Return True when a request that is remembered says what its event has.

    Args:
        kind: The type of the event.
        words: The words that are remembered of the request; its digest is the last one.
        said: What the event has of the request.
        shown: The status of the order after it, which the event does not repeat when the report says the same.
    """
    if kind in _ENDS or kind in _TERMS:
        original = () if kind in _ENDS else (said.original_client_order_id,)
        stated = (said.client_order_id, *original, said.reason, said.venue_order_id)
        digest = [digest_of_words(stated)] if any(stated) else []
        return list(words[5 if kind in _TERMS else 1 :]) == digest
    statuses = [said.status] if said.status else ["", shown or ""]
    return any(words[1:] == [digest_of_words(said._replace(status=one))] for one in statuses)
