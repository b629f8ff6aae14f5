"""Tell the verb of a call from its name, without what it is about.

A verb is one of few, so that it can be the label of a metric, and has nothing of an order or a trader in it.
"""

from __future__ import annotations

_SECOND_WORDS = frozenset(
    (
        *("back", "change", "changes", "consumers", "dead", "event", "events", "ids", "indexes", "letters", "limit"),
        *("limits", "orders", "over", "position", "positions", "requests", "session", "trading", "value", "version"),
    )
)
"""Words that belong to a verb when they follow it: what comes after them is what the call is about."""


def verb_of(name: str) -> str:
    """Return the verb that a call's name begins with.

    >>> verb_of("place T001/A1"), verb_of("get limits of T001"), verb_of("hand over event 7 of T001 for risk/risk-1")
    ('place', 'get limits', 'hand over event')
    >>> verb_of("24 changes of T001 from place T001/A1 on"), verb_of("last event of T001")
    ('changes', 'last event')
    """
    words = name.split(" ")
    if words[0].isdecimal():
        del words[0]
    end = 1
    while end < len(words) and words[end] in _SECOND_WORDS:
        end += 1
    return " ".join(words[:end])
