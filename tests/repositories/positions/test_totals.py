"""Test net and totals, which sum a symbol over all traders."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import SymbolTotal
from slotbook.models.errors import CorruptRecord

from ...support.desk import Desk
from ...support.make import execution, fresh, limit


def test_a_symbol_nobody_holds_nets_to_nothing(desk: Desk) -> None:
    symbol = fresh("S")
    assert desk.book.positions.net(symbol) == 0
    assert symbol not in desk.book.positions.totals()


def test_positions_of_all_traders_are_summed_exactly(desk: Desk) -> None:
    symbol = fresh("S")
    trades = [("BUY", 3, "0.000000001"), ("BUY", 10, "10.5"), ("SELL", 4, "11.25"), ("SELL", 1, "-2")]
    for side, quantity, price in trades:
        trader = desk.another()
        desk.book.orders.place(limit(trader, side=side, symbol=symbol, quantity=quantity))
        desk.book.orders.fill(execution(trader, "X1", quantity, price))
    desk.book.positions.adjust(desk.trader, symbol, -20)
    assert desk.book.positions.totals()[symbol] == SymbolTotal(
        symbol=symbol,
        traders=5,
        quantity=Decimal(-12),
        bought_quantity=Decimal(13),
        sold_quantity=Decimal(5),
        cash=Decimal("-105.000000003") + 45 - 2,
    )
    assert desk.book.positions.net(symbol) == -12


def test_more_traders_than_fit_one_batch_are_all_counted(desk: Desk) -> None:
    symbol = fresh("S")
    traders = [desk.another() for _ in range(450)]
    for number, trader in enumerate(traders):
        desk.book.positions.adjust(trader, symbol, number)
    assert desk.book.positions.net(symbol) == sum(range(450))
    assert desk.book.positions.totals()[symbol].traders == 450


def test_a_position_that_cannot_be_read_is_named_and_not_left_out(desk: Desk) -> None:
    symbol, prefix = fresh("S"), fresh("prefix") + ":"
    book = desk.open(prefix=prefix)  # apart from what other tests damage meanwhile
    book.positions.adjust(desk.trader, symbol, 5)
    desk.vandalise("HSET", f"{prefix}%:position:{symbol}", "quantity", "five")
    with pytest.raises(CorruptRecord, match=symbol):
        book.positions.net(symbol)


def test_two_prefixes_are_two_stores(desk: Desk) -> None:
    symbol, prefix = fresh("S"), fresh("p*?[a]\\^")
    inside = desk.open(prefix=f"{prefix}:")
    desk.book.positions.adjust(desk.trader, symbol, 5)
    inside.positions.adjust(desk.trader, symbol, 7)
    inside.positions.adjust(desk.another(), symbol, 8)
    assert (desk.book.positions.net(symbol), inside.positions.net(symbol)) == (5, 15)
    assert inside.positions.totals().keys() == {symbol}


def test_traders_with_open_orders_alone_are_not_counted(desk: Desk) -> None:
    symbol = fresh("S")
    desk.book.orders.place(limit(desk.trader, symbol=symbol))
    assert symbol not in desk.book.positions.totals()
    desk.book.positions.adjust(desk.another(), symbol, 7)
    assert (desk.book.positions.net(symbol), desk.book.positions.totals()[symbol].traders) == (7, 1)
