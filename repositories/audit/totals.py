"""Positions as events make them, and the totals that events state of orders and positions. Nothing here does I/O."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from ...models.cost import Basis
from ...models.enums import EventType
from ...models.errors import CorruptRecord, never_written
from ...models.event import OrderEvent
from ...models.fees import NO_FEES, Fees
from ...models.fill_details import FillDetails, fee_taken
from ...models.numbers import EXACT, multiplied, times
from ...models.order import Order
from ...models.position import Position
from ...models.wire import codec, decode, text
from .findings import Fields

_POSITION_NAMES = (
    *("bought_quantity", "sold_quantity", "bought_notional", "sold_notional", "version"),
    *("open_cost", "realized_profit"),
)
_ORDER_CHECKS = tuple(codec(Order).checks[name] for name in ("version", "filled_notional"))
_OF_POSITIONS = (EventType.POSITION, EventType.SPLIT, EventType.ROLL)
_HAVE_POSITION = frozenset((*(kind for kind in EventType if kind.is_execution), *_OF_POSITIONS))


class Held(NamedTuple):
    """A position after the change of one event, as it follows from that event and those before it."""

    sequence: int
    """The number of the event."""
    updated_ns: int | None
    quantity: Decimal | int = 0
    bought: Decimal | int = 0
    sold: Decimal | int = 0
    bought_notional: Decimal = Decimal(0)
    sold_notional: Decimal = Decimal(0)
    version: int = 0
    open_cost: Decimal = Decimal(0)
    realized_profit: Decimal = Decimal(0)
    fees: Fees = NO_FEES

    def after(self, event: OrderEvent, anew: Basis | None = None) -> Held:
        """Return the position after one more event, by what that says it has added.

        Args:
            event: The event.
            anew: The cost that a bust or a correction leaves, folded anew; None for one that is taken back by a trade.
        """
        number, ts_ns, version = event.sequence, event.ts_ns, self.version + 1
        if not event.type.is_execution:
            quantity = EXACT.add(self.quantity, event.position_change or 0)
            basis = self.basis.after_change(quantity, event.position_cost_change or Decimal(0))
            if event.position_cost is not None:
                basis = Basis(basis.quantity, event.position_cost, self.realized_profit)
            if event.type is EventType.ROLL:
                nothing = Held(number, ts_ns)  # without fees, too
                return nothing._with(basis._replace(realized_profit=Decimal(0)), number, ts_ns, version)
            return self._with(basis, number, ts_ns, version)
        held = self
        if event.reversed_quantity is not None and event.reversed_price is not None:
            back = EXACT.minus(fee_taken(event.reversed_details))
            held = held._after_trade(event, EXACT.minus(Decimal(event.reversed_quantity)), event.reversed_price, back)
        if event.last_quantity is not None and event.last_price is not None:
            held = held._after_trade(event, event.last_quantity, event.last_price, fee_taken(event.details))
        if anew is not None:
            held = held._replace(open_cost=anew.open_cost, realized_profit=anew.realized_profit)
        fees = _charged(self.fees, event) if event.details or event.reversed_details else self.fees
        return held._replace(sequence=number, updated_ns=ts_ns, version=version, fees=fees)

    def _after_trade(self, event: OrderEvent, quantity: Decimal | int, price: Decimal, taken: Decimal) -> Held:
        """Return the position after a trade; one that is taken back has a negative quantity.

        ``taken`` is the fee that was taken from the quantity, with its sign.
        """
        paid = multiplied(times(quantity, price), event.multiplier)
        is_buy = event.side is not None and event.side.is_buy
        traded = Decimal(quantity) if is_buy else EXACT.minus(Decimal(quantity))
        basis = self.basis.after_trade(EXACT.subtract(traded, taken), paid if is_buy else paid.copy_negate())
        held = self._with(basis, self.sequence, self.updated_ns or 0, self.version)
        if is_buy:
            bought, notional = EXACT.add(self.bought, quantity), EXACT.add(self.bought_notional, paid)
            return held._replace(bought=bought, bought_notional=notional)
        sold, notional = EXACT.add(self.sold, quantity), EXACT.add(self.sold_notional, paid)
        return held._replace(sold=sold, sold_notional=notional)

    def _with(self, basis: Basis, sequence: int, updated_ns: int, version: int) -> Held:
        return self._replace(
            sequence=sequence,
            updated_ns=updated_ns,
            quantity=basis.quantity,
            version=version,
            open_cost=basis.open_cost,
            realized_profit=basis.realized_profit,
        )

    @property
    def basis(self) -> Basis:
        """The quantity, what it has cost, and what was realized."""
        return Basis(self.quantity, self.open_cost, self.realized_profit)

    @property
    def totals(self) -> str:
        """The totals as an event states them."""
        fees = (self.fees,) if self.fees else ()
        return " ".join(
            map(
                text,
                (
                    *(self.bought, self.sold, self.bought_notional, self.sold_notional, self.version),
                    *(self.open_cost, self.realized_profit, *fees),
                ),
            )
        )

    def fields(self, trader: str, symbol: str) -> Fields:
        """Return the fields of the position, in their written form."""
        named = dict(zip((*_POSITION_NAMES, "fees"), self.totals.split(" "), strict=False))
        fields = {"trader": trader, "symbol": symbol, "quantity": text(self.quantity), **named}
        return fields if self.updated_ns is None else {**fields, "updated_ns": text(self.updated_ns)}


def _charged(fees: Fees, event: OrderEvent) -> Fees:
    """Return fees after that of what an event takes back, and that of what it adds."""
    before, after = FillDetails.read(event.reversed_details), FillDetails.read(event.details)
    if before.fee is not None:
        fees = fees.plus(before.fee_currency or "", before.fee.copy_negate())
    return fees if after.fee is None else fees.plus(after.fee_currency or "", after.fee)


class Stated(NamedTuple):
    """The totals that one event states."""

    order_version: int | None
    """The version of the order after the change; None for a change without an order."""
    order_notional: Decimal
    """The filled notional of the order after the change."""
    position: Held | None
    """The position after the change; None for a change that did not touch it."""


def read_totals(key: str, event: OrderEvent, value: str | None) -> Stated:
    """Return the totals that an event states in its field of that name. Raises CorruptRecord, which names ``key``."""
    if event.request_id is None and event.type in (EventType.NEW, EventType.PENDING_NEW):
        return Stated(1, Decimal(0), None)
    if value is None:
        raise CorruptRecord(key, "totals", "is missing")
    parts = value.split(" ")
    order = [] if event.type in _OF_POSITIONS else parts[: len(_ORDER_CHECKS)]
    position = parts[len(order) :]
    try:
        if order:
            version, notional = order
            if version.startswith("-") or not all(
                check(part) for check, part in zip(_ORDER_CHECKS, (version, notional), strict=True)
            ):
                raise ValueError(value)
        if event.type not in _HAVE_POSITION or (
            event.type is EventType.TRADE_DETAILS and event.position_quantity is None  # of what does not count any more
        ):
            if position:
                raise ValueError(value)
            return Stated(int(order[0]), Decimal(order[1]), None)
        names = (*_POSITION_NAMES, "fees")[: max(len(position), len(_POSITION_NAMES))]
        named = dict(zip(names, position, strict=True))
        held = decode(Position, key, {"trader": event.trader, "symbol": event.symbol or "", "quantity": "0", **named})
    except (ValueError, CorruptRecord):
        raise never_written(key, "totals", value) from None
    stated = Held(
        event.sequence,
        event.ts_ns,
        event.position_quantity or 0,
        held.bought_quantity,
        held.sold_quantity,
        held.bought_notional,
        held.sold_notional,
        held.version,
        held.open_cost,
        held.realized_profit,
        held.fees,
    )
    return Stated(int(order[0]) if order else None, Decimal(order[1] if order else 0), stated)
