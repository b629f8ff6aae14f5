"""Bust and correct executions in a book in plain Python."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models import Bust, Correct, EventType, OrderStatus, Side
from slotbook.models.errors import AmountOverflow, ExecutionNotFound, Overfill
from slotbook.models.fees import Fees

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
        return Answer(applied=False, sequence=0, order=order, position=held)
    assert held is not None
    taken_back = entry.details[entry.reports.get(root, root)][-1][0]
    more = after[0] - before[0]
    taken, added = (paid_for(book, order, *one) for one in (before, after))
    amount = added - taken
    filled = order.filled_quantity + more
    if more > 0 and filled > order.quantity:
        raise Overfill
    buys = order.side is Side.BUY
    given = details_of(request) if isinstance(request, Correct) else {}
    gone, arrived = arriving(before[0], taken_back, order.side), arriving(after[0], given, order.side)
    moved = {
        "quantity": held.quantity + (arrived - gone if buys else -more),
        "bought_quantity": held.bought_quantity + (more if buys else 0),
        "sold_quantity": held.sold_quantity + (0 if buys else more),
        "bought_notional": held.bought_notional + (amount if buys else 0),
        "sold_notional": held.sold_notional + (0 if buys else amount),
        "version": held.version + 1,
        "updated_ns": request.ts_ns,
    }
    notional = order.filled_notional + amount
    sign = 1 if buys else -1
    fees = Fees(charge(held.fees, taken_back, given))
    path = book.paths[request.trader, order.symbol]
    named, counts = (order.order_id, root), (sign * arrived, Decimal(sign * added))
    leg = Leg(held.model_copy(update={**moved, "fees": fees}), named, *counts, is_revision=True)
    anew = folded_anew(path, leg)
    leg.is_approximate = anew is None
    if anew is not None:
        moved |= anew
    else:
        moved |= cost_after_trade(held, -sign * gone, -sign * taken)
        if after[0]:
            between = held.model_copy(update={**moved, "quantity": held.quantity - sign * gone})
            moved |= cost_after_trade(between, sign * arrived, sign * added)
    if abs(moved["quantity"]) >= MOST or max(abs(moved["bought_quantity"]), abs(moved["sold_quantity"])) >= MOST_TRADED:
        raise AmountOverflow
    amounts = (moved[name] for name in ("bought_notional", "sold_notional", "open_cost", "realized_profit"))
    if max(*map(abs, amounts), abs(notional)) >= MOST_MONEY:
        raise AmountOverflow
    status = order.status
    if status in OPEN or status is OrderStatus.FILLED:
        status = shown_status(order.model_copy(update={"filled_quantity": filled}), entry.marks, entry.pending)
    position = book.positions[request.trader, order.symbol] = held.model_copy(update={**moved, "fees": fees})
    leg.after = position
    path.append(leg)
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
        cost_basis="approximate" if anew is None else None,
    )
    basis = "approximate" if anew is None else "exact"
    answer = Answer(applied=True, sequence=sequence, order=entry.now, position=position, cost_basis=basis)
    entry.fills[request.exec_id] = content, answer
    entry.roots[request.exec_id], entry.live[root] = root, after
    entry.reports[root] = request.exec_id
    if isinstance(request, Correct):
        remember(entry, request, answer)
    return answer
