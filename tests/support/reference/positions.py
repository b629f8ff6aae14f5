"""Change positions without orders in a book in plain Python."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from slotbook.models import (
    EventType,
    OrderEvent,
    Position,
    PositionAction,
    PositionChange,
    Roll,
    Split,
)
from slotbook.models.errors import (
    AmountOverflow,
    InexactSplit,
)
from slotbook.models.fees import Fees
from slotbook.models.numbers import plain

from .multipliers import flat, take_other
from .paths import Leg
from .state import MOST, MOST_MONEY, Answer, State, again

_TOTALS = ("bought_quantity", "sold_quantity", "bought_notional", "sold_notional", "realized_profit")


def move(book: State, change: PositionChange | Split | Roll) -> Answer:
    content = change.model_dump(exclude={"ts_ns", "request_id"})
    known = book.requests.get((change.trader, change.request_id))
    if known is not None:
        return again(known, content)
    held = book.positions.get((change.trader, change.symbol)) or flat(book, change.trader, change.symbol)
    moved: dict[str, Any] = {"version": held.version + 1, "updated_ns": change.ts_ns}
    told: dict[str, object] = {}
    kind, quantity = EventType.POSITION, held.quantity
    match change:
        case PositionChange():
            quantity = change.quantity + (held.quantity if change.action is PositionAction.ADJUST else 0)
            told["position_cost"] = change.cost
        case Split():
            kind, quantity = EventType.SPLIT, _after_split(held.quantity, change)
        case Roll():
            kind, told["period"] = (
                EventType.ROLL,
                json.dumps({name: plain(Decimal(getattr(held, name))) for name in _TOTALS}),
            )
            if held.fees:
                text = "{" + ",".join(f'"{one}":"{plain(held.fees[one])}"' for one in sorted(held.fees)) + "}"
                told["period"] = json.dumps({**json.loads(str(told["period"])), "fees": text}, ensure_ascii=False)
            told["period"] = str(told["period"]).replace(" ", "")
            moved |= {**dict.fromkeys(_TOTALS, 0), "fees": Fees()}
    if abs(quantity) >= MOST:
        raise AmountOverflow
    most = change.max_position if isinstance(change, PositionChange) else None
    if most is not None and abs(quantity) > max(most, abs(held.quantity)):
        return Answer(applied=False, sequence=0, position=held, accepted=False)
    moved["quantity"] = quantity
    if told.get("position_cost") is not None:
        moved["open_cost"] = told["position_cost"]
    elif quantity == 0 or quantity * held.quantity < 0:  # nothing is left of what the cost was for
        moved |= {"open_cost": Decimal(0), "realized_profit": held.realized_profit - held.open_cost}
        if abs(moved["realized_profit"]) >= MOST_MONEY:
            raise AmountOverflow
        moved |= dict.fromkeys(_TOTALS, 0) if kind is EventType.ROLL else {}
    if isinstance(change, PositionChange):
        moved |= take_other(book, change, held)
    book.multipliers.setdefault((change.trader, change.symbol), Decimal(1))
    stored = held.model_dump(exclude={*Position.model_computed_fields})
    position = book.positions[change.trader, change.symbol] = Position(**{**stored, **moved})
    book.paths[change.trader, change.symbol].append(
        Leg(
            position,
            added=Decimal(quantity) - Decimal(held.quantity),
            sets_cost=told.get("position_cost") is not None,
            closed=held.realized_profit if kind is EventType.ROLL else Decimal(0),
        )
    )
    events = book.events[change.trader]
    events.append(
        OrderEvent.model_validate(
            {
                "trader": change.trader,
                "sequence": len(events) + 1,
                "type": kind,
                "ts_ns": change.ts_ns,
                "symbol": change.symbol,
                "request_id": change.request_id,
                "position_quantity": quantity,
                "position_change": quantity - held.quantity,
                "multiplier": position.multiplier,
                **told,
            }
        )
    )
    answer = Answer(applied=True, sequence=len(events), position=position)
    book.requests[change.trader, change.request_id] = content, answer
    return answer


def _after_split(held: Decimal | int, split: Split) -> Decimal | int:
    """Return what a split makes of a quantity. Raises InexactSplit."""
    made = Fraction(held) * Fraction(split.new) / Fraction(split.old)
    if split.quantity is None:
        if 10**18 % made.denominator != 0:
            raise InexactSplit
        return Decimal(made.numerator) / made.denominator
    if split.quantity * held < 0 or (split.quantity and not held):
        raise InexactSplit
    return split.quantity
