"""Change positions without orders in a book in plain Python."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models import (
    EventType,
    OrderEvent,
    Position,
    PositionAction,
    PositionChange,
)
from slotbook.models.errors import (
    AmountOverflow,
)

from .state import MOST, MOST_MONEY, Answer, State, again


def move(book: State, change: PositionChange) -> Answer:
    content = (change.symbol, change.action, change.quantity, change.max_position)
    known = book.requests.get((change.trader, change.request_id))
    if known is not None:
        return again(known, content)
    held = book.positions.get((change.trader, change.symbol), Position.flat(change.trader, change.symbol))
    quantity = change.quantity + (held.quantity if change.action is PositionAction.ADJUST else 0)
    if abs(quantity) > MOST:
        raise AmountOverflow
    if change.max_position is not None and abs(quantity) > max(change.max_position, abs(held.quantity)):
        return Answer(applied=False, sequence=0, position=held, accepted=False)
    moved = {"quantity": quantity, "version": held.version + 1, "updated_ns": change.ts_ns}
    if quantity == 0 or quantity * held.quantity < 0:  # nothing is left of what the cost was for
        moved |= {"open_cost": Decimal(0), "realized_profit": held.realized_profit - held.open_cost}
        if abs(moved["realized_profit"]) >= MOST_MONEY:
            raise AmountOverflow
    position = book.positions[change.trader, change.symbol] = held.model_copy(update=moved)
    events = book.events[change.trader]
    events.append(
        OrderEvent(
            trader=change.trader,
            sequence=len(events) + 1,
            type=EventType.POSITION,
            ts_ns=change.ts_ns,
            symbol=change.symbol,
            request_id=change.request_id,
            position_quantity=quantity,
            position_change=quantity - held.quantity,
        )
    )
    answer = Answer(applied=True, sequence=len(events), position=position)
    book.requests[change.trader, change.request_id] = content, answer
    return answer
