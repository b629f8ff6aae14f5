"""Decide which changes a venue's report asks for, given the order as it is. This module does no I/O.

Reports come late, twice and out of order. So each kind has a rule for what it may still change; where it may not, the
order stays, and the result says what the report says otherwise. docs/how-to/reports.md has the rules for readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from ....models.enums import ExecType, OrderStatus, OrderType, TimeInForce
from ....models.errors import OrderMismatch
from ....models.execution_changes import Bust, Correct
from ....models.execution_report import ExecutionReport
from ....models.fill import Fill
from ....models.fill_details import DETAILS
from ....models.names import derived_id
from ....models.order import Order
from ....models.order_reports import Restate
from ....models.record import Record, checked
from ...changes.recorded import ALIAS
from ..verbs import ORDER_VERBS, PLACE, OrderRequest

OrderT = TypeVar("OrderT", bound=Order)
R = TypeVar("R", bound=Record)

_VERBS = {
    ExecType[verb.event.value]: verb
    for verb in ORDER_VERBS
    if verb is not PLACE and verb.event is not None and verb.event.value in ExecType.__members__
}
"""The verb that each kind of report stands for, which has an event of the same name."""
_ENDS = {kind: OrderStatus[kind.value] for kind, verb in _VERBS.items() if verb.step == "close"}
"""The reports that end an order, and the status that it has then."""
_SAYS_NO_TERMS = frozenset(
    {
        *(ExecType.REPLACED, ExecType.RESTATED, ExecType.REJECTED),
        *(ExecType.PENDING_NEW, ExecType.ORDER_STATUS, ExecType.TRIGGERED),
    }
)
"""The kinds of reports that change the quantity themselves, or that change nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """An order as it is when a report of it arrives, and what is remembered with it."""

    order: Order | None
    """The order; None when there is none."""
    execution: bool = False
    """True when an execution with the report's exec_id is remembered."""
    change: bool = False
    """True when another report with its exec_id is remembered."""
    terms: bool = False
    """True when a change of the quantity by that report is remembered."""
    named: bool = False
    """True when the request that it names is remembered: it is pending, or was answered."""


def entries_of(report: ExecutionReport) -> tuple[str, str, str, str]:
    """Return the names under which an order remembers a report: see the fields of :class:`Known`, in their order."""
    return (
        f"fill:{report.exec_id}",
        f"request:{derived_id('report', report.exec_id)}",
        f"request:{derived_id('terms', report.exec_id)}",
        ALIAS + (report.client_order_id or ""),
    )


def check_instrument(report: ExecutionReport, order: Order) -> None:
    """Raise OrderMismatch for a report of another symbol or side than its order's."""
    if (report.symbol, report.side) != (order.symbol, order.side):
        said = f"{report.side} {report.symbol}"
        raise OrderMismatch(f"{described(report)}: it says {said}, but the order is {order.side} {order.symbol}")


def described(report: ExecutionReport) -> str:
    """Return the name of a report, which its errors begin with."""
    return f"report {report.exec_id} ({report.exec_type}) of {report.trader}/{report.order_id}"


def fill_of(report: ExecutionReport) -> Fill:
    """Return the fill that a TRADE reports."""
    return checked(
        Fill,
        trader=report.trader,
        order_id=report.order_id,
        exec_id=report.exec_id,
        quantity=report.last_quantity,
        price=report.last_price,
        symbol=report.symbol,
        side=report.side,
        ts_ns=report.ts_ns,
        **_details(report),
    )


def changes_of(report: ExecutionReport, known: Known, order: Order) -> list[OrderRequest]:
    """Return the changes that a report asks for, in their order; none when it has nothing that the order can take."""
    is_repeat = known.execution or known.change or known.terms
    wants_terms = known.terms if is_repeat else _wants_terms(report, order)
    changed = _with_terms(report, order) if wants_terms else order
    main = _main(report, known, changed, is_repeat=known.execution or known.change)
    return ([_terms(report)] if wants_terms else []) + ([main] if main is not None else [])


def opening(report: ExecutionReport, model: type[OrderT]) -> OrderT:
    """Return the order that a report is about, as it was before it, to be placed. Raises InvalidArgument.

    What it had filled before is not known, and is not guessed: the result has the difference.
    """
    kind = report.type
    if kind is None and report.stop_price is not None:
        kind = OrderType.STOP if report.price is None else OrderType.STOP_LIMIT
    elif kind is None:
        kind = OrderType.MARKET if report.price is None else OrderType.LIMIT
    return checked(
        model,
        trader=report.trader,
        order_id=report.order_id,
        symbol=report.symbol,
        side=report.side,
        type=kind,
        time_in_force=report.time_in_force or TimeInForce.DAY,
        quantity=report.quantity,
        price=report.price if kind.takes_price else None,
        stop_price=report.stop_price if kind.takes_stop_price else None,
        account=report.account,
        expire_at=report.expire_at,
        status=OrderStatus.PENDING_NEW if report.status is OrderStatus.PENDING_NEW else OrderStatus.NEW,
        text=report.text,
        ts_ns=report.ts_ns,
    )


def _main(report: ExecutionReport, known: Known, order: Order, *, is_repeat: bool) -> OrderRequest | None:
    """Return the change that a report is, None when the order cannot take it any more, or has it already."""
    kind = report.exec_type
    if kind.has_execution or kind.revises:
        return _execution(report)
    rule = _RULES.get(kind)
    return _request(report, order) if rule is not None and (is_repeat or rule(report, known, order)) else None


def _execution(report: ExecutionReport) -> Fill | Bust | Correct:
    if report.exec_type is ExecType.TRADE:
        return fill_of(report)
    ids = {"exec_id": report.exec_id, "exec_ref_id": report.exec_ref_id}
    if report.exec_type is ExecType.TRADE_CANCEL:
        return _made(Bust, report, **ids)
    return _made(Correct, report, **ids, quantity=report.last_quantity, price=report.last_price, **_details(report))


def _request(report: ExecutionReport, order: Order) -> OrderRequest:
    """Return the change that a report is which is no execution. A repeat of the report has to make the same one."""
    kind, more = report.exec_type, dict[str, object]()
    match kind:
        case ExecType.NEW:
            # Nothing else holds beside PENDING_NEW but a pending request, before which the standard shows NEW.
            more = {"status": OrderStatus.NEW if report.status is OrderStatus.NEW else None}
        case ExecType.REPLACED:
            more = {**_ids(report), **_new_terms(report, order)}
        case ExecType.RESTATED:
            more = _new_terms(report, order)
        case ExecType.PENDING_CANCEL | ExecType.PENDING_REPLACE:
            more = _ids(report)
        case ExecType.STOPPED:
            more = {"quantity": report.last_quantity or None, "price": report.last_price}
        case _ if kind in _ENDS:
            more = {"client_order_id": report.client_order_id}
        case _:
            pass
    more |= {"request_id": derived_id("report", report.exec_id), "venue_order_id": report.venue_order_id}
    request = cast("type[OrderRequest]", _VERBS[kind].request)
    return _made(request, report, reason=report.reason, **more)


def _made(request: type[R], report: ExecutionReport, **more: object) -> R:
    """Return a request about the order of a report."""
    return checked(
        request,
        trader=report.trader,
        order_id=report.order_id,
        ts_ns=report.ts_ns,
        text=report.text,
        symbol=report.symbol,
        side=report.side,
        **more,
    )


def _details(report: ExecutionReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in DETAILS}


def _ids(report: ExecutionReport) -> dict[str, object]:
    return {
        "client_order_id": report.client_order_id,
        "original_client_order_id": report.original_client_order_id,
    }


def _new_terms(report: ExecutionReport, order: Order) -> dict[str, object]:
    """Return what a report says of quantity and prices, as far as an order of this type has them."""
    return {
        "quantity": report.quantity or None,
        "price": report.price if order.type.takes_price else None,
        "stop_price": report.stop_price if order.type.takes_stop_price else None,
    }


def _terms(report: ExecutionReport) -> Restate:
    """Return the change of the quantity to what a report says of it."""
    request_id = derived_id("terms", report.exec_id)
    return _made(Restate, report, request_id=request_id, reason=None, quantity=report.quantity)


def _with_terms(report: ExecutionReport, order: Order) -> Order:
    """Return an order with the quantity that a report says of it, which is more than is filled."""
    status = OrderStatus.PARTIALLY_FILLED if order.status is OrderStatus.FILLED else order.status
    return order.model_copy(update={"quantity": report.quantity, "status": status})


def _has_ended(order: Order) -> bool:
    return not order.status.is_open and order.status is not OrderStatus.FILLED


def _marks(order: Order) -> list[str]:
    return (order.marks or "").split()


def _is_older(report: ExecutionReport, order: Order) -> bool:
    """Return True for a report that says a time before that of the order's last change.

    A request that waits for its answer is no such change: it was sent by the desk's clock, and has changed no terms.
    """
    last = order.updated_ns  # the desk's clock has placed it, maybe
    if last is None or "ts_ns" not in report.model_fields_set:
        return False
    return report.ts_ns < last and all(last != request.ts_ns for request in order.pending_requests)


def _is_of_this_version(name: str | None, order: Order) -> bool:
    """Return True unless an id names the order by what it was before a replace.

    Before the first replace that has said an id, what the sender calls the order is not known.
    """
    if name is None or order.client_order_id is None or name == order.client_order_id:
        return True
    return any(name == request.client_order_id for request in order.pending_requests)


def _wants_terms(report: ExecutionReport, order: Order) -> bool:
    """Return True for a report that says another quantity than its order has, and is not one from before."""
    kind, quantity = report.exec_type, report.quantity
    if not quantity or quantity == order.quantity or kind in _SAYS_NO_TERMS:
        return False
    can_be_another = not _has_ended(order) and not {"DONE_FOR_DAY", "SUSPENDED"} & set(_marks(order))
    if kind is ExecType.NEW:
        can_be_another = can_be_another and (order.version == 1 or "PENDING_NEW" in _marks(order))
    name = report.original_client_order_id or report.client_order_id
    if not can_be_another or _is_older(report, order) or not _is_of_this_version(name, order):
        return False
    filled = order.filled_quantity
    if kind.revises:
        return quantity >= filled  # what it reverses is known to the server alone
    if kind is ExecType.TRADE:
        filled += report.last_quantity or 0
    is_enough = quantity >= filled if kind is ExecType.TRADE else quantity > filled
    return is_enough and report.cumulative_quantity in (None, filled)


def _can_be_accepted(_report: ExecutionReport, _known: Known, order: Order) -> bool:
    return order.status.is_open and order.filled_quantity < order.quantity and "PENDING_NEW" in _marks(order)


def _can_be_replaced(report: ExecutionReport, known: Known, order: Order) -> bool:
    terms = _new_terms(report, order)
    if _has_ended(order) or not any(value is not None for value in terms.values()):
        return False
    if order.status is OrderStatus.FILLED and (report.quantity or 0) <= order.filled_quantity:
        return False
    if _was_answered(report, known, order):
        return False
    return not _is_older(report, order) and _is_of_this_version(report.original_client_order_id, order)


def _can_be_restated(report: ExecutionReport, _known: Known, order: Order) -> bool:
    if _is_older(report, order):
        return False
    if order.status is OrderStatus.FILLED:
        return (report.quantity or 0) > order.filled_quantity
    return order.status.is_open or order.status is OrderStatus.CALCULATED


def _is_pending(report: ExecutionReport, order: Order) -> bool:
    return any(report.client_order_id == request.client_order_id for request in order.pending_requests)


def _was_answered(report: ExecutionReport, known: Known, order: Order) -> bool:
    """Return True when the order has seen the answer to the request that a report names."""
    return known.named and not _is_pending(report, order)


def _is_asked_now(report: ExecutionReport, known: Known, order: Order) -> bool:
    """Return True for a pending request that the order does not have, and that is not answered yet."""
    return not _has_ended(order) and not _was_answered(report, known, order) and not _is_pending(report, order)


def _can_end(report: ExecutionReport, _known: Known, order: Order) -> bool:
    to = _ENDS[report.exec_type]
    if to is OrderStatus.CALCULATED:
        return order.status.is_open or order.status is OrderStatus.FILLED
    if to is OrderStatus.REJECTED and (report.status is not to or order.filled_quantity):
        return False  # what is refused is another order with its id, or there are fills
    return order.status.is_open and order.filled_quantity < order.quantity


def _can_be_marked(report: ExecutionReport, _known: Known, order: Order) -> bool:
    if not order.status.is_open or order.filled_quantity >= order.quantity or _is_older(report, order):
        return False
    return report.exec_type is ExecType.STOPPED or report.exec_type.value not in _marks(order)


_RULES: Mapping[ExecType, Callable[[ExecutionReport, Known, Order], bool]] = {
    ExecType.NEW: _can_be_accepted,
    ExecType.REPLACED: _can_be_replaced,
    ExecType.RESTATED: _can_be_restated,
    **dict.fromkeys((ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE), _is_asked_now),
    **dict.fromkeys(_ENDS, _can_end),
    **dict.fromkeys((ExecType.DONE_FOR_DAY, ExecType.STOPPED, ExecType.SUSPENDED), _can_be_marked),
}
"""By the kind of a report which is no execution: whether an order can take it that does not know it yet."""
