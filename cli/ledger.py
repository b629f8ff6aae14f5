"""The demo's own account of the day, kept in plain dictionaries, and the audit of a book against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ..models.enums import OrderStatus, Side
from ..models.fill import Fill
from ..models.journal import JournalRequest
from ..models.order import Cancel, Order
from ..models.position import Position
from .day import LOT


@dataclass(slots=True)
class _Order:
    symbol: str
    side: Side
    quantity: int
    price: Decimal | None
    status: OrderStatus = OrderStatus.NEW
    filled: int = 0
    notional: Decimal = Decimal(0)


@dataclass(slots=True)
class _Position:
    bought: int = 0
    sold: int = 0
    cash: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Audit:
    """How a book compares with the ledger."""

    sent: int
    lost: int
    doubled: int
    differences: tuple[str, ...]
    """What else is not as it should be, such as a status or an amount."""

    @property
    def applied(self) -> int:
        """Fills that are in the book."""
        return self.sent - self.lost

    @property
    def clean(self) -> bool:
        """Whether every fill is in the book exactly once and all else is as it should be."""
        return not (self.lost or self.doubled or self.differences)


class Ledger:
    """What a book must say after each request was applied once."""

    def __init__(self, requests: Iterable[JournalRequest]) -> None:
        self._orders: dict[tuple[str, str], _Order] = {}
        self._positions: dict[tuple[str, str], _Position] = {}
        self.fills = 0
        for request in requests:
            self._apply(request)

    @property
    def order_ids(self) -> list[tuple[str, str]]:
        """Every order, by trader and id."""
        return list(self._orders)

    @property
    def position_ids(self) -> list[tuple[str, str]]:
        """Every position, by trader and symbol."""
        return sorted(self._positions)

    def audit(self, orders: Iterable[Order | None], positions: Iterable[Position]) -> Audit:
        """Compare with what a book says of ``order_ids`` and ``position_ids``, counting fills in both."""
        lost, doubled, differences = [0, 0], [0, 0], list[str]()
        for (trader, order_id), expected, found in zip(self._orders, self._orders.values(), orders, strict=True):
            filled = found.filled_quantity if found else 0
            lost[0] += max(0, expected.filled - filled) // LOT
            doubled[0] += max(0, filled - expected.filled) // LOT
            wanted = (expected.status, expected.quantity, expected.price, expected.filled, expected.notional)
            if found is None:
                differences.append(f"order {trader}/{order_id} is not there")
            elif wanted != (found.status, found.quantity, found.price, found.filled_quantity, found.filled_notional):
                differences.append(f"order {trader}/{order_id} is {found!r}, should be {expected}")
        for (trader, symbol), found in zip(self.position_ids, positions, strict=True):
            expected = self._positions[trader, symbol]
            surplus = found.bought_quantity + found.sold_quantity - expected.bought - expected.sold
            lost[1] += max(0, -surplus) // LOT
            doubled[1] += max(0, surplus) // LOT
            wanted = (expected.bought - expected.sold, expected.bought, expected.sold, expected.cash)
            if wanted != (found.quantity, found.bought_quantity, found.sold_quantity, found.cash):
                differences.append(f"position {trader}/{symbol} is {found!r}, should be {expected}")
        return Audit(self.fills, max(lost), max(doubled), tuple(differences))

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
        else:
            order.quantity = request.quantity or order.quantity
            order.price = request.price or order.price

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
