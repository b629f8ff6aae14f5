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
    "calculate": lambda desk: desk.book.orders.calculate(desk.trader, "A1"),
    "accept": lambda desk: desk.book.orders.accept(desk.trader, "A1"),
    "pending_cancel": lambda desk: desk.book.orders.pending_cancel(desk.trader, "A1", client_order_id="Z"),
    "pending_replace": lambda desk: desk.book.orders.pending_replace(
        desk.trader, "A1", client_order_id="Z", quantity=90
    ),
    "cancel_reject": lambda desk: desk.book.orders.cancel_reject(desk.trader, "A1"),
    "done_for_day": lambda desk: desk.book.orders.done_for_day(desk.trader, "A1"),
    "stop": lambda desk: desk.book.orders.stop(desk.trader, "A1"),
    "suspend": lambda desk: desk.book.orders.suspend(desk.trader, "A1"),
    "restate to 40": lambda desk: desk.book.orders.restate(desk.trader, "A1", quantity=40),
    "restate to 200": lambda desk: desk.book.orders.restate(desk.trader, "A1", quantity=200),
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

_W = {
    "f": "FILLED", "P": "PARTIALLY_FILLED", "N": "NEW", "c": "CANCELED", "r": "REJECTED", "e": "EXPIRED",
    "C": "PENDING_CANCEL", "R": "PENDING_REPLACE", "D": "DONE_FOR_DAY", "S": "STOPPED", "U": "SUSPENDED",
    "A": "PENDING_NEW", "k": "CALCULATED",
    "=": SAME, "x": OrderClosed, "o": Overfill, "n": ExecutionNotFound,
}  # fmt: skip
_REPORTS = (
    *("calculate", "accept", "pending_cancel", "pending_replace", "cancel_reject", "done_for_day", "stop", "suspend"),
    *("restate to 40", "restate to 200"),
)
for _status, _row in {
    "NEW": "k=CRNDSUNN", "PARTIALLY_FILLED": "k=CRPDSUfP", "FILLED": "kxCRfxxxxP", "CANCELED": "xxxxcxxxxx",
    "REJECTED": "xxxxrxxxxx", "EXPIRED": "xxxxexxxxx",
}.items():  # fmt: skip
    TABLE[_status] |= {verb: _W[word] for verb, word in zip(_REPORTS, _row, strict=True)}
TABLE.update(
    {
        status: {verb: _W[word] for verb, word in zip((*TABLE["NEW"],), row, strict=True)}
        for status, row in {
            #  fill 10, 60, 101, bust, correct to 41, 101, replace to 40, 39, 200, cancel, reject, expire, and _REPORTS
            "DONE_FOR_DAY": "DDoDDoDDDcxek=CRD=DDfP",
            "PENDING_CANCEL": "CCoCCoCCCcxek=CCPCCCCC",
            "STOPPED": "SfoSSoffScxek=CRSDSSfS",
            "SUSPENDED": "UfoUUoffUcxek=CRUDS=fP",
            "PENDING_NEW": "PPonnnNNNcrekNCRADSUAA",
            "CALCULATED": "kkokkoxxxxxx=xxxkxxxfP",
            "PENDING_REPLACE": "RRoRRoffPcxek=CRPRRRRR",
        }.items()
    }
)


def bring_to(desk: Desk, status: str) -> None:
    """Place an order and take it to a status."""
    orders = desk.book.orders
    orders.place(limit(desk.trader, status="PENDING_NEW" if status == "PENDING_NEW" else "NEW"))
    if status not in {"NEW", "PENDING_NEW", "REJECTED"}:
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
        case "DONE_FOR_DAY":
            orders.done_for_day(desk.trader, "A1")
        case "PENDING_CANCEL":
            orders.pending_cancel(desk.trader, "A1", client_order_id="Y")
        case "STOPPED":
            orders.stop(desk.trader, "A1")
        case "SUSPENDED":
            orders.suspend(desk.trader, "A1")
        case "CALCULATED":
            orders.calculate(desk.trader, "A1")
        case "PENDING_REPLACE":
            orders.pending_replace(desk.trader, "A1", client_order_id="Y", quantity=90)
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
    assert desk.book.audit.verify(desk.trader) == []
