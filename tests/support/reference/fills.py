"""Fill orders in a book in plain Python."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from slotbook.models import (
    EventType,
    Fill,
    Order,
    OrderStatus,
    Position,
    Side,
)
from slotbook.models.errors import (
    AmountOverflow,
    Overfill,
)
from slotbook.models.fees import Fees

from .accounts import keep, part_of_order, told
from .costs import cost_after_trade
from .details import arriving, charge, complete, details_of, remember, written
from .multipliers import flat, paid_for
from .paths import Leg
from .state import MOST, MOST_MONEY, MOST_TRADED, OPEN, Answer, Entry, State, again, shown_status


def fill(book: State, fill: Fill, entry: Entry) -> Answer:
    content = (fill.quantity, fill.price)
    book.check_names(fill, entry)
    if fill.exec_id in entry.fills:
        again(entry.fills[fill.exec_id], content)
        return complete(book, fill, entry)
    order = entry.now
    filled = order.filled_quantity + fill.quantity
    amount = paid_for(book, order, fill.quantity, fill.price)
    over = filled > order.quantity
    if over and fill.overfill != "record":
        raise Overfill
    if filled >= MOST:
        raise AmountOverflow
    held = book.positions.get((fill.trader, order.symbol)) or flat(book, fill.trader, order.symbol)
    part = part_of_order(book, order)
    sign = 1 if order.side is Side.BUY else -1
    notional = order.filled_notional + amount
    if abs(notional) >= MOST_MONEY:
        raise AmountOverflow
    position = _traded(held, order, amount, fill)
    part = part and _traded(part, order, amount, fill).model_copy(update={"multiplier": held.multiplier})
    late = order.status not in (*OPEN, OrderStatus.FILLED)
    status = order.status
    entry.keep([mark for mark in entry.marks if mark != "PENDING_NEW"], entry.pending)
    if not late:
        status = shown_status(order.model_copy(update={"filled_quantity": filled}), entry.marks, entry.pending)
    book.positions[fill.trader, order.symbol] = position
    arrived = arriving(fill.quantity, details_of(fill), order.side)
    leg = Leg(position, (order.order_id, fill.exec_id), sign * arrived, Decimal(sign * amount))
    book.paths[fill.trader, order.symbol].append(leg)
    keep(book, part, replace(leg))
    entry.now = order.model_copy(
        update={
            "status": status,
            "filled_quantity": filled,
            "filled_notional": notional,
            "version": order.version + 1,
            "updated_ns": fill.ts_ns,
            **entry.written(),
        }
    )
    book.take_names(fill, entry)
    sequence = book.append_event(
        EventType.TRADE,
        entry.now,
        fill.ts_ns,
        exec_id=fill.exec_id,
        last_quantity=fill.quantity,
        last_price=fill.price,
        multiplier=order.multiplier,
        late=True if late else None,
        overfilled=True if over else None,
        position_quantity=position.quantity,
        venue_order_id=fill.venue_order_id,
        details=written(details_of(fill)),
        **told(part),
    )
    made = Answer(applied=True, sequence=sequence, order=entry.now, position=position, account_position=part)
    answer = replace(made, late=late, overfilled=over)
    entry.fills[fill.exec_id] = content, answer
    entry.live[fill.exec_id] = content
    remember(entry, fill, answer)
    return answer


def _traded(held: Position, order: Order, amount: Decimal, fill: Fill) -> Position:
    """Return a position after a trade. Raises AmountOverflow."""
    sign, arrived = 1 if order.side is Side.BUY else -1, arriving(fill.quantity, details_of(fill), order.side)
    side, paid = ("bought_quantity", "bought_notional") if sign > 0 else ("sold_quantity", "sold_notional")
    moved: dict[str, Any] = {
        "quantity": held.quantity + sign * arrived,
        side: getattr(held, side) + fill.quantity,
        paid: getattr(held, paid) + amount,
        "version": held.version + 1,
        "updated_ns": fill.ts_ns,
        "fees": Fees(charge(held.fees, {}, details_of(fill))),
        **cost_after_trade(held, sign * arrived, sign * amount),
    }
    if abs(moved["quantity"]) >= MOST or moved[side] >= MOST_TRADED:
        raise AmountOverflow
    if any(abs(moved[name]) >= MOST_MONEY for name in (paid, "open_cost", "realized_profit")):
        raise AmountOverflow
    return held.model_copy(update=moved)
