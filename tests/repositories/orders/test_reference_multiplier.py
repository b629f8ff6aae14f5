"""Reference data of a symbol is no order's: `place` takes no multiplier from it, and compares none."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models import SymbolInfo

from ...support.desk import Desk
from ...support.make import fresh, limit


def test_an_order_has_the_multiplier_that_it_is_given(desk: Desk) -> None:
    symbol = fresh("ES")
    info = SymbolInfo(symbol=symbol, name="E-mini", multiplier=Decimal(50))
    desk.book.symbols.put(info)
    found = desk.book.symbols.get(symbol)
    assert found is not None
    assert found == info
    orders, trader = desk.book.orders, desk.trader
    assert orders.place(limit(trader, symbol=symbol)).order.multiplier is None
    other = desk.another()
    assert orders.place(limit(other, symbol=symbol, multiplier=20)).order.multiplier == 20
    third = desk.another()
    assert orders.place(limit(third, symbol=symbol, multiplier=found.multiplier)).order.multiplier == 50
