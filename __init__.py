"""Slotbook keeps a trading desk's state in Redis: orders, positions and executions, each applied exactly once.

>>> import slotbook
>>> from slotbook.models import Fill, Order
>>> with slotbook.connect("embedded://standalone") as book:
...     placed = book.orders.place(
...         Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")
...     )
...     fill = Fill(trader="T001", order_id="A1", exec_id="X1", quantity=40, price="187.22")
...     first, again = book.orders.fill(fill), book.orders.fill(fill)
>>> first.order.status, first.position.quantity, first.applied, again.applied
(<OrderStatus.PARTIALLY_FILLED: 'PARTIALLY_FILLED'>, 40, True, False)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models.errors import SlotbookError
    from .repositories import AsyncBook, Book
    from .repositories.book.opening import aconnect, connect
    from .topology.settings import Settings

__all__ = ["AsyncBook", "Book", "Settings", "SlotbookError", "aconnect", "connect"]
__version__ = "0.1.0"

_PLACES = {
    "AsyncBook": ".repositories",
    "Book": ".repositories",
    "Settings": ".topology.settings",
    "SlotbookError": ".models.errors",
    "aconnect": ".repositories.book.opening",
    "connect": ".repositories.book.opening",
}
_ROOMS = frozenset({"models", "repositories", "topology"})


def __getattr__(name: str) -> object:
    """Import what is asked for when it is first asked for: a program that only passes by pays for nothing."""
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(_PLACES[name], __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
