"""Limits and the switch of trading of a book in plain Python."""

from __future__ import annotations

import json
from decimal import Decimal

from slotbook.models import EventType, LimitsChange, Order, OrderEvent, Side, TradingChange
from slotbook.models.errors import LimitExceeded, TradingHalted

from .state import OPEN, Answer, State, again

NAMES = ("max_order", "max_notional", "max_position", "orders_per_second")


def change_limits(book: State, change: LimitsChange | TradingChange) -> Answer:
    values: dict[str, object]
    if isinstance(change, TradingChange):
        content: object = ("TRADING", change.trading)
        values = {"type": EventType.TRADING, "trading": change.trading, "text": change.text}
    else:
        given = {name: getattr(change, name) for name in NAMES}
        content = ("LIMITS", change.symbol, tuple(given.values()))
        texts = {name: f"{Decimal(one).normalize():f}" for name, one in given.items() if one is not None}
        text = json.dumps(texts, separators=(",", ":"))
        values = {"type": EventType.LIMITS, "symbol": change.symbol, "limits": text}
    key = (change.trader, change.request_id)
    if key in book.requests:
        return again(book.requests[key], content)
    if isinstance(change, TradingChange):
        book.trading[change.trader] = change.trading.value
    else:
        book.limits[change.trader, change.symbol] = {name: getattr(change, name) for name in NAMES}
    events = book.events[change.trader]
    about = {"trader": change.trader, "sequence": len(events) + 1, "ts_ns": change.ts_ns}
    events.append(OrderEvent.model_validate({**about, "request_id": change.request_id, **values}))
    answer = Answer(applied=True, sequence=len(events))
    book.requests[key] = content, answer
    return answer


def left_of(order: Order) -> Decimal:
    """Return what is open of an order."""
    is_over = "DONE_FOR_DAY" in (order.marks or "").split() and order.time_in_force not in ("GTC", "GTD")
    return Decimal(0) if is_over or order.status not in OPEN else Decimal(order.quantity) - order.filled_quantity


def value_of(order: Order) -> Decimal | None:
    """Return what limits take an order to cost; None when nothing says its price."""
    for price in (order.price, order.reference_price, order.stop_price):
        if price is not None:
            return abs(order.quantity * price * (order.multiplier or 1))
    return None


def check(book: State, order: Order, was: Order | None = None) -> None:
    """Refuse an order, as it is to become, for the switch and for the limits of its trader."""
    switch = book.trading.get(order.trader, "ACTIVE")
    if switch == "HALTED":
        raise TradingHalted
    own = book.limits.get((order.trader, order.symbol), {})
    whole = book.limits.get((order.trader, None), {})
    if switch == "ACTIVE" and not own and not whole:
        return  # before all orders are looked through
    held = book.positions.get((order.trader, order.symbol))
    position = Decimal(0) if held is None else held.quantity
    working = [entry.now for (trader, _), entry in book.orders.items() if trader == order.trader]
    is_buy = order.side is Side.BUY
    others = [
        left_of(one)
        for one in working
        if one.order_id != order.order_id and one.symbol == order.symbol and (one.side is Side.BUY) == is_buy
    ]
    exposure = (position if is_buy else -position) + sum(others, left_of(order))
    if abs(exposure) <= abs(position):
        return
    if switch == "REDUCING":
        raise TradingHalted
    raises = was is None or order.quantity > was.quantity
    has_own = own.get("max_position") is not None
    for limits in (own, whole):
        if raises and _is_over(limits.get("max_order"), order.quantity):
            raise LimitExceeded(limit="max_order")
        notional, before = value_of(order), None if was is None else value_of(was)
        if limits.get("max_notional") is not None:
            costs_more = raises if notional is None else before is None or notional > before
            if costs_more and (notional is None or _is_over(limits["max_notional"], notional)):
                raise LimitExceeded(limit="max_notional")
        if raises and not (limits is whole and has_own) and _is_over(limits.get("max_position"), exposure):
            raise LimitExceeded(limit="max_position")
        if limits.get("orders_per_second") == 0:
            raise LimitExceeded(limit="orders_per_second")


def _is_over(limit: Decimal | int | None, value: Decimal | int) -> bool:
    return limit is not None and value > limit
