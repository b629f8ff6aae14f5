"""The demo's own account of the day, kept in plain dictionaries, and the audit of a book against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from ..models.enums import OrderStatus, Side
from ..models.fill import Fill
from ..models.journal import JournalRequest
from ..models.numbers import EXACT
from ..models.order import Cancel, Order, Replace
from ..models.position import Position
from .day import LOT

_Values = tuple[str | int | Decimal | None, ...]


@dataclass(slots=True)
class _Order:
    symbol: str
    side: Side
    quantity: Decimal | int
    price: Decimal | None
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal | int = 0
    notional: Decimal = Decimal(0)


@dataclass(slots=True)
class _Position:
    bought: Decimal | int = 0
    sold: Decimal | int = 0
    cash: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of comparing a book with the ledger, in fills."""

    sent: int
    lost: int
    doubled: int
    differences: tuple[str, ...]
    """Everything else that differs, such as a status or an amount."""

    @property
    def applied(self) -> int:
        """The number of fills that are in the book."""
        return self.sent - self.lost

    @property
    def clean(self) -> bool:
        """True when every fill is in the book exactly once and nothing else differs."""
        return not (self.lost or self.doubled or self.differences)


@dataclass(slots=True)
class _Findings:
    """The differences that one way of counting finds."""

    lost: int = 0
    doubled: int = 0
    differences: list[str] = field(default_factory=list[str])

    def count(self, executed: Decimal | int, expected: Decimal | int) -> None:
        self.lost += int(max(0, expected - executed) // LOT)
        self.doubled += int(max(0, executed - expected) // LOT)

    def compare(self, name: str, found: _Values | None, expected: _Values) -> None:
        if found is None:
            self.differences.append(f"{name} is not there")
        elif found != expected:
            self.differences.append(f"{name} is ({_listed(found)}), should be ({_listed(expected)})")


class Ledger:
    """The state that a book must have after each request was applied once."""

    def __init__(self, requests: Iterable[JournalRequest]) -> None:
        self._orders: dict[tuple[str, str], _Order] = {}
        self._positions: dict[tuple[str, str], _Position] = {}
        self.fills = 0
        for request in requests:
            with localcontext(EXACT):
                self._apply(request)

    @property
    def order_ids(self) -> list[tuple[str, str]]:
        """Every order, as its trader and id."""
        return list(self._orders)

    @property
    def position_ids(self) -> list[tuple[str, str]]:
        """Every position, as its trader and symbol."""
        return sorted(self._positions)

    def audit(self, orders: Iterable[Order | None], positions: Iterable[Position]) -> Audit:
        """Compare the ledger with a book, and count the fills in its orders and in its positions.

        Args:
            orders: The book's orders, in the sequence of ``order_ids``.
            positions: The book's positions, in the sequence of ``position_ids``.
        """
        by_orders = _Findings()
        for (trader, order_id), order, stored in zip(self._orders, self._orders.values(), orders, strict=True):
            by_orders.count(stored.filled_quantity if stored else 0, order.filled)
            by_orders.compare(
                f"order {trader}/{order_id}",
                None
                if stored is None
                else (stored.status, stored.quantity, stored.price, stored.filled_quantity, stored.filled_notional),
                (order.status, order.quantity, order.price, order.filled, order.notional),
            )
        by_positions = _Findings()
        for (trader, symbol), held in zip(self.position_ids, positions, strict=True):
            position = self._positions[trader, symbol]
            by_positions.count(held.bought_quantity + held.sold_quantity, position.bought + position.sold)
            by_positions.compare(
                f"position {trader}/{symbol}",
                (held.quantity, held.bought_quantity, held.sold_quantity, held.cash),
                (position.bought - position.sold, position.bought, position.sold, position.cash),
            )
        return Audit(
            self.fills,
            max(by_orders.lost, by_positions.lost),
            max(by_orders.doubled, by_positions.doubled),
            (*by_orders.differences, *by_positions.differences),
        )

    def _apply(self, request: JournalRequest) -> None:
        key = request.trader, request.order_id
        if isinstance(request, Order):
            self._orders[key] = _Order(request.symbol, request.side, request.quantity, request.price)
            return
        order = self._orders[key]
        if isinstance(request, Fill):
            self._fill(request, order)
        elif isinstance(request, Cancel):
            order.status = OrderStatus.CANCELED
        elif isinstance(request, Replace):
            order.quantity = max(request.quantity or order.quantity, order.filled)
            order.price = request.price or order.price
            if order.filled and order.status is not OrderStatus.CANCELED:
                done = order.filled == order.quantity
                order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        else:
            raise TypeError(f"the demo's day has no {type(request).__name__}")

    def _fill(self, fill: Fill, order: _Order) -> None:
        self.fills += 1
        amount = fill.quantity * fill.price
        order.filled += fill.quantity
        order.notional += amount
        if order.status is not OrderStatus.CANCELED:
            done = order.filled == order.quantity
            order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        position = self._positions.setdefault((fill.trader, order.symbol), _Position())
        if order.side is Side.BUY:
            position.bought += fill.quantity
            position.cash -= amount
        else:
            position.sold += fill.quantity
            position.cash += amount


def _listed(values: _Values) -> str:
    return ", ".join(map(str, values))
