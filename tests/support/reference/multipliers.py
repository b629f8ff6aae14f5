"""Know the multiplier of each position in a book in plain Python."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models import Order, Position, PositionChange
from slotbook.models.errors import AmountOverflow, MultiplierMismatch

from .costs import places
from .state import MOST_PLACES, OPEN, State


def note_first(book: State, trader: str, symbol: str, multiplier: Decimal | None) -> None:
    """Let the first who says something of a position say what it is multiplied by. Raises MultiplierMismatch."""
    if book.multipliers.setdefault((trader, symbol), multiplier or Decimal(1)) != (multiplier or 1):
        raise MultiplierMismatch


def flat(book: State, trader: str, symbol: str) -> Position:
    """Return the position before its first change."""
    found = book.multipliers.get((trader, symbol), 1)
    return Position(trader=trader, symbol=symbol, multiplier=None if found == 1 else Decimal(found))


def paid_for(book: State, order: Order, quantity: Decimal | int, price: Decimal) -> Decimal:
    """Return what a quantity of an order costs. Raises MultiplierMismatch, AmountOverflow."""
    one = order.multiplier or Decimal(1)
    if book.multipliers[order.trader, order.symbol] != one:
        raise MultiplierMismatch
    amount = quantity * price * one
    if order.multiplier is not None and places(amount) > MOST_PLACES:
        raise AmountOverflow
    return amount


def take_other(book: State, change: PositionChange, held: Position) -> dict[str, object]:
    """Return what a change makes of the multiplier. Raises MultiplierMismatch for one that is not possible."""
    key = change.trader, change.symbol
    if change.multiplier is None:
        return {}
    if book.multipliers.get(key, change.multiplier) != change.multiplier:
        mine = (entry.now for (trader, _), entry in book.orders.items() if trader == change.trader)
        waiting = any(one.symbol == change.symbol and one.status in OPEN and one.open_quantity for one in mine)
        parts = [one for one in book.accounts.values() if (one.trader, one.symbol) == key]
        holding = any(one.quantity or one.open_cost for one in parts)
        if waiting or holding or any(map(_has_traded, (held, *parts))):
            raise MultiplierMismatch
    return {"multiplier": None if change.multiplier == 1 else change.multiplier}


def _has_traded(held: Position) -> bool:
    return any((held.bought_quantity, held.sold_quantity, held.bought_notional, held.sold_notional))
