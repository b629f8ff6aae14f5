"""Every verb takes one round trip: counted by the server, and by a relay in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from slotbook import Book
from slotbook.models import Cancel, Order, PositionChange
from slotbook.repositories.changes.engine import STEPS_AT_ONCE

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.relay import Relay

Verb: TypeAlias = "Callable[[Book, str], object]"

SINGLE: dict[str, tuple[Verb, str]] = {
    "place": (lambda book, trader: book.orders.place(limit(trader, "A9")), "evalsha"),
    "get": (lambda book, trader: book.orders.get(trader, "A1"), "hgetall"),
    "fill": (lambda book, trader: book.orders.fill(execution(trader, "X9", 1)), "evalsha"),
    "replace": (lambda book, trader: book.orders.replace(trader, "A1", quantity=77), "evalsha"),
    "cancel": (lambda book, trader: book.orders.cancel(trader, "A1"), "evalsha"),
    "reject": (lambda book, trader: book.orders.reject(trader, "A1"), "evalsha"),
    "expire": (lambda book, trader: book.orders.expire(trader, "A1"), "evalsha"),
    "delete": (lambda book, trader: book.orders.delete(trader, "A0"), "evalsha"),
    "open": (lambda book, trader: book.orders.open(trader), "evalsha"),
    "by_status": (lambda book, trader: book.orders.by_status(trader, "NEW"), "evalsha"),
    "by_symbol": (lambda book, trader: book.orders.by_symbol(trader, "AAPL"), "evalsha"),
    "count": (lambda book, trader: book.orders.count(trader), "evalsha"),
    "position": (lambda book, trader: book.positions.get(trader, "AAPL"), "hgetall"),
    "all": (lambda book, trader: book.positions.all(trader), "evalsha"),
    "adjust": (lambda book, trader: book.positions.adjust(trader, "AAPL", 1), "evalsha"),
    "set": (lambda book, trader: book.positions.set(trader, "AAPL", 1), "evalsha"),
    "commit": (
        lambda book, trader: book.commit([limit(trader, "A9"), execution(trader, "X9", 1, order_id="A9")]),
        "evalsha",
    ),
    "check_and_update": (lambda book, trader: book.positions.check_and_update(trader, "AAPL", 1, 5), "evalsha"),
}
WARM = ("eval", "script|load", "auth", "select", "role", "client|setinfo", "client|setname", "multi", "wait")
"""Commands that a warm book has no reason to send any more; HELLO goes with a command once a second."""


def prepare(book: Book, trader: str) -> None:
    """Make an open order A1, a terminal order A0, and a position."""
    book.orders.place_many([limit(trader, "A0"), limit(trader, "A1")])
    book.orders.cancel(trader, "A0")
    book.positions.adjust(trader, "AAPL", 1)


@pytest.mark.alone
@pytest.mark.parametrize("verb", SINGLE)
def test_the_server_sees_one_command_per_verb(desk: Desk, verb: str) -> None:
    ask, command = SINGLE[verb]
    warm_up = desk.another()
    # For two traders: the first call of a script on a node finds that it has to be loaded.
    for trader in (desk.trader, warm_up):
        prepare(desk.book, trader)
    for raw in desk.fleet.raws.values():
        assert raw.ask("PING") == "PONG"
    _warm(desk, ask)
    before = desk.fleet.calls()
    ask(desk.book, desk.trader)
    after = desk.fleet.calls()
    changed = {name: calls - before.get(name, 0) for name, calls in after.items() if calls > before.get(name, 0)}
    assert changed.get("evalsha", 0) == (command == "evalsha")
    if command == "hgetall":
        assert changed["hgetall"] == 1
    assert not changed.keys() & set(WARM)
    assert changed.get("hello", 0) <= 1


def _warm(desk: Desk, ask: Verb) -> None:
    """Load the verb's script on the node of the desk's trader, with a trader of the same node."""
    node = desk.fleet.raw(f"{{{desk.trader}}}")
    while True:
        trader = desk.another()
        if desk.fleet.raw(f"{{{trader}}}") is node:
            prepare(desk.book, trader)
            ask(desk.book, trader)
            return


@pytest.fixture
def relay(lone_desk: Desk) -> Iterator[Relay]:
    with Relay(lone_desk.fleet) as running:
        yield running


@pytest.fixture
def warm(lone_desk: Desk, relay: Relay) -> Iterator[Book]:
    """Yield a book behind the relay, whose connection is open and whose scripts are loaded."""
    with open_book(relay.url, lone_desk.caller, lone_desk.runner) as book:
        for ask, _ in SINGLE.values():
            trader = lone_desk.another()
            prepare(book, trader)
            ask(book, trader)
        prepare(book, lone_desk.trader)
        relay.quiet_time, relay.bursts = 0.02, 0
        yield book


@pytest.fixture
def unhurried(relay: Relay, warm: Book) -> Book:
    """Return the same for batches: a slow machine may take a while to make the next piece of one."""
    relay.quiet_time = 0.25
    return warm


@pytest.mark.parametrize("verb", SINGLE)
def test_a_verb_is_one_round_trip(lone_desk: Desk, relay: Relay, warm: Book, verb: str) -> None:
    SINGLE[verb][0](warm, lone_desk.trader)
    assert relay.bursts == 1


def five_hundred(trader: str) -> list[Order]:
    return [limit(trader, f"B{number}", symbol=f"S{number % 7}") for number in range(500)]


def test_a_batch_of_500_orders_is_one_round_trip(lone_desk: Desk, relay: Relay, unhurried: Book) -> None:
    outcomes = unhurried.orders.place_many(five_hundred(lone_desk.trader))
    assert (relay.bursts, sum(outcome.result().applied for outcome in outcomes)) == (1, 500)


def test_500_orders_are_got_filled_and_canceled_in_one_round_trip_each(
    lone_desk: Desk, relay: Relay, unhurried: Book
) -> None:
    trader = lone_desk.trader
    ids = [order.order_id for order in five_hundred(trader)]
    unhurried.orders.place_many(five_hundred(trader))
    unhurried.orders.get_many([(trader, order_id) for order_id in ids])
    unhurried.orders.fill_many([execution(trader, "X1", 1, order_id=order_id) for order_id in ids])
    unhurried.orders.apply_many([Cancel(trader=trader, order_id=order_id) for order_id in ids])
    assert relay.bursts == 4
    assert unhurried.orders.count(trader, status="CANCELED") == 501


def test_what_comes_again_in_a_batch_of_few_takes_no_round_trip_more(lone_desk: Desk, relay: Relay, warm: Book) -> None:
    trader = lone_desk.trader
    outcomes = warm.orders.apply_many(
        [limit(trader, f"B{number}") for number in range(10)]
        + [execution(trader, "X1", 1, order_id=f"B{number}") for number in range(10)]
        + [execution(trader, "X2", 1, order_id="B3")]
    )
    assert (relay.bursts, sum(outcome.result().applied for outcome in outcomes)) == (1, 21)


def test_a_batch_takes_one_more_round_trip_when_an_order_comes_again_in_another_call(
    lone_desk: Desk, relay: Relay, warm: Book
) -> None:
    trader = lone_desk.trader
    outcomes = warm.orders.apply_many(
        [limit(trader, f"B{number}") for number in range(STEPS_AT_ONCE)]
        + [execution(trader, "X1", 1, order_id=f"B{number}") for number in range(STEPS_AT_ONCE)]
        + [execution(trader, "X2", 1, order_id="B3")]
    )
    assert (relay.bursts, sum(outcome.result().applied for outcome in outcomes)) == (3, 2 * STEPS_AT_ONCE + 1)


def test_many_changes_of_positions_are_one_round_trip(lone_desk: Desk, relay: Relay, unhurried: Book) -> None:
    trader = lone_desk.trader
    unhurried.positions.apply_many(
        [PositionChange(trader=trader, symbol=f"S{number}", quantity=1) for number in range(300)]
    )
    unhurried.positions.get_many([(trader, f"S{number}") for number in range(300)])
    assert len(unhurried.positions.all(trader)) == 301
    assert relay.bursts == 3


def test_a_list_is_one_round_trip_per_thousand_orders(lone_desk: Desk, relay: Relay, warm: Book) -> None:
    trader = lone_desk.trader
    warm.orders.place_many([limit(trader, f"B{number}", symbol="LONG") for number in range(1_000)])
    relay.bursts = 0
    assert len(warm.orders.by_symbol(trader, "LONG")) == 1_000
    assert relay.bursts == 1
    warm.orders.place_many([limit(trader, f"C{number}", symbol="LONG") for number in range(1_001)])
    relay.bursts = 0
    assert len(warm.orders.by_symbol(trader, "LONG")) == 2_001
    assert relay.bursts == 3


def test_a_journal_takes_one_round_trip_more_for_new_traders(lone_desk: Desk, relay: Relay, warm: Book) -> None:
    first = [limit(lone_desk.another())]
    for _ in range(2):
        warm.reconcile(first)  # loads its scripts
    traders = [lone_desk.another() for _ in range(5)]
    journal = [*(limit(trader) for trader in traders), *(execution(trader) for trader in traders)]
    relay.bursts = 0
    assert warm.reconcile(journal, batch=5).applied == 10
    assert relay.bursts == 3  # their streams, their orders, their fills
    relay.bursts = 0
    assert warm.reconcile(journal, batch=10).repeated == 10
    assert relay.bursts == 4  # what may be lost, their streams, the lifetimes of their orders, and all rows
