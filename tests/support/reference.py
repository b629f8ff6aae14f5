"""A book in plain Python, without a server: the oracle that the store is compared with, written by hand on purpose."""

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from slotbook.models import (
    Cancel,
    EventType,
    Expire,
    Fill,
    Order,
    OrderEvent,
    OrderStatus,
    Position,
    PositionAction,
    PositionChange,
    Reject,
    Replace,
    Side,
)
from slotbook.models.errors import (
    AmountOverflow,
    DuplicateOrder,
    DuplicateRequest,
    OrderClosed,
    OrderMismatch,
    OrderNotFound,
    Overfill,
    Refused,
    SlotbookError,
    VersionConflict,
)
from slotbook.models.guards import Expect

Request: TypeAlias = Order | Fill | Replace | Cancel | Reject | Expire | PositionChange
Key: TypeAlias = tuple[str, str]

MOST = 2**53 - 1
MOST_MONEY = Decimal(10) ** 30
MOST_TRADED = 10**20
OPEN = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
ENDS = {Cancel: OrderStatus.CANCELED, Reject: OrderStatus.REJECTED, Expire: OrderStatus.EXPIRED}


@dataclass(frozen=True)
class Answer:
    """The result of a request; fields that do not apply to it keep their defaults."""

    applied: bool
    sequence: int
    order: Order | None = None
    position: Position | None = None
    late: bool = False
    accepted: bool = True


@dataclass
class Entry:
    """An order, as it was first placed, as it is, and what was applied to it."""

    first: Order
    now: Order
    fills: dict[str, tuple[object, Answer]]
    requests: dict[str, tuple[object, Answer]]
    """The replaces and closings."""
    revision: int = -1


class ReferenceBook:
    """Every trader's orders, positions and events."""

    def __init__(self) -> None:
        self.orders: dict[Key, Entry] = {}
        self.positions: dict[Key, Position] = {}
        self.events: dict[str, list[OrderEvent]] = defaultdict(list)
        self._requests: dict[Key, tuple[object, Answer]] = {}

    def apply(self, request: Request) -> Answer:
        """Do what is asked for. Raises the error that a book raises."""
        with decimal.localcontext(decimal.Context(prec=60)):  # no sum here needs more digits
            return self._apply(request)

    def commit(self, steps: Sequence[Request | Expect], expected_sequence: int | None = None) -> list[Answer]:
        """Do all that one trader asks for, or nothing. Raises the first refusal, which has the number of its step."""
        (trader,) = {step.trader for step in steps if not isinstance(step, Expect)}
        before, last = self.copy().__dict__, len(self.events[trader])
        answers: list[Answer] = []
        unmet: SlotbookError | None = None
        for index, step in enumerate(steps):
            try:
                if isinstance(step, Expect):
                    self._check(trader, step)
                else:
                    answers.append(self.apply(step))
                    if not answers[-1].accepted:
                        raise Refused
            except SlotbookError as error:
                if isinstance(error, Refused):
                    error.index = index
                if not isinstance(step, Expect):
                    self.__dict__.update(before)
                    raise
                unmet = unmet or error
        if not any(answer.applied for answer in answers):
            return answers  # what was done before is answered, whatever was expected
        if unmet is None and expected_sequence is not None and expected_sequence != last:
            unmet = VersionConflict()
        if unmet is not None:
            self.__dict__.update(before)
            raise unmet
        return answers

    def _check(self, trader: str, guard: Expect) -> None:
        entry = self.orders.get((trader, guard.order_id))
        if entry is None:
            raise OrderNotFound
        if entry.now.version != guard.version:
            raise VersionConflict

    def copy(self) -> ReferenceBook:
        """Return a book that goes on from here by itself."""
        # Records, answers and events never change, so that only what holds them has to be copied.
        other = ReferenceBook()
        other.orders = {
            key: replace(entry, fills=dict(entry.fills), requests=dict(entry.requests))
            for key, entry in self.orders.items()
        }
        other.positions, other._requests = dict(self.positions), dict(self._requests)
        other.events.update((trader, list(events)) for trader, events in self.events.items())
        return other

    def _apply(self, request: Request) -> Answer:
        match request:
            case Order():
                return self._place(request)
            case Fill():
                return self._fill(request, self._entry(request))
            case Replace():
                return self._replace(request, self._entry(request))
            case PositionChange():
                return self._move(request)
            case _:
                return self._close(request, self._entry(request))

    def _entry(self, request: Fill | Replace | Cancel | Reject | Expire) -> Entry:
        entry = self.orders.get((request.trader, request.order_id))
        if entry is None:
            raise OrderNotFound
        order = entry.now
        if request.symbol not in (None, order.symbol) or request.side not in (None, order.side):
            raise OrderMismatch
        return entry

    def _place(self, order: Order) -> Answer:
        entry = self.orders.get((order.trader, order.order_id))
        if entry is not None:
            if _content(entry.first) != _content(order):
                raise DuplicateOrder
            return Answer(applied=False, sequence=0, order=entry.now)
        now = order.model_copy(update={"version": 1})
        self.orders[order.trader, order.order_id] = Entry(order, now, {}, {})
        return Answer(
            applied=True, sequence=self._append_event(EventType.NEW, now, order.ts_ns, text=order.text), order=now
        )

    def _fill(self, fill: Fill, entry: Entry) -> Answer:
        content = (fill.quantity, fill.price)
        if fill.exec_id in entry.fills:
            return _again(entry.fills[fill.exec_id], content)
        order = entry.now
        filled = order.filled_quantity + fill.quantity
        if filled > order.quantity:
            raise Overfill
        held = self.positions.get((fill.trader, order.symbol), Position.flat(fill.trader, order.symbol))
        bought, sold = (fill.quantity, 0) if order.side is Side.BUY else (0, fill.quantity)
        paid, received = fill.price * bought, fill.price * sold
        moved = {
            "quantity": held.quantity + bought - sold,
            "bought_quantity": held.bought_quantity + bought,
            "sold_quantity": held.sold_quantity + sold,
            "bought_notional": held.bought_notional + paid,
            "sold_notional": held.sold_notional + received,
            "version": held.version + 1,
            "updated_ns": fill.ts_ns,
        }
        notional = order.filled_notional + paid + received
        if abs(moved["quantity"]) > MOST or max(moved["bought_quantity"], moved["sold_quantity"]) >= MOST_TRADED:
            raise AmountOverflow
        if max(abs(moved["bought_notional"]), abs(moved["sold_notional"]), abs(notional)) >= MOST_MONEY:
            raise AmountOverflow
        late = order.status not in OPEN
        status = order.status
        if not late:
            status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
        position = self.positions[fill.trader, order.symbol] = held.model_copy(update=moved)
        entry.now = order.model_copy(
            update={
                "status": status,
                "filled_quantity": filled,
                "filled_notional": notional,
                "version": order.version + 1,
                "updated_ns": fill.ts_ns,
            }
        )
        sequence = self._append_event(
            EventType.TRADE,
            entry.now,
            fill.ts_ns,
            exec_id=fill.exec_id,
            last_quantity=fill.quantity,
            last_price=fill.price,
            late=True if late else None,
            position_quantity=position.quantity,
        )
        answer = Answer(applied=True, sequence=sequence, order=entry.now, position=position, late=late)
        entry.fills[fill.exec_id] = content, answer
        return answer

    def _replace(self, request: Replace, entry: Entry) -> Answer:
        content = (request.quantity, request.price, request.stop_price, request.revision)
        if request.request_id in entry.requests:
            return _again(entry.requests[request.request_id], content)
        order = entry.now
        if request.revision is not None and request.revision <= entry.revision:
            return Answer(applied=False, sequence=0, order=order)
        if order.status not in OPEN:
            raise OrderClosed
        if (request.price is not None and order.price is None) or (
            request.stop_price is not None and order.stop_price is None
        ):
            raise OrderMismatch
        quantity = order.quantity if request.quantity is None else request.quantity
        if quantity < order.filled_quantity:
            raise Overfill
        if request.revision is not None:
            entry.revision = request.revision
        entry.now = order.model_copy(
            update={
                "quantity": quantity,
                "price": order.price if request.price is None else request.price,
                "stop_price": order.stop_price if request.stop_price is None else request.stop_price,
                "status": OrderStatus.FILLED if quantity == order.filled_quantity else order.status,
                "text": request.text,
                "placed_quantity": entry.first.quantity,
                "placed_price": entry.first.price,
                "placed_stop_price": entry.first.stop_price,
                "revision": None if entry.revision < 0 else entry.revision,
                "version": order.version + 1,
                "updated_ns": request.ts_ns,
            }
        )
        sequence = self._append_event(
            EventType.REPLACED, entry.now, request.ts_ns, request_id=request.request_id, text=request.text
        )
        answer = Answer(applied=True, sequence=sequence, order=entry.now)
        entry.requests[request.request_id] = content, answer
        return answer

    def _close(self, request: Cancel | Reject | Expire, entry: Entry) -> Answer:
        order, status = entry.now, ENDS[type(request)]
        if request.request_id in entry.requests:
            return _again(entry.requests[request.request_id], status)
        if order.status is status:
            return Answer(applied=False, sequence=0, order=order)
        if order.status not in OPEN or (status is OrderStatus.REJECTED and order.filled_quantity):
            raise OrderClosed
        entry.now = order.model_copy(
            update={"status": status, "text": request.text, "version": order.version + 1, "updated_ns": request.ts_ns}
        )
        sequence = self._append_event(
            EventType(status.value), entry.now, request.ts_ns, request_id=request.request_id, text=request.text
        )
        answer = Answer(applied=True, sequence=sequence, order=entry.now)
        entry.requests[request.request_id] = status, answer
        return answer

    def _move(self, change: PositionChange) -> Answer:
        content = (change.symbol, change.action, change.quantity, change.max_position)
        known = self._requests.get((change.trader, change.request_id))
        if known is not None:
            return _again(known, content)
        held = self.positions.get((change.trader, change.symbol), Position.flat(change.trader, change.symbol))
        quantity = change.quantity + (held.quantity if change.action is PositionAction.ADJUST else 0)
        if abs(quantity) > MOST:
            raise AmountOverflow
        if change.max_position is not None and abs(quantity) > max(change.max_position, abs(held.quantity)):
            return Answer(applied=False, sequence=0, position=held, accepted=False)
        position = self.positions[change.trader, change.symbol] = held.model_copy(
            update={"quantity": quantity, "version": held.version + 1, "updated_ns": change.ts_ns}
        )
        events = self.events[change.trader]
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
        self._requests[change.trader, change.request_id] = content, answer
        return answer

    def _append_event(self, kind: EventType, order: Order, ts_ns: int, **more: object) -> int:
        events = self.events[order.trader]
        fields = {
            "trader": order.trader,
            "sequence": len(events) + 1,
            "type": kind,
            "ts_ns": ts_ns,
            "symbol": order.symbol,
            "order_id": order.order_id,
            "side": order.side,
            "status": order.status,
            "quantity": order.quantity,
            "price": order.price,
            "filled_quantity": None if kind is EventType.NEW else order.filled_quantity,
            **more,
        }
        events.append(OrderEvent.model_validate(fields))
        return len(events)


def _again(known: tuple[object, Answer], content: object) -> Answer:
    first, answer = known
    if first != content:
        raise DuplicateRequest
    return replace(answer, applied=False)


def _content(order: Order) -> object:
    return (
        *(order.symbol, order.side, order.type, order.time_in_force),
        *(order.quantity, order.price, order.stop_price),
    )
