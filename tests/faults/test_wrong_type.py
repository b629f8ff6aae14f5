"""Fault "wrong type": another program has put another type where a key of the book belongs."""

from __future__ import annotations

import pytest
from slotbook.models.errors import WrongType

from ..support.faults.stand import Stand
from ..support.faults.verbs import BY_NAME, VERBS, Verb
from ..support.raw import Reply

KEYS: dict[str, tuple[str, ...]] = {
    "place": (
        "book",
        "order:A1",
        "orders_by_status:NEW",
        "orders_by_symbol:AAPL",
        "position:AAPL",
        "positions",
        "events",
    ),
    "fill": (
        "book",
        "order:A1",
        "events",
        "position:AAPL",
        "orders_by_status:NEW",
        "orders_by_status:PARTIALLY_FILLED",
    ),
    "replace": ("book", "order:A1", "applied:A1", "events", "position:AAPL"),
    "cancel": (
        "book",
        "order:A1",
        "events",
        "position:AAPL",
        "orders_by_symbol:AAPL",
        "orders_by_status:NEW",
        "orders_by_status:CANCELED",
    ),
    "adjust": ("book", "position:AAPL", "positions", "request:P1", "events"),
}


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in KEYS.items() for key in keys])
def test_typed_and_before_any_write(lone_stand: Stand, name: str, key: str) -> None:
    stand, verb = lone_stand, BY_NAME[name]
    book = stand.open()
    verb.prepare(book, stand.trader)
    stand.ask("DEL", f"%:{key}")
    stand.ask("RPUSH", f"%:{key}", "not yours")
    there = _all_types(stand)
    with pytest.raises(WrongType, match="prefix"):
        verb.call(book, stand.trader)
    assert _all_types(stand) == there


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_on_every_topology(stand: Stand, verb: Verb) -> None:
    book = stand.open()
    verb.prepare(book, stand.trader)
    stand.ask("DEL", "%:events")
    stand.ask("SET", "%:events", "x")
    there = stand.contents()
    with pytest.raises(WrongType):
        verb.call(book, stand.trader)
    assert stand.contents() == there


def _all_types(stand: Stand) -> dict[str, Reply]:
    keys = stand.ask("KEYS", "*%*")
    assert isinstance(keys, list)
    return {str(key): stand.ask("OBJECT", "ENCODING", str(key)) for key in sorted(map(str, keys))} | {
        str(key): stand.ask("EVAL", "return redis.sha1hex(redis.call('DUMP', KEYS[1]))", 1, str(key)) for key in keys
    }
