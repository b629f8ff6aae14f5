"""List the verbs that change an order, with one row for each.

From the rows derive the calls (:class:`~slotbook.repositories.orders.calls.OrderCalls`), the checks of what callers
pass, and the lists of verbs in the tests. A new verb needs a request in ``models/order.py``, a step of the engine in
``changes/lua/``, a row here, and a method of the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ...models.enums import EventType, OrderStatus
from ...models.errors import InvalidArgument
from ...models.execution_changes import Bust, Correct
from ...models.fill import Fill
from ...models.keys import TraderKeys
from ...models.numbers import plain
from ...models.order import Calculate, Cancel, Expire, Order, Reject, Replace
from ...models.order_reports import (
    Accept,
    CancelReject,
    DoneForDay,
    PendingCancel,
    PendingReplace,
    Reporting,
    Restate,
    Stop,
    Suspend,
)
from ...models.results import FillResult, OrderResult
from ...models.types import check_name
from ...models.wire import text
from ..changes.digest import digest_of_texts, digest_of_words, optional
from ..changes.verb import AnyVerb, ReadAnswer, Verb
from .naming import keys_of, keys_of_execution, keys_with_ids, stated, stated_by
from .replies import deleted, filled, placed, replaced, reported, request_refused, revised

OrderRequest: TypeAlias = (
    Order | Replace | Restate | Cancel | Reject | Expire | Calculate | Fill | Bust | Correct | Reporting
)
"""Any request that changes an order: the requests of ORDER_VERBS, written out for type checkers."""
Closing: TypeAlias = Cancel | Reject | Expire | Calculate
"""A request that ends an order."""
Changing: TypeAlias = Replace | Restate | Reporting | Closing | Fill | Bust | Correct
"""A request about an order that is there."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A request to remove a terminal order; it is no change of the book, and writes no event."""

    trader: str
    order_id: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "trader", check_name("trader", self.trader))
        object.__setattr__(self, "order_id", check_name("order_id", self.order_id))


def _named(name: str) -> Callable[[OrderRequest | Deletion], str]:
    """Return a function that describes a request by the verb and the order."""
    return lambda request: f"{name} {request.trader}/{request.order_id}"


def _optional(value: object) -> str:
    return "" if value is None else text(value)


_NOTHING_LATER: tuple[object, ...] = (None,) * 10
_FIRST = (OrderStatus.NEW, OrderStatus.PENDING_NEW)


def _check_new(order: Order) -> None:
    placed_as = (order.placed_quantity, order.placed_price, order.placed_stop_price)
    ids = (order.client_order_id, order.venue_order_id, order.aliases)
    later = (*placed_as, order.revision, order.updated_ns, *ids, order.marks, order.pending)
    is_filled = order.filled_quantity or order.filled_notional
    if order.status not in _FIRST or is_filled or order.version or later != _NOTHING_LATER:
        raise InvalidArgument(
            f"place {order.trader}/{order.order_id}: the order is not new (status {order.status}, filled "
            f"{plain(order.filled_quantity)}, version {order.version}); "
            "place what was ordered, then apply what happened"
        )


def _place_keys(keys: TraderKeys, order: Order) -> tuple[str, ...]:
    found = keys.order(order.order_id), keys.position(order.symbol), keys.alias(order.order_id)
    if order.account is None:
        return found
    return (*found, keys.account_position(order.account, order.symbol), keys.account_positions)


def _place_arguments(order: Order) -> tuple[str, ...]:
    quantity, price, stop_price = plain(order.quantity), optional(order.price), optional(order.stop_price)
    reference, terms = optional(order.reference_price), order.terms
    return (
        order.order_id,
        order.symbol,
        order.side,
        order.type,
        order.time_in_force,
        quantity,
        price,
        stop_price,
        order.text or "",
        str(order.ts_ns),
        digest_of_texts(order, quantity, price, stop_price, reference, terms),
        reference,
        terms,
        order.status,
    )


def _fill_arguments(fill: Fill) -> tuple[str, ...]:
    return (
        fill.order_id,
        fill.exec_id,
        plain(fill.quantity),
        plain(fill.price),
        plain(fill.notional),
        str(fill.ts_ns),
        stated_by(fill),
        f"!{fill.details}" if fill.overfill == "record" else fill.details,
    )


def _more(*words: str | None) -> str:
    """Return a digest of what a request may say beside, "" when it says nothing."""
    return digest_of_words(words) if any(words) else ""


def _replace_arguments(event: EventType, request: Replace | Restate) -> tuple[str, ...]:
    client_id = original_id = revision = None
    if isinstance(request, Replace):
        client_id, original_id = request.client_order_id, request.original_client_order_id
        revision = request.revision
    return (
        event.value,
        request.order_id,
        request.request_id,
        _optional(request.quantity),
        _optional(request.price),
        _optional(request.stop_price),
        _optional(revision),
        str(request.ts_ns),
        request.text or "",
        stated(request),
        _more(client_id, original_id, request.reason, request.venue_order_id),
        client_id or "",
        original_id or "",
        request.reason or "",
        request.venue_order_id or "",
    )


def _report_arguments(event: EventType, request: Reporting) -> tuple[str, ...]:
    said = [
        _optional(getattr(request, name, None))
        for name in (
            *("client_order_id", "original_client_order_id", "reason", "status"),
            *("quantity", "price", "stop_price", "venue_order_id"),
        )
    ]
    return (
        event.value,
        request.order_id,
        request.request_id,
        str(request.ts_ns),
        request.text or "",
        stated(request),
        digest_of_words(said),
        *said,
    )


def _reporting(
    name: str,
    request: type[Reporting],
    event: EventType,
    read_answer: ReadAnswer[Reporting, OrderResult] = reported,
) -> Verb[Reporting, OrderResult]:
    """Return the row of a verb that records what is said of an order."""
    return Verb(
        name=name,
        request=request,
        event=event,
        step="report",
        keys=keys_with_ids,
        arguments=partial(_report_arguments, event),
        read_answer=read_answer,
        describe=_named(name),
    )


def _revise_arguments(request: Bust | Correct) -> tuple[str, ...]:
    event, terms, details = EventType.TRADE_CANCEL, ("", "", ""), ""
    if isinstance(request, Correct):
        details = request.details
        event, terms = EventType.TRADE_CORRECT, (text(request.quantity), plain(request.price), plain(request.notional))
    return (
        event.value,
        request.order_id,
        request.exec_id,
        request.exec_ref_id,
        *terms,
        str(request.ts_ns),
        request.text or "",
        stated_by(request),
        details,
    )


def _revising(name: str, request: type[Bust | Correct], event: EventType) -> Verb[Bust | Correct, FillResult]:
    """Return the row of a verb that takes an execution back or corrects it."""
    return Verb(
        name=name,
        request=request,
        event=event,
        step="revise",
        keys=keys_of_execution,
        arguments=_revise_arguments,
        read_answer=revised,
        describe=lambda given: f"{name} {given.exec_id} for {given.exec_ref_id} of {given.trader}/{given.order_id}",
        folds_cost=True,
    )


def _closing(name: str, request: type[Closing], event: EventType) -> Verb[Closing, OrderResult]:
    """Return the row of a verb that ends an order, with the status of the same name as its event."""
    return Verb(
        name=name,
        request=request,
        event=event,
        step="close",
        keys=keys_with_ids,
        arguments=lambda given: (
            event.value,
            given.order_id,
            given.request_id,
            str(given.ts_ns),
            given.text or "",
            stated(given),
            _more(given.client_order_id, given.reason, given.venue_order_id),
            given.client_order_id or "",
            given.reason or "",
            given.venue_order_id or "",
        ),
        read_answer=reported,
        describe=_named(name),
    )


PLACE = Verb(
    name="place",
    request=Order,
    event=EventType.NEW,
    step="place",
    keys=_place_keys,
    arguments=_place_arguments,
    read_answer=placed,
    describe=_named("place"),
    check=_check_new,
    has_own=True,
)
REPLACE = Verb(
    name="replace",
    request=Replace,
    event=EventType.REPLACED,
    step="replace",
    keys=keys_with_ids,
    arguments=partial(_replace_arguments, EventType.REPLACED),
    read_answer=replaced,
    describe=lambda request: f"replace {request.request_id} of {request.trader}/{request.order_id}",
)
CANCEL = _closing("cancel", Cancel, EventType.CANCELED)
REJECT = _closing("reject", Reject, EventType.REJECTED)
EXPIRE = _closing("expire", Expire, EventType.EXPIRED)
CALCULATE = _closing("calculate", Calculate, EventType.CALCULATED)
RESTATE = Verb(
    name="restate",
    request=Restate,
    event=EventType.RESTATED,
    step="replace",
    keys=keys_with_ids,
    arguments=partial(_replace_arguments, EventType.RESTATED),
    read_answer=replaced,
    describe=_named("restate"),
)
ACCEPT = _reporting("accept", Accept, EventType.NEW)
PENDING_CANCEL = _reporting("pending_cancel", PendingCancel, EventType.PENDING_CANCEL)
PENDING_REPLACE = _reporting("pending_replace", PendingReplace, EventType.PENDING_REPLACE)
CANCEL_REJECT = _reporting("cancel_reject", CancelReject, EventType.CANCEL_REJECTED, request_refused)
DONE_FOR_DAY = _reporting("done_for_day", DoneForDay, EventType.DONE_FOR_DAY)
STOP = _reporting("stop", Stop, EventType.STOPPED)
SUSPEND = _reporting("suspend", Suspend, EventType.SUSPENDED)
FILL = Verb(
    name="fill",
    request=Fill,
    event=EventType.TRADE,
    step="fill",
    keys=keys_of_execution,
    arguments=_fill_arguments,
    read_answer=filled,
    describe=lambda fill: f"fill {fill.exec_id} of {fill.trader}/{fill.order_id}",
    has_own=True,
)
BUST = _revising("bust", Bust, EventType.TRADE_CANCEL)
CORRECT = _revising("correct", Correct, EventType.TRADE_CORRECT)
DELETE = Verb(
    name="delete",
    request=Deletion,
    event=None,
    step="delete",
    keys=keys_of,
    arguments=lambda request: (request.order_id,),
    read_answer=deleted,
    describe=_named("delete"),
)

ORDER_VERBS: tuple[AnyVerb, ...] = (
    *(PLACE, REPLACE, CANCEL, REJECT, EXPIRE, FILL, BUST, CORRECT),
    *(ACCEPT, PENDING_CANCEL, PENDING_REPLACE, CANCEL_REJECT, DONE_FOR_DAY, STOP, SUSPEND, RESTATE, CALCULATE),
)
"""Every verb that changes an order."""
