"""Test every verb on an order of every status. The stored order decides, not what a client has cached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from slotbook.models import OrderStatus
from slotbook.models.errors import ExecutionNotFound, OrderClosed, Overfill, Refused
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ...support.desk import Desk
from ...support.make import execution, limit

# An order for 100 of which 40 are filled, but for NEW and REJECTED (none) and FILLED (all).
Verb: TypeAlias = "Callable[[Desk], object]"
VERBS: dict[str, Verb] = {
    "fill 10": lambda desk: desk.book.orders.fill(execution(desk.trader, "Y", 10)),
    "fill 60": lambda desk: desk.book.orders.fill(execution(desk.trader, "Y", 60)),
    "fill 101": lambda desk: desk.book.orders.fill(execution(desk.trader, "Y", 101)),
    "bust": lambda desk: desk.book.orders.bust(desk.trader, "A1", "X1"),
    "correct to 41": lambda desk: desk.book.orders.correct(desk.trader, "A1", "X1", quantity=41, price="187"),
    "correct to 101": lambda desk: desk.book.orders.correct(desk.trader, "A1", "X1", quantity=101, price="187"),
    "replace to 40": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=40),
    "replace to 39": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=39),
    "replace to 200": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=200),
    "cancel": lambda desk: desk.book.orders.cancel(desk.trader, "A1"),
    "reject": lambda desk: desk.book.orders.reject(desk.trader, "A1"),
    "expire": lambda desk: desk.book.orders.expire(desk.trader, "A1"),
}
SAME = "as it was"
"""The verb is accepted, and nothing changes."""

TABLE: dict[str, dict[str, str | type[Refused]]] = {
    "NEW": {
        "fill 10": "PARTIALLY_FILLED",
        "fill 60": "PARTIALLY_FILLED",
        "fill 101": Overfill,
        "bust": ExecutionNotFound,
        "correct to 41": ExecutionNotFound,
        "correct to 101": ExecutionNotFound,
        "replace to 40": "NEW",
        "replace to 39": "NEW",
        "replace to 200": "NEW",
        "cancel": "CANCELED",
        "reject": "REJECTED",
        "expire": "EXPIRED",
    },
    "PARTIALLY_FILLED": {
        "fill 10": "PARTIALLY_FILLED",
        "fill 60": "FILLED",
        "fill 101": Overfill,
        "bust": "NEW",
        "correct to 41": "PARTIALLY_FILLED",
        "correct to 101": Overfill,
        "replace to 40": "FILLED",
        "replace to 39": "FILLED",
        "replace to 200": "PARTIALLY_FILLED",
        "cancel": "CANCELED",
        "reject": OrderClosed,
        "expire": "EXPIRED",
    },
    "FILLED": {
        "fill 10": Overfill,
        "fill 60": Overfill,
        "fill 101": Overfill,
        "bust": "PARTIALLY_FILLED",
        "correct to 41": Overfill,
        "correct to 101": Overfill,
        "replace to 40": OrderClosed,
        "replace to 39": OrderClosed,
        "replace to 200": "PARTIALLY_FILLED",
        "cancel": OrderClosed,
        "reject": OrderClosed,
        "expire": OrderClosed,
    },
    "CANCELED": {
        "fill 10": "CANCELED",
        "fill 60": "CANCELED",
        "fill 101": Overfill,
        "bust": "CANCELED",
        "correct to 41": "CANCELED",
        "correct to 101": Overfill,
        "replace to 40": OrderClosed,
        "replace to 39": OrderClosed,
        "replace to 200": OrderClosed,
        "cancel": SAME,
        "reject": OrderClosed,
        "expire": OrderClosed,
    },
    "REJECTED": {
        "fill 10": "REJECTED",
        "fill 60": "REJECTED",
        "fill 101": Overfill,
        "bust": ExecutionNotFound,
        "correct to 41": ExecutionNotFound,
        "correct to 101": ExecutionNotFound,
        "replace to 40": OrderClosed,
        "replace to 39": OrderClosed,
        "replace to 200": OrderClosed,
        "cancel": OrderClosed,
        "reject": SAME,
        "expire": OrderClosed,
    },
    "EXPIRED": {
        "fill 10": "EXPIRED",
        "fill 60": "EXPIRED",
        "fill 101": Overfill,
        "bust": "EXPIRED",
        "correct to 41": "EXPIRED",
        "correct to 101": Overfill,
        "replace to 40": OrderClosed,
        "replace to 39": OrderClosed,
        "replace to 200": OrderClosed,
        "cancel": OrderClosed,
        "reject": OrderClosed,
        "expire": SAME,
    },
}


def bring_to(desk: Desk, status: str) -> None:
    """Place an order and take it to a status."""
    orders = desk.book.orders
    orders.place(limit(desk.trader))
    if status in {"PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED"}:
        orders.fill(execution(desk.trader, "X1", 40))
    match status:
        case "FILLED":
            orders.fill(execution(desk.trader, "X2", 60))
        case "CANCELED":
            orders.cancel(desk.trader, "A1")
        case "REJECTED":
            orders.reject(desk.trader, "A1")
        case "EXPIRED":
            orders.expire(desk.trader, "A1")
        case _:
            pass


def test_the_table_is_complete() -> None:
    assert TABLE.keys() == set(OrderStatus)
    assert all(row.keys() == VERBS.keys() for row in TABLE.values())
    assert {verb.split()[0] for verb in VERBS} == {verb.name for verb in ORDER_VERBS} - {"place"}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", TABLE)
def test_transition(desk: Desk, status: str, verb: str) -> None:
    bring_to(desk, status)
    before, events = desk.contents(), len(desk.events())
    expected = TABLE[status][verb]
    if not isinstance(expected, str):
        with pytest.raises(expected):
            VERBS[verb](desk)
        assert desk.contents() == before
        return
    VERBS[verb](desk)
    if expected == SAME:
        assert desk.contents() == before
        return
    order = desk.book.orders.get(desk.trader, "A1")
    assert order is not None
    assert order.status == expected
    assert desk.book.orders.by_status(desk.trader, expected) == [order]
    assert desk.book.orders.by_symbol(desk.trader, "AAPL") == [order]
    assert desk.book.orders.count(desk.trader) == 1
    assert (len(desk.events()), desk.events()[-1].status) == (events + 1, order.status)
