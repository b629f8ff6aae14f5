"""Read the engine's answers to changes of an order: return the result, or raise the refusal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast

from ...models.cost_path import CostBasis
from ...models.enums import EventType, OrderStatus
from ...models.errors import (
    CorruptRecord,
    DuplicateOrder,
    DuplicateRequest,
    ExecutionNotFound,
    OrderClosed,
    OrderMismatch,
    Overfill,
)
from ...models.execution_changes import Bust, Correct
from ...models.fill import Fill
from ...models.numbers import EXACT, plain
from ...models.order import Cancel, Order, Replace
from ...models.position import Position
from ...models.record import copied
from ...models.report_results import ReportedChange, ReportResult
from ...models.results import FillResult, Gap, OrderResult
from ...models.wire import decode, pairs
from ...topology.call import Reply
from ..changes.account_views import view_of
from ..changes.digest import digest_of
from ..changes.recorded import order_then, position_then
from ..changes.verb import PositionMoved, Step
from ..replies import fields, fields_of, identified, integer, refusal, remembered_number, rows
from .differences import status_difference

Own = TypeVar("Own", bound=Order)


def placed(step: Step[Order], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to ``place``. Raises DuplicateOrder."""
    order = step.request
    match answer:
        case ["applied", str(sequence)]:
            return OrderResult(_as_placed(order), applied=True, sequence=integer(sequence))
        case ["repeat", stored]:
            return OrderResult(_order(step, stored), applied=False, sequence=0)
        case ["duplicate", stored]:
            other = _order(step._replace(model=Order), stored)  # it may have been placed without the class's fields
            digest = fields_of(step.own_keys[0], stored).get("digest", "")
            own = ", with other fields of its own" if digest.startswith(digest_of(order)) else ""
            raise DuplicateOrder(f"{step.name}: the id is taken by an order that was placed as {_content(other)}{own}")
        case ["taken", str(order_id)]:
            raise DuplicateOrder(f"{step.name}: the id is taken: it is another id of order {order_id}")
        case other:
            raise refusal(step.name, other)


def _as_placed(order: Order) -> Order:
    if order.status is OrderStatus.NEW:
        return copied(order, version=1)
    return copied(order, version=1, marks=order.status.value)


def filled(step: Step[Fill], answer: list[Reply]) -> FillResult:
    """Return the result in an answer to ``fill``. Raises Overfill, OrderMismatch or DuplicateRequest."""
    fill, keys = step.request, step.keys
    order_key = keys.order(fill.order_id)
    match answer:
        case ["applied", str(sequence), str(flags), order, position, *account]:
            late, over = _flags(flags)
            after = _order(step, order)
            moved = _position(step, after, fields_of(order_key, position), {})
            gap = _gap(fill, after)
            number = integer(sequence)
            held = _account_position(step, after, account[0], {}) if account else None
            return FillResult(
                *(after, moved),
                applied=True,
                late=late,
                sequence=number,
                overfilled=over,
                gap=gap,
                account_position=held,
            )
        case ["repeat", str(sequence), str(flags), order, position, str(rare), account, list(event)]:
            then, (late, over) = fields(event), _flags(flags)
            after = _order_then(step, order, rare, then)
            return FillResult(
                after,
                _position(step, after, fields_of(order_key, position), then),
                applied=False,
                late=late,
                overfilled=over,
                sequence=remembered_number(keys.applied(fill.order_id), f"fill:{fill.exec_id}", sequence),
                gap=_gap(fill, after) if then else None,  # else the order is not known as the fill left it
                account_position=_account_position(step, after, account, then),
            )
        case ["mismatch", str(side), str(symbol)]:
            raise _mismatch(step, side, symbol)
        case ["duplicate", str(content), ""]:
            raise DuplicateRequest(f"{step.name}: the exec_id was used for a report of another kind ({content})")
        case ["duplicate", str(quantity), str(price)]:
            is_other = (quantity, price) != (plain(fill.quantity), plain(fill.price))
            own = "" if is_other else ", with other fields of its own"
            raise DuplicateRequest(f"{step.name}: the exec_id was used for {quantity} at {price}{own}")
        case ["detail", str(name), str(value)]:
            raise _other_detail(step, name, value)
        case ["sells", str(side)]:
            raise OrderMismatch(f"{step.name}: a fee is taken from a quantity that is bought, and the order is {side}")
        case ["overfill", str(quantity), str(status)]:
            too_much = f"{plain(fill.quantity)} is more than the {quantity} left of the order ({status})"
            raise Overfill(f"{step.name}: {too_much}")
        case other:
            raise refusal(step.name, other)


def _flags(flags: str) -> tuple[bool, bool]:
    """Return True for a late fill, and for one past the quantity of its order. Raises ValueError for other flags."""
    late, _, over = flags.partition(" ")
    if late not in ("0", "1") or over not in ("", "over"):
        raise ValueError(flags)
    return late == "1", over == "over"


def revised(step: Step[Any], answer: list[Reply]) -> FillResult:
    """Return the result in an answer to ``bust`` or ``correct``.

    Raises ExecutionNotFound, Overfill, OrderMismatch or DuplicateRequest.
    """
    request, keys = cast("Bust | Correct", step.request), step.keys
    order_key = keys.order(request.order_id)
    match answer:
        case ["applied", str(sequence), order, position, account, *completed]:
            after = _order(step, order)
            moved = _position(step, after, fields_of(order_key, position), {})
            made = None if completed else _basis(step.basis.partition("|")[0])
            return FillResult(
                *(after, moved),
                applied=True,
                late=False,
                sequence=integer(sequence),
                cost_basis=made,
                account_position=_account_position(step, after, account, {}),
            )
        case ["repeat", str(sequence), order, position, str(rare), account, list(event)]:
            then = fields(event)
            after = _order_then(step, order, rare, then)
            moved = _position(step, after, fields_of(order_key, position), then)
            known = remembered_number(keys.applied(request.order_id), f"fill:{request.exec_id}", sequence)
            is_completing = then.get("type") == EventType.TRADE_DETAILS.value
            basis = _basis("cost_basis" not in then) if then and not is_completing else None
            held = _account_position(step, after, account, then)
            return FillResult(
                *(after, moved),
                applied=False,
                late=False,
                sequence=known,
                cost_basis=basis,
                account_position=held,
            )
        case ["outdated", order, position, account]:
            after = _order(step, order)
            moved = _position(step, after, fields_of(order_key, position), {})
            held = _account_position(step, after, account, {})
            return FillResult(after, moved, applied=False, late=False, sequence=0, account_position=held)
        case ["moved", str(version)]:
            raise PositionMoved(f"{step.name}: the position has changed meanwhile", integer(version))
        case ["unknown"]:
            raise ExecutionNotFound(f"{step.name}: the order has no execution {request.exec_ref_id}")
        case ["busted"]:
            raise ExecutionNotFound(
                f"{step.name}: execution {request.exec_ref_id} was busted, so nothing is to correct"
            )
        case ["mismatch", str(side), str(symbol)]:
            raise _mismatch(step, side, symbol)
        case ["duplicate", str(content)]:
            raise DuplicateRequest(f"{step.name}: the exec_id was used for another report ({content})")
        case ["detail", str(name), str(value)]:
            raise _other_detail(step, name, value)
        case ["sells", str(side)]:
            raise OrderMismatch(f"{step.name}: a fee is taken from a quantity that is bought, and the order is {side}")
        case ["overfill", str(quantity), str(status)]:
            raise Overfill(f"{step.name}: more than the {quantity} that the execution can have by the order ({status})")
        case other:
            raise refusal(step.name, other)


def _basis(exact: object) -> CostBasis:
    return "exact" if exact else "approximate"


def replaced(step: Step[Any], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to ``replace``. Raises OrderMismatch, and what any change may."""
    return reported(step, answer)


def reported(step: Step[Any], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to a report. Raises OrderMismatch, DuplicateRequest, and what any change may."""
    match answer:
        case ["type", str(kind), str(field)]:
            raise OrderMismatch(f"{step.name}: a {kind} order takes no {field}")
        case ["asked"]:
            client_order_id = step.request.client_order_id
            raise DuplicateRequest(f"{step.name}: client_order_id {client_order_id} asks for something else already")
        case ["several"]:
            raise OrderMismatch(f"{step.name}: several requests are pending; name the client_order_id of the one")
        case ["said", str(status)]:
            raise OrderMismatch(f"{step.name}: it says {step.request.status}, and would leave the order {status}")
        case other:
            return changed(step, other)


def request_refused(step: Step[Any], answer: list[Reply]) -> ReportResult:
    """Return the result in an answer to ``cancel_reject``, with the status that the venue says, where it differs."""
    result = reported(step, answer)
    found = status_difference(step.request, result.order)
    changes = (ReportedChange(EventType.CANCEL_REJECTED, result.sequence),)
    return ReportResult(result.order, result.applied, result.sequence, differences=found, changes=changes)


def deleted(step: Step[Any], answer: list[Reply]) -> None:
    """Return None for an order that is gone. Raises OrderClosed for an open one."""
    match answer:
        case ["deleted"]:
            return
        case ["open", str(status)]:
            raise OrderClosed(f"{step.name}: the order is {status}; cancel it first")
        case other:
            raise refusal(step.name, other)


def found(model: type[Own], key: str, trader: str, order_id: str, reply: Reply) -> Own | None:
    """Return the order of a reply to ``get``, None when there is none. Raises CorruptRecord for another order."""
    flat = rows(reply)
    if not flat:
        return None
    order = decode(model, key, pairs(cast("list[str]", flat)))
    if order.order_id != order_id or order.trader != trader:
        identified(order, key, {"trader": trader, "order_id": order_id})
    return order


def changed(step: Step[Any], answer: list[Reply]) -> OrderResult:
    """Return the result in an answer to any other change of an order. Raises OrderMismatch or DuplicateRequest."""
    request = step.request
    match answer:
        case ["applied", str(sequence), order]:
            return OrderResult(_order(step, order), applied=True, sequence=integer(sequence))
        case ["repeat", str(sequence), order, str(rare), list(event)]:
            field = f"request:{request.request_id}"
            known = remembered_number(step.keys.applied(request.order_id), field, sequence)
            return OrderResult(_order_then(step, order, rare, fields(event)), applied=False, sequence=known)
        case ["outdated", order]:
            return OrderResult(_order(step, order), applied=False, sequence=0)
        case ["mismatch", str(side), str(symbol)]:
            raise _mismatch(step, side, symbol)
        case ["duplicate"]:
            raise DuplicateRequest(f"{step.name}: the request_id was used for another change of this order")
        case other:
            raise refusal(step.name, other)


def _order(step: Step[Any], written: Reply) -> Order:
    """Return the order of a step, from the text in which the engine answers it."""
    order_id, now = _answered(step, written)
    key = step.keys.order(order_id)
    return identified(decode(step.model, key, now), key, {"trader": step.keys.trader, "order_id": order_id})


def _order_then(step: Step[Any], written: Reply, rare: str, event: Mapping[str, str]) -> Order:
    """Return the order of a step as a change left it, whose event this is."""
    order_id, now = _answered(step, written)
    key = step.keys.order(order_id)
    then = decode(step.model, key, order_then(key, now, rare, event))
    return identified(then, key, {"trader": step.keys.trader, "order_id": order_id})


def _answered(step: Step[Any], written: Reply) -> tuple[str, dict[str, str]]:
    """Return the id and the fields of the order that the engine answers.

    Where it was asked for by another id than its own, the engine says which one that was.
    """
    wanted = cast("str", step.request.order_id)
    now = fields_of(step.keys.order(wanted), written)
    asked = now.pop("asked", None)
    if asked is None:
        return wanted, now
    if asked != wanted:
        raise CorruptRecord(step.keys.alias(wanted), "asked", f"{asked!r} is not {wanted!r}: it is another's answer")
    return now.get("order_id", "?"), now


def _position(step: Step[Any], order: Order, now: Mapping[str, str], event: Mapping[str, str]) -> Position:
    """Return the position that a fill has moved, as its event left it; as it is now without an event."""
    key = step.keys.position(order.symbol)
    found = decode(Position, key, position_then(key, now, event))
    return identified(found, key, {"trader": order.trader, "symbol": order.symbol})


def _account_position(step: Step[Any], order: Order, now: Reply, event: Mapping[str, str]) -> Position | None:
    """Return the position of an order's account that a fill has moved, likewise; None for an order without one."""
    if now == "" or order.account is None:
        return None
    key = step.keys.account_position(order.account, order.symbol)
    then = view_of(step.keys.events, event, order.account)
    found = decode(Position, key, position_then(key, fields_of(key, now), then))
    return identified(found, key, {"trader": order.trader, "symbol": order.symbol, "account": order.account})


def _mismatch(step: Step[Any], side: str, symbol: str) -> OrderMismatch:
    request = cast("Fill | Replace | Cancel", step.request)
    said = " ".join(str(value) for value in (request.side, request.symbol) if value is not None)
    return OrderMismatch(f"{step.name}: it says {said}, but the order is {side} {symbol}")


def _other_detail(step: Step[Any], name: str, value: str) -> DuplicateRequest:
    """Return the refusal of a repeat that says otherwise what is known: it may add what was absent, and no more."""
    if name == "fee_from_quantity":
        return DuplicateRequest(
            f"{step.name}: the exec_id was used without a fee_from_quantity, which would move the position; "
            "correct the execution instead"
        )
    value = value or "of the prices"
    return DuplicateRequest(f"{step.name}: the exec_id was used with the {name} {value}; correct the execution instead")


def _gap(fill: Fill, order: Order) -> Gap | None:
    """Return what a fill says otherwise of the quantities of its order after it, None when it contradicts nothing."""
    stated, left = fill.cumulative_quantity, fill.open_quantity
    filled_gap = Decimal(0) if stated is None else EXACT.subtract(stated, order.filled_quantity)
    open_gap = Decimal(0) if left is None else EXACT.subtract(left, order.open_quantity)
    return Gap(filled_gap, open_gap) if filled_gap or open_gap else None


def _content(order: Order) -> str:
    quantity, price = order.quantity, order.price
    if order.placed_quantity is not None:
        quantity, price = order.placed_quantity, order.placed_price
    limit = "" if price is None else f" at {plain(price)}"
    return f"{order.side} {plain(quantity or 0)} {order.symbol} {order.type}{limit}"
