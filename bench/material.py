"""New orders and executions for each job, as models and as the bytes of Slotbook's own calls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count

from ..models.enums import Side
from ..models.fill import Fill
from ..models.order import Cancel, Order
from ..repositories import Book, OrderRepository
from ..repositories.changes.loss_detector import LossDetector
from ..repositories.orders.calls import OrderCalls
from ..repositories.orders.verbs import OrderRequest
from ..topology.call import Call
from .allocations import TRADERS, Allocations


class Material:
    """The orders that the contestants on one deployment work with."""

    def __init__(self, book: Book) -> None:
        loss_detector = LossDetector()
        self.repository = OrderRepository(book.backend, loss_detector)
        self.allocations = Allocations(book)
        self._numbers = count(1)
        self.settings = book.backend.settings
        self.calls = OrderCalls(self.settings, loss_detector)
        """The builder of the calls whose bytes the floor and the hand-written peers send, as the repository does."""

    def orders(self, size: int, trader: str | None = None) -> list[Order]:
        """Return new orders, of one trader or of all traders in turn."""
        return [
            Order(
                trader=trader or TRADERS[number % len(TRADERS)],
                order_id=f"A{number:08}",
                symbol="AAPL",
                side=Side.BUY if number % 2 else Side.SELL,
                quantity=100,
                price=Decimal("187.23"),
                ts_ns=1_700_000_000_000_000_000 + number,
            )
            for number, _ in zip(self._numbers, range(size), strict=False)
        ]

    def placed(self, size: int, trader: str | None = None) -> list[Order]:
        """Return new orders that are placed in the book."""
        orders = self.orders(size, trader)
        for begin in range(0, size, 1_000):
            for outcome in self.repository.place_many(orders[begin : begin + 1_000]):
                outcome.result()
        return orders

    def fills(self, size: int) -> list[Fill]:
        """Return a partial fill for each of ``size`` newly placed orders."""
        return [fill_of(order) for order in self.placed(size)]

    def cancels(self, size: int) -> list[Cancel]:
        """Return a cancel for each of ``size`` newly placed orders."""
        return [cancel_of(order) for order in self.placed(size)]


def fill_of(order: Order) -> Fill:
    """Return a partial fill of an order."""
    return Fill(
        trader=order.trader,
        order_id=order.order_id,
        exec_id="X1",
        quantity=40,
        price=Decimal("187.22"),
        ts_ns=order.ts_ns + 1,
    )


def cancel_of(order: Order) -> Cancel:
    """Return a cancel of an order."""
    return Cancel(trader=order.trader, order_id=order.order_id, ts_ns=order.ts_ns + 1)


def batch_of(calls: OrderCalls, requests: Sequence[OrderRequest]) -> list[Call[object]]:
    """Return the calls by which a repository makes many changes: the steps of one trader go together."""
    return [pending.build() for pending in calls.grouped(calls.checked(requests)).calls]


def ids_of(orders: Sequence[Order]) -> list[tuple[str, str]]:
    """Return the trader and order id of each order."""
    return [(order.trader, order.order_id) for order in orders]
