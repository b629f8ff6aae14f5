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

from .accounts import keep, part_of
from .accounts import told as in_event
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
    parts = [one for one in book.accounts.values() if (one.trader, one.symbol) == (change.trader, change.symbol)]
    parts.sort(key=lambda one: str(one.account))
    told: dict[str, object] = {}
    kind = EventType.POSITION
    made: list[Position] = []
    match change:
        case PositionChange(account=str(account)):
            part = part_of(book, change.trader, change.symbol, account)
            after = _set(part, change)
            if not _is_within(change, part, after):
                return Answer(applied=False, sequence=0, position=part, accepted=False)
            gained = Decimal(0) if change.cost is None else change.cost - part.open_cost
            position = _with_quantity(held, held.quantity + after.quantity - part.quantity, gained)
            told |= {"account_cost": change.cost, "position_cost_change": None if change.cost is None else gained}
            made = [after]
        case PositionChange():
            position = _set(held, change)
            if not _is_within(change, held, position):
                return Answer(applied=False, sequence=0, position=held, accepted=False)
            told["position_cost"] = change.cost
        case Split():
            kind, given = EventType.SPLIT, dict(change.accounts or {})
            made = [
                _with_quantity(one, _after_split(one.quantity, change, given.pop(str(one.account), None)))
                for one in parts
            ]
            if given:
                raise InexactSplit
            rest = held.quantity - sum(one.quantity for one in parts)
            quantity = change.quantity
            if quantity is None:
                quantity = _after_split(rest, change, None) + sum(one.quantity for one in made)
            else:
                _after_split(held.quantity, change, quantity)
            position = _with_quantity(held, quantity)
        case Roll():
            kind, told["period"] = EventType.ROLL, _period(held)
            position, made = _rolled(held), [_rolled(one) for one in parts]
    moved: dict[str, Any] = {"updated_ns": change.ts_ns}
    if isinstance(change, PositionChange):
        moved |= take_other(book, change, held)
    for one in (position, *made):
        if abs(one.quantity) >= MOST or max(abs(one.open_cost), abs(one.realized_profit)) >= MOST_MONEY:
            raise AmountOverflow
    if isinstance(change, PositionChange) and change.multiplier is not None:
        book.multipliers[change.trader, change.symbol] = change.multiplier
    book.multipliers.setdefault((change.trader, change.symbol), Decimal(1))
    position = Position.model_validate({**dict(position), **moved, "version": held.version + 1})
    same = {"updated_ns": change.ts_ns, "multiplier": position.multiplier}
    before = {one.account: one for one in parts}
    made = [one.model_copy(update={**same, "version": one.version + 1}) for one in made]
    book.positions[change.trader, change.symbol] = position
    gained = Decimal(str(told.get("position_cost_change") or 0))
    path = book.paths[change.trader, change.symbol]
    path.append(_leg(held, position, gained=gained, sets_cost=told.get("position_cost") is not None, kind=kind))
    said: dict[str, dict[str, str]] = {}
    for one in made:
        was = before.get(one.account) or part_of(book, change.trader, change.symbol, str(one.account))
        keep(book, one, _leg(was, one, sets_cost=told.get("account_cost") is not None, kind=kind))
        said[str(one.account)] = {
            "position_quantity": plain(Decimal(one.quantity)),
            "position_change": plain(Decimal(one.quantity - was.quantity)),
            **({"period": _period(was)} if kind is EventType.ROLL else {}),
            "totals": _totals(one),
        }
    if kind is not EventType.POSITION and said:
        told["accounts"] = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    elif made:
        told |= in_event(made[0])
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
                "position_quantity": position.quantity,
                "position_change": position.quantity - held.quantity,
                "multiplier": position.multiplier,
                **told,
            }
        )
    )
    is_account = kind is EventType.POSITION and bool(made)
    answer = Answer(applied=True, sequence=len(events), position=made[0] if is_account else position)
    book.requests[change.trader, change.request_id] = content, answer
    return answer


def _set(held: Position, change: PositionChange) -> Position:
    """Return a position with the quantity that is asked for, and its cost."""
    quantity = change.quantity + (held.quantity if change.action is PositionAction.ADJUST else 0)
    if change.cost is not None:
        return held.model_copy(update={"quantity": quantity, "open_cost": change.cost})
    return _with_quantity(held, quantity)


def _is_within(change: PositionChange, before: Position, after: Position) -> bool:
    """Return False for a change beyond its limit. Raises AmountOverflow, which comes first."""
    if abs(after.quantity) >= MOST:
        raise AmountOverflow
    most = change.max_position
    return most is None or abs(after.quantity) <= max(most, abs(before.quantity))


def _with_quantity(held: Position, quantity: Decimal | int, gained: Decimal = Decimal(0)) -> Position:
    """Return a position with another quantity, without a trade, whose cost has gained something."""
    cost, profit = held.open_cost, held.realized_profit
    if quantity == 0 or quantity * held.quantity < 0:  # nothing is left of what the cost was for
        cost, profit = Decimal(0), profit - cost
    if quantity == 0:
        profit -= gained
    else:
        cost += gained
    return held.model_copy(update={"quantity": quantity, "open_cost": cost, "realized_profit": profit})


def _rolled(held: Position) -> Position:
    made = _with_quantity(held, held.quantity)
    if abs(made.realized_profit) >= MOST_MONEY:
        raise AmountOverflow
    return made.model_copy(update={**dict.fromkeys(_TOTALS, Decimal(0)), "fees": Fees()})


def _period(held: Position) -> str:
    """Return what a roll says of the totals that it sets back."""
    totals = _with_quantity(held, held.quantity)
    said = {name: plain(Decimal(getattr(totals, name))) for name in _TOTALS}
    if held.fees:
        said["fees"] = _fees(held)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _fees(held: Position) -> str:
    return "{" + ",".join(f'"{one}":"{plain(held.fees[one])}"' for one in sorted(held.fees)) + "}"


def _totals(held: Position) -> str:
    names = (*_TOTALS[:4], "version", "open_cost", "realized_profit")
    words = [plain(Decimal(getattr(held, name))) for name in names]
    return " ".join([*words, *([_fees(held)] if held.fees else [])])


def _leg(before: Position, after: Position, *, gained: Decimal = Decimal(0), sets_cost: bool, kind: EventType) -> Leg:
    closed = before.realized_profit if kind is EventType.ROLL else Decimal(0)
    added = Decimal(after.quantity) - Decimal(before.quantity)
    return Leg(after, added=added, sets_cost=sets_cost, closed=closed, gained=gained)


def _after_split(held: Decimal | int, split: Split, given: Decimal | int | None) -> Decimal:
    """Return what a split makes of a quantity. Raises InexactSplit."""
    made = Fraction(held) * Fraction(split.new) / Fraction(split.old)
    if given is None:
        if 10**18 % made.denominator != 0:
            raise InexactSplit
        return Decimal(made.numerator) / made.denominator
    if given * held < 0 or (given and not held):
        raise InexactSplit
    return Decimal(given)
