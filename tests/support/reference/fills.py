"""Fill orders in a book in plain Python."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models import (
    EventType,
    Fill,
    OrderStatus,
    Side,
)
from slotbook.models.errors import (
    AmountOverflow,
    Overfill,
)
from slotbook.models.fees import Fees

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
    held = book.positions.get((fill.trader, order.symbol)) or flat(book, fill.trader, order.symbol)
    bought, sold = (fill.quantity, 0) if order.side is Side.BUY else (0, fill.quantity)
    arrived = arriving(bought, details_of(fill), order.side) - sold
    paid, received = (amount, 0 * amount) if bought else (0 * amount, amount)
    moved = {
        "quantity": held.quantity + arrived,
        "bought_quantity": held.bought_quantity + bought,
        "sold_quantity": held.sold_quantity + sold,
        "bought_notional": held.bought_notional + paid,
        "sold_notional": held.sold_notional + received,
        "version": held.version + 1,
        "updated_ns": fill.ts_ns,
    }
    fees = Fees(charge(held.fees, {}, details_of(fill)))
    moved |= cost_after_trade(held, arrived, paid - received)
    notional = order.filled_notional + paid + received
    if abs(moved["quantity"]) >= MOST or max(moved["bought_quantity"], moved["sold_quantity"]) >= MOST_TRADED:
        raise AmountOverflow
    amounts = (moved[name] for name in ("bought_notional", "sold_notional", "open_cost", "realized_profit"))
    if max(abs(amount) for amount in (*amounts, notional)) >= MOST_MONEY:
        raise AmountOverflow
    late = order.status not in (*OPEN, OrderStatus.FILLED)
    status = order.status
    entry.keep([mark for mark in entry.marks if mark != "PENDING_NEW"], entry.pending)
    if not late:
        status = shown_status(order.model_copy(update={"filled_quantity": filled}), entry.marks, entry.pending)
    position = book.positions[fill.trader, order.symbol] = held.model_copy(update={**moved, "fees": fees})
    path = book.paths[fill.trader, order.symbol]
    path.append(Leg(position, (order.order_id, fill.exec_id), arrived, Decimal(paid) - Decimal(received)))
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
    )
    answer = Answer(applied=True, sequence=sequence, order=entry.now, position=position, late=late, overfilled=over)
    entry.fills[fill.exec_id] = content, answer
    entry.live[fill.exec_id] = content
    remember(entry, fill, answer)
    return answer
