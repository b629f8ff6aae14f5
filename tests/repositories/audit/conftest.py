"""A book with a bit of everything in it, and its auditor."""

from __future__ import annotations

import pytest
from slotbook.repositories import Auditor

from ...support.audit.image import Stored, keep, put_back
from ...support.audit.own_book import fill
from ...support.desk import Desk
from ...support.fleet import Fleet
from ...support.make import TS, execution, limit


@pytest.fixture
def auditor(desk: Desk) -> Auditor:
    """Return the auditor of the desk's book."""
    return desk.book.audit


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Return a desk with orders in every status, late fills, replaces, adjustments, and an order id used again.

    AAPL: bought 40 at 187.22 and 10 at 187.3, so 50; then sold 30 at 190.123456789, so 20; then 5 more by adjustment.
    MSFT: 7 by setting it. TSLA: two orders, and a position that was never changed.
    """
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    orders.place(limit(trader, "A1"))
    orders.fill(execution(trader, "X1", 40))
    orders.replace(trader, "A1", quantity=120, price="187.5", request_id="R1", ts_ns=TS + 2)
    orders.fill(execution(trader, "X2", 10, "187.3", ts_ns=TS + 3))
    orders.place(limit(trader, "S1", side="SELL", quantity=30, price="190"))
    orders.fill(execution(trader, "X1", 30, "190.123456789", order_id="S1", ts_ns=TS + 4))
    positions.adjust(trader, "AAPL", 5, request_id="P1", ts_ns=TS + 5)
    positions.set(trader, "MSFT", 7, request_id="P2", ts_ns=TS + 6)
    for order_id in ("C", "R", "E"):
        orders.place(limit(trader, order_id, symbol="MSFT"))
    orders.fill(execution(trader, "X9", 1, order_id="E", ts_ns=TS + 7))
    orders.cancel(trader, "C", request_id="Q1")
    orders.reject(trader, "R", request_id="Q2")
    orders.expire(trader, "E", request_id="Q3")
    orders.fill(execution(trader, "X8", 2, order_id="E", ts_ns=TS + 8))
    orders.place(limit(trader, "T1", symbol="TSLA"))
    orders.place(limit(trader, "G"))
    orders.fill(execution(trader, "X1", 100, order_id="G", ts_ns=TS + 9))
    orders.delete(trader, "G")
    orders.place(limit(trader, "G", symbol="TSLA", quantity=3))
    return desk


@pytest.fixture(scope="module")
def own_books() -> dict[Fleet, tuple[str, list[Stored]]]:
    """Return the trader and the contents of a book with own records, of each deployment where it was written."""
    return {}


@pytest.fixture
def own(desk: Desk, own_books: dict[Fleet, tuple[str, list[Stored]]]) -> Desk:
    """Return a desk with own records of several kinds, of which nothing is changed but by hand.

    They are written once and put back for each test, which a book that has changed them more would take for a loss.
    """
    if desk.fleet not in own_books:
        fill(desk.book, desk.trader)
        own_books[desk.fleet] = desk.trader, keep(desk)
    trader, kept = own_books[desk.fleet]
    desk.trader = desk.another(trader)
    put_back(desk, kept)
    return desk


@pytest.fixture
def new_own(desk: Desk) -> Desk:
    """Return a desk with the same records of a trader of its own, to be changed by books."""
    fill(desk.book, desk.trader)
    return desk
