"""Test expiry: a terminal order, what was applied to it and its index entries expire together; an open one stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import pytest
from slotbook.models.errors import OrderNotFound

from ...support.desk import Desk
from ...support.make import execution, limit

TTL = 1.2
BRIEF = {"order_ttl": 0.1, "request_ttl": 0.1, "deadline": 1.0, "socket_timeout": TTL - 1.0}
"""Settings of the shortest lives: what a call may be sent again for is remembered for ``TTL``."""
LASTING = ("book", "events", "position:AAPL", "positions")
"""The keys of a trader who has had orders in AAPL, which stay when these are gone."""
EVERYTHING = (*LASTING, "order:A1", "orders_by_status:PARTIALLY_FILLED", "orders_by_symbol:AAPL")


def expiries(desk: Desk, status: str) -> list[int]:
    """Return when A1, what was applied to it, its indexes and its entries there expire, in ms; -1 for never."""
    keys = ["%:order:A1", "%:applied:A1", f"%:orders_by_status:{status}", "%:orders_by_symbol:AAPL"]
    found = [cast(int, desk.ask("PEXPIRETIME", key)) for key in keys]
    scores = [cast(str, desk.ask("ZSCORE", key, "A1")) for key in keys[2:]]
    return found + [-1 if score == "inf" else int(score) for score in scores]


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def test_a_terminal_order_expires_with_all_that_belongs_to_it(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    book.orders.place(limit(desk.trader))
    held = book.orders.fill(execution(desk.trader)).position
    began = time.monotonic()
    book.orders.cancel(desk.trader, "A1")
    assert len(set(expiries(desk, "CANCELED"))) == 1
    wait_until(lambda: book.orders.get(desk.trader, "A1") is None)
    assert time.monotonic() - began >= TTL - 0.01
    assert book.orders.by_status(desk.trader, "CANCELED") == book.orders.by_symbol(desk.trader, "AAPL") == []
    assert book.orders.count(desk.trader) == book.orders.count(desk.trader, symbol="AAPL") == 0
    wait_until(lambda: set(desk.contents()) == {f"{{{desk.trader}}}:{rest}" for rest in LASTING})
    assert book.positions.get(desk.trader, "AAPL") == held


@pytest.mark.parametrize("status", ["FILLED", "CANCELED", "REJECTED", "EXPIRED"])
def test_every_terminal_status_expires(desk: Desk, status: str) -> None:
    book = desk.open(order_ttl=60)
    book.orders.place(limit(desk.trader))
    book.orders.replace(desk.trader, "A1", quantity=40)
    match status:
        case "FILLED":
            book.orders.fill(execution(desk.trader, quantity=40))
        case "CANCELED":
            book.orders.cancel(desk.trader, "A1")
        case "REJECTED":
            book.orders.reject(desk.trader, "A1")
        case _:
            book.orders.expire(desk.trader, "A1")
    (expiry,) = set(expiries(desk, status))
    assert 59_000 < expiry - _now(desk) <= 60_000


def test_an_open_order_does_not_expire(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    book.orders.place(limit(desk.trader))
    book.orders.fill(execution(desk.trader))
    assert set(desk.contents()) == {f"{{{desk.trader}}}:{rest}" for rest in EVERYTHING}
    for rest in EVERYTHING:
        assert desk.ask("PTTL", f"%:{rest}") == -1


def test_an_index_outlives_its_expired_entries_and_drops_them(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    for order_id in ("A1", "A2", "A3"):
        book.orders.place(limit(desk.trader, order_id))
    book.orders.cancel(desk.trader, "A1")
    book.orders.cancel(desk.trader, "A2")
    assert desk.ask("PTTL", "%:orders_by_symbol:AAPL") == -1
    wait_until(lambda: book.orders.get(desk.trader, "A2") is None)
    assert [order.order_id for order in book.orders.by_symbol(desk.trader, "AAPL")] == ["A3"]
    assert book.orders.count(desk.trader, symbol="AAPL") == 1
    book.orders.place(limit(desk.trader, "A4"))
    assert desk.ask("ZCARD", "%:orders_by_symbol:AAPL") == 2


def test_an_index_expires_with_the_last_of_its_entries(desk: Desk) -> None:
    soon, late = desk.open(order_ttl=30), desk.open(order_ttl=60)
    for order_id in ("A1", "A2", "A3"):
        soon.orders.place(limit(desk.trader, order_id))
    late.orders.cancel(desk.trader, "A1")
    soon.orders.cancel(desk.trader, "A2")
    assert desk.ask("PTTL", "%:orders_by_symbol:AAPL") == -1
    soon.orders.cancel(desk.trader, "A3")
    last = desk.ask("PEXPIRETIME", "%:order:A1")
    assert desk.ask("PEXPIRETIME", "%:orders_by_symbol:AAPL") == last
    assert desk.ask("PEXPIRETIME", "%:orders_by_status:CANCELED") == last
    late.orders.delete(desk.trader, "A1")
    last = desk.ask("PEXPIRETIME", "%:order:A3")
    assert desk.ask("PEXPIRETIME", "%:orders_by_symbol:AAPL") == last
    assert desk.ask("PEXPIRETIME", "%:orders_by_status:CANCELED") == last


def test_a_late_fill_prolongs_everything_together(desk: Desk) -> None:
    book, longer = desk.open(order_ttl=30), desk.open(order_ttl=60)
    book.orders.place(limit(desk.trader))
    book.orders.fill(execution(desk.trader, "X1", 10))
    book.orders.cancel(desk.trader, "A1")
    longer.orders.fill(execution(desk.trader, "X2", 10))
    (expiry,) = set(expiries(desk, "CANCELED"))
    assert expiry - _now(desk) > 55_000


def test_a_repeat_prolongs_nothing(desk: Desk) -> None:
    book, longer = desk.open(order_ttl=30), desk.open(order_ttl=60)
    book.orders.place(limit(desk.trader))
    book.orders.fill(execution(desk.trader, "X1", 10))
    book.orders.cancel(desk.trader, "A1")
    before = expiries(desk, "CANCELED")
    longer.orders.place(limit(desk.trader))
    longer.orders.fill(execution(desk.trader, "X1", 10))
    longer.orders.cancel(desk.trader, "A1")
    assert expiries(desk, "CANCELED") == before


def test_an_open_order_stays_when_all_others_of_its_indexes_have_expired(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    book.orders.place(limit(desk.trader, "A0"))
    book.orders.fill(execution(desk.trader, order_id="A0", quantity=100))
    book.orders.place(limit(desk.trader))
    wait_until(lambda: book.orders.get(desk.trader, "A0") is None)
    book.orders.replace(desk.trader, "A1", quantity=90)
    book.orders.fill(execution(desk.trader))
    assert set(expiries(desk, "PARTIALLY_FILLED")) == {-1}


def test_an_order_that_expired_is_gone_everywhere(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    book.orders.place(limit(desk.trader))
    book.orders.expire(desk.trader, "A1")
    wait_until(lambda: book.orders.get(desk.trader, "A1") is None)
    assert book.orders.by_status(desk.trader, "EXPIRED") == []
    assert book.orders.count(desk.trader) == 0
    with pytest.raises(OrderNotFound, match="expired"):
        book.orders.fill(execution(desk.trader))
    with pytest.raises(OrderNotFound):
        book.orders.cancel(desk.trader, "A1")
    wait_until(lambda: set(desk.contents()) == {f"{{{desk.trader}}}:{rest}" for rest in LASTING})


def test_an_id_whose_order_expired_is_free_again(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    book.orders.place(limit(desk.trader))
    book.orders.fill(execution(desk.trader, "X1", 100))
    wait_until(lambda: book.orders.get(desk.trader, "A1") is None)
    placed = book.orders.place(limit(desk.trader, quantity=7, symbol="MSFT")).order
    assert book.orders.open(desk.trader) == [placed]
    assert book.orders.fill(execution(desk.trader, "X1", 7)).applied


def test_a_request_is_remembered_as_long_as_was_said(desk: Desk) -> None:
    book = desk.open(**BRIEF)
    book.positions.adjust(desk.trader, "AAPL", 5, request_id="R1")
    assert 0 < cast(int, desk.ask("PTTL", "%:request:R1")) <= TTL * 1000
    wait_until(lambda: desk.ask("EXISTS", "%:request:R1") == 0)
    assert book.positions.adjust(desk.trader, "AAPL", 5, request_id="R1").position.quantity == 10


def test_expiry_does_not_depend_on_the_clock_of_the_event(desk: Desk) -> None:
    book = desk.open(order_ttl=60)
    book.orders.place(limit(desk.trader, ts_ns=0))
    book.orders.replace(desk.trader, "A1", quantity=50, ts_ns=0)
    book.orders.cancel(desk.trader, "A1", ts_ns=2**63 - 1)
    (expiry,) = set(expiries(desk, "CANCELED"))
    assert 59_000 < expiry - _now(desk) <= 60_000


def _now(desk: Desk) -> int:
    seconds, micros = cast("list[str]", desk.ask("TIME"))
    return int(seconds) * 1000 + int(micros) // 1000
