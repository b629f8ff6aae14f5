"""Decide what several records say of one fact, and if enough of them agree to correct another. Nothing here does I/O.

A record that disagrees with others may be the wrong one, or the right one. It is corrected only where all others say
the same, at least two of them are independent, and so many stored values would have to be wrong together for them to be
wrong that two values changed by hand cannot make a right record look wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ENOUGH = 3
"""The number of stored values, apart from the one that is corrected, that have to say the same."""
ENOUGH_FOR_UNUSABLE = 2
"""The same where the stored value is missing, or cannot be right: then one value at least is known to be wrong."""

ONLY_ONCE: Mapping[str, str] = {
    "event: ts_ns": "but of one that placed a stored order, the last of its order or position, and the latest of all",
    "header: latest_ns": "a later time than that of every event that is kept, once others are not",
    "event: writer, count": "but of the last event, whose writer the header names",
    "event: text, exec_id, request_id": "once its order is no longer stored, or its request no longer remembered",
    "event: what its request says beside": "as the ids and the reason, once its order is no longer stored",
    "event: quantity, price": "of an order that is no longer stored, where no other event of it says the same",
    "event: text of the placing of an order": "once a request has changed the order",
    "event: last_price, with the amount in totals": "in the last event of an order that is no longer stored",
    "order: ts_ns, text": "once the event that placed it is no longer kept; the text until its first change",
    "order: a terminal one, with all that belongs to it": "deleted by hand, which looks as if it had expired",
    "order: @own": "which own fields of an order have an index, unless one lists it all the same",
    "applied: event number, late": "of a change whose event is no longer kept",
    "request: that it is there, until when, and its limit": "and all of it, once its event is no longer kept",
    "header: by what a kind's records are found": "a field that is added is taken for one, and its indexes are made",
    "own record: its digest": "another one of the right form",
    "own record: a field without an index or unique value": "of one that may have come to a newer schema, by no event",
    "own record: all of it, with all that names it": "deleted by hand, which looks as if it had expired",
    "own record: what is remembered of its deletion": "that it is there, and until when",
    "index: an entry that has expired": "no reader sees it, and the next change of the index removes it",
    "consumer groups, dead letters, sessions, locks, limits, values, caches": "an audit does not look at them",
}
"""The parts of a book that are recorded only once, and when: a change of them by hand is not noticed."""


class Statement(NamedTuple):
    """The value of one fact in one record, as it is written there; None when the record says that there is none."""

    record: str
    value: str | None
    weight: int = 1
    """The number of stored values that would have to be wrong together for the statement to be wrong."""


def agreed(statements: Sequence[Statement], *, is_usable: bool) -> bool:
    """Return True when other records prove what a record should say that says something else.

    >>> digest, event = Statement("digest", "BUY", 2), Statement("event 7", "BUY")
    >>> agreed([digest, event], is_usable=True), agreed([event], is_usable=True)
    (True, False)
    >>> agreed([digest, event, Statement("index", "SELL")], is_usable=True)
    False

    Args:
        statements: What all other records say.
        is_usable: False when the record to be corrected has no value that could be right.
    """
    records = {statement.record for statement in statements}
    weight = sum(statement.weight for statement in statements)
    needed = ENOUGH if is_usable else ENOUGH_FOR_UNUSABLE
    return len({statement.value for statement in statements}) == 1 and len(records) > 1 and weight >= needed
