"""Fault "reply cut": placing and filling an order with own fields has one effect, and its own result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models import FillResult, OrderResult

from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.own_orders import DeskOrder, desk_fill, desk_order

CALLS: dict[str, Callable[[Book, str], OrderResult[DeskOrder] | FillResult[DeskOrder]]] = {
    "NEW": lambda book, trader: book.orders.of(DeskOrder).place(desk_order(trader, "A2")),
    "TRADE": lambda book, trader: book.orders.of(DeskOrder).fill(desk_fill(trader)),
    "CANCELED": lambda book, trader: book.orders.of(DeskOrder).cancel(trader, "A1", request_id="C1"),
}


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET], ids=["closed", "reset"])
@pytest.mark.parametrize("kind", CALLS)
def test_one_effect_and_the_first_result_with_own_fields(lone_stand: Stand, kind: str, do: Do) -> None:
    stand, call = lone_stand, CALLS[kind]
    book = stand.open(pool_size=1)
    at, sizes = 0, [1]
    while at < max(sizes):
        trader = f"{stand.trader}.{at}"
        book.orders.of(DeskOrder).place(desk_order(trader))
        stand.veil.add(Rule(do, at=at))
        first = call(book, trader)
        sizes += [stand.veil.plan.size]
        assert stand.veil.plan.idle
        again = call(book, trader)
        assert (again.order, again.applied) == (first.order, False), at
        assert first.order.strategy == "S1"
        assert stand.kinds(trader) == ["NEW", kind], at
        assert book.orders.of(DeskOrder).count(trader, {"strategy": "S1"}) == (2 if kind == "NEW" else 1)
        at += 1 if do is Do.CUT and kind == "NEW" else 13
    assert at > 20
