"""Bust and correct executions in a book in plain Python."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from slotbook.models import Bust, Correct, EventType, OrderStatus, Position, Side
from slotbook.models.errors import AmountOverflow, ExecutionNotFound, Overfill
from slotbook.models.fees import Fees

from .accounts import keep, part_of_order, told
from .costs import cost_after_trade
from .details import arriving, charge, complete, details_of, remember, written
from .multipliers import paid_for
from .paths import Leg, folded_anew
from .state import MOST, MOST_MONEY, MOST_TRADED, OPEN, Answer, Entry, State, again, shown_status


def revise(book: State, request: Bust | Correct, entry: Entry) -> Answer:
    order, held = entry.now, book.positions.get((request.trader, entry.now.symbol))
    book.check_names(request, entry)
    root = entry.roots.get(request.exec_ref_id, request.exec_ref_id)
    after = (request.quantity, request.price) if isinstance(request, Correct) else (0, Decimal(0))
    content = (type(request), root, *after)
    if request.exec_id in entry.fills:
        answer = again(entry.fills[request.exec_id], content)
        return answer if isinstance(request, Bust) else complete(book, request, entry)
    if root not in entry.live:
        raise ExecutionNotFound
    before = entry.live[root]
    if not before[0]:
        if isinstance(request, Correct):
            raise ExecutionNotFound
        part = part_of_order(book, order)
        return Answer(applied=False, sequence=0, order=order, position=held, account_position=part)
    assert held is not None
    taken_back = entry.details[entry.reports.get(root, root)][-1][0]
    more = after[0] - before[0]
    taken, added = (paid_for(book, order, *one) for one in (before, after))
    amount = added - taken
    filled = order.filled_quantity + more
    if more > 0 and filled > order.quantity:
        raise Overfill
    sign = 1 if order.side is Side.BUY else -1
    notional = order.filled_notional + amount
    if abs(notional) >= MOST_MONEY:
        raise AmountOverflow
    given = details_of(request) if isinstance(request, Correct) else {}
    named = order.order_id, root
    gone, arrived = arriving(before[0], taken_back, order.side), arriving(after[0], given, order.side)

    def revised(one: Position, path: list[Leg]) -> tuple[Position, Leg]:
        fees = Fees(charge(one.fees, taken_back, given))
        return _revised(one, path, named, sign, more, (gone, taken), (arrived, added), fees, request.ts_ns)

    position, leg = revised(held, book.paths[request.trader, order.symbol])
    part, part_leg = part_of_order(book, order), None
    if part is not None:
        part, part_leg = revised(part, book.account_paths[request.trader, order.symbol, order.account or ""])
        part = part.model_copy(update={"multiplier": held.multiplier})
    status = order.status
    if status in OPEN or status is OrderStatus.FILLED:
        status = shown_status(order.model_copy(update={"filled_quantity": filled}), entry.marks, entry.pending)
    book.positions[request.trader, order.symbol] = position
    book.paths[request.trader, order.symbol].append(leg)
    keep(book, part, part_leg)
    entry.now = order.model_copy(
        update={
            "status": status,
            "filled_quantity": filled,
            "filled_notional": notional,
            "text": request.text,
            "version": order.version + 1,
            "updated_ns": request.ts_ns,
        }
    )
    is_bust = isinstance(request, Bust)
    book.take_names(request, entry)
    sequence = book.append_event(
        EventType.TRADE_CANCEL if is_bust else EventType.TRADE_CORRECT,
        entry.now,
        request.ts_ns,
        exec_id=request.exec_id,
        exec_ref_id=request.exec_ref_id,
        last_quantity=None if is_bust else after[0],
        last_price=None if is_bust else after[1],
        reversed_quantity=before[0],
        reversed_price=before[1],
        venue_order_id=request.venue_order_id,
        position_quantity=position.quantity,
        multiplier=order.multiplier,
        text=request.text,
        details=written(details_of(request)) if isinstance(request, Correct) else None,
        reversed_details=written(taken_back),
        cost_basis="approximate" if leg.is_approximate else None,
        account_cost_basis="approximate" if part_leg is not None and part_leg.is_approximate else None,
        **told(part),
    )
    basis = "approximate" if leg.is_approximate else "exact"
    made = Answer(applied=True, sequence=sequence, order=entry.now, position=position, account_position=part)
    answer = replace(made, cost_basis=basis)
    entry.fills[request.exec_id] = content, answer
    entry.roots[request.exec_id], entry.live[root] = root, after
    entry.reports[root] = request.exec_id
    if isinstance(request, Correct):
        remember(entry, request, answer)
    return answer


def _revised(
    held: Position,
    path: list[Leg],
    named: tuple[str, str],
    sign: int,
    more: Decimal | int,
    before: tuple[Decimal | int, Decimal],
    after: tuple[Decimal | int, Decimal],
    fees: Fees,
    ts_ns: int,
) -> tuple[Position, Leg]:
    """Return a position after a revision, given what had arrived before and what does now. Raises AmountOverflow."""
    amount = after[1] - before[1]
    side, paid = ("bought_quantity", "bought_notional") if sign > 0 else ("sold_quantity", "sold_notional")
    moved: dict[str, Any] = {
        "quantity": held.quantity + sign * (after[0] - before[0]),
        side: getattr(held, side) + more,
        paid: getattr(held, paid) + amount,
        "version": held.version + 1,
        "updated_ns": ts_ns,
        "fees": fees,
    }
    leg = Leg(
        held.model_copy(update=moved), named, Decimal(sign * after[0]), Decimal(sign * after[1]), is_revision=True
    )
    anew = folded_anew(path, leg)
    leg.is_approximate = anew is None
    if anew is not None:
        moved |= anew
    else:
        moved |= cost_after_trade(held, -sign * before[0], -sign * before[1])
        if after[0]:
            between = held.model_copy(update={**moved, "quantity": held.quantity - sign * before[0]})
            moved |= cost_after_trade(between, sign * after[0], sign * after[1])
    if abs(moved["quantity"]) >= MOST or abs(moved[side]) >= MOST_TRADED:
        raise AmountOverflow
    if any(abs(moved[name]) >= MOST_MONEY for name in (paid, "open_cost", "realized_profit")):
        raise AmountOverflow
    leg.after = held.model_copy(update=moved)
    return leg.after, leg
