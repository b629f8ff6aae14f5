"""Keep the positions of accounts in a book in plain Python: parts of a trader's, of orders that name an account."""

from __future__ import annotations

from slotbook.models import Order, Position

from .paths import Leg
from .state import State


def part_of(book: State, trader: str, symbol: str, account: str) -> Position:
    """Return the position of an account, which is flat before its first change."""
    return book.accounts.get((trader, symbol, account)) or Position(trader=trader, symbol=symbol, account=account)


def part_of_order(book: State, order: Order) -> Position | None:
    """Return the position of an order's account; None for an order without one."""
    return part_of(book, order.trader, order.symbol, order.account) if order.account is not None else None


def keep(book: State, position: Position | None, leg: Leg | None = None) -> None:
    """Keep a position of an account after a change, and how it came about."""
    if position is None or position.account is None:
        return
    key = position.trader, position.symbol, position.account
    book.accounts[key] = position
    if leg is not None:
        leg.after = position
        book.account_paths[key].append(leg)


def told(position: Position | None) -> dict[str, object]:
    """Return what an event says of the position of an account."""
    return {} if position is None else {"account": position.account, "account_quantity": position.quantity}
