"""Fold a history into totals in plain Python: what positions and what is open must be, given events or orders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, localcontext

from slotbook.models import EventType, Order, OrderEvent, Side

EXACT = Context(prec=300)


def fold(events: Sequence[OrderEvent]) -> dict[str, tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Return the positions that events make, by symbol: quantity, bought, sold, and the amounts paid and received."""
    with localcontext(EXACT):
        return _fold(events)


def _fold(events: Sequence[OrderEvent]) -> dict[str, tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
    held: dict[str, tuple[Decimal, Decimal, Decimal, Decimal, Decimal]] = {}
    for event in events:
        if event.symbol is None:
            continue
        quantity, bought, sold, paid, got = held.get(event.symbol, (Decimal(0),) * 5)
        if event.type in {"TRADE", "TRADE_CANCEL", "TRADE_CORRECT"}:
            traded = (event.last_quantity or Decimal(0)) - (event.reversed_quantity or 0)
            amount = (event.last_quantity or Decimal(0)) * (event.last_price or Decimal(0))
            amount -= (event.reversed_quantity or 0) * (event.reversed_price or Decimal(0))
            amount *= event.multiplier or 1
            if event.side is Side.BUY:
                taken = _taken(event.details) - _taken(event.reversed_details)
                quantity, bought, paid = quantity + traded - taken, bought + traded, paid + amount
            else:
                quantity, sold, got = quantity - traded, sold + traded, got + amount
        elif event.type is EventType.ROLL:
            bought, sold, paid, got = (Decimal(0),) * 4
        elif event.type in (EventType.POSITION, EventType.SPLIT) and event.position_quantity is not None:
            change = event.position_quantity - quantity if event.position_change is None else event.position_change
            quantity += change
            assert quantity == event.position_quantity, event
        else:
            continue
        held[event.symbol] = quantity, bought, sold, paid, got
    return held


def _taken(details: str | None) -> Decimal:
    said = json.loads(details or "{}")
    return Decimal(said["fee"]) if "fee_from_quantity" in said else Decimal(0)


def open_quantities(orders: Iterable[Order]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return what is open of some orders, by symbol: to buy, and to sell."""
    with localcontext(EXACT):
        return _open_quantities(orders)


def _open_quantities(orders: Iterable[Order]) -> dict[str, tuple[Decimal, Decimal]]:
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for order in orders:
        buy, sell = found.get(order.symbol, (Decimal(0), Decimal(0)))
        left = order.open_quantity
        found[order.symbol] = (buy + left, sell) if order.side is Side.BUY else (buy, sell + left)
    return found
