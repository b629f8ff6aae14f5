"""Each method of coordination takes one round trip, and a fence takes none of its own."""

from __future__ import annotations

from slotbook import Book

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import limit
from ...support.relay import Relay


def _call_everything(book: Book, trader: str) -> list[object]:
    """Call every method, one after the other; return a result for each call but the first three."""
    version = book.values.get(trader).version
    held = book.lock("L", trader=trader).acquire()
    session = book.sessions.create(trader, 60)
    secret = session.id or ""
    return [
        book.values.swap(trader, version, "x"),
        book.values.swap_value(trader, "x", "y"),
        *[book.limiter(3, 60, rule).acquire(trader) for rule in ("fixed_window", "sliding_window", "token_bucket")],
        held.renew(),
        held.orders.place(limit(trader)),
        held.positions.adjust(trader, "AAPL", 1),
        held.release(),
        book.sessions.get(secret),
        book.sessions.touch(secret),
        book.sessions.by_trader(trader),
        book.sessions.revoke(secret),
        book.sessions.revoke_all(trader),
    ]


def test_a_call_is_one_round_trip(lone_desk: Desk) -> None:
    with Relay(lone_desk.fleet) as relay, open_book(relay.url, lone_desk.caller, lone_desk.runner) as book:
        _call_everything(book, lone_desk.another())
        relay.quiet_time, relay.bursts = 0.02, 0
        done = _call_everything(book, lone_desk.trader)
        assert relay.bursts == len(done) + 3
