"""Know from a trader's stream which orders there were and what was applied to them, also when they are no longer kept.

An order that has ended expires, and what was applied to it is forgotten with it. Its events stay for as long as the
stream keeps them. Nothing here does I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...models.enums import EventType
from ...models.errors import CorruptRecord, DuplicateOrder, Refused, StateLost, never_written
from ...models.keys import TraderKeys
from ...models.order import Order
from ...models.own_fields import has_own_text, own_text_of
from ...topology.call import Call, Reply, evaluate
from ..changes.loss_detector import LossDetector, Tip, Told
from ..changes.recorded import is_placing
from ..changes.scripts import load
from ..replies import fields, integer, rows, rows_of, text
from .known_changes import KnownChanges, content_of, describe
from .verbs import OrderRequest

MOST_EVENTS_OF_ONE = 1_000
"""The events that one call reads, at most."""
MOST_EVENTS_AT_ONCE = 20_000
"""The events that calls read at the same time of all traders together, roughly."""
FOREVER = 2**63
"""A time after all others, in nanoseconds."""

_IDS = ("client_order_id", "venue_order_id")
"""The other ids that a request gives to an order."""
NO_END = -1
"""The lifetime of an order that does not expire."""
_PACKAGE = "slotbook.repositories.orders"
READ_HISTORY = load(_PACKAGE, "read_history")
KEPT_FOR = load(_PACKAGE, "kept_for")


class HistoryPage(NamedTuple):
    """Some events of a book."""

    last: int
    """The number of the last event that the book ever had."""
    latest_ns: int
    """The latest time of all events that the book ever had, in nanoseconds; -1 when it does not say."""
    events: list[tuple[int, dict[str, str]]]
    """The number and the fields of each event."""
    is_last: bool
    """True when there were no more."""


class KnownOrders:
    """The orders of one trader that its events name.

    Which orders there were is read when the trader is first met. What was applied to them takes more memory, and is
    read once an order is missing that was there.
    """

    def __init__(self, keys: TraderKeys, loss_detector: LossDetector) -> None:
        self.keys = keys
        self.unknown_until = -1
        """The time, in nanoseconds, up to which there may have been events that are no longer kept; -1 when all are."""
        self._latest_ns = -1
        self._has_gap = False
        self._placed: dict[str, str] = {}
        """By the id of an order, what it was placed as: a line for each time."""
        self._reused: set[str] = set()
        """The ids of which there were several orders."""
        self._placed_ns: dict[str, int] = {}
        """By the id of an order, the time at which the last one was placed."""
        self._holders: dict[str, tuple[str, ...]] = {}
        """By another id that orders have or had, their ids, mostly one."""
        self._changes = KnownChanges(keys.events)
        self._orders_read = self._changes_read = 0
        self._loss_detector = loss_detector
        self._told = Told(keys.trader, "", 0, ())

    def read_orders(self, count: int) -> Call[HistoryPage]:
        """Return the call that reads on which orders there were."""
        # Nothing is told, for this call does not ask the server whether it has what was acknowledged before.
        self._told = self._loss_detector.tell(self.keys.trader)._replace(tips=())
        return self._read(self._orders_read, count)

    def read_changes(self, count: int) -> Call[HistoryPage]:
        """Return the call that reads on what was applied to orders."""
        return self._read(self._changes_read, count)

    def read_lifetimes(self, ids: Sequence[str]) -> Call[list[int]]:
        """Return the call that reads for how many milliseconds orders are kept: NO_END, or -2 for one that is not."""
        keys = KEPT_FOR.keys(orders=[self.keys.order(order_id) for order_id in ids])
        name = f"lifetimes of orders of {self.keys.trader}"
        return evaluate(
            name, KEPT_FOR, keys, (), decode=lambda reply: list(map(integer, rows_of(len(ids), reply))), readonly=True
        )

    def add_orders(self, page: HistoryPage) -> StateLost | None:
        """Note the orders of the events that were read.

        Returns an error when these prove that others are lost, which had been acknowledged. They are remembered like
        those of a change: what is answered because of them is missed if it is lost.
        """
        for number, event in page.events:
            self._note_time(number, event)
            self._orders_read = number
            if (order_id := event.get("order_id")) is None or event.get("type") == EventType.LIMIT_REFUSED.value:
                continue
            self._note_ids(order_id, event)
            known = self._placed.get(order_id)
            if is_placing(event):
                content = (
                    f"{_who(event)} {event.get('quantity')} {event.get('price', '')} {event.get('terms', '')}".rstrip()
                )
                content += f"\t{event['own']}" if "own" in event else ""
                self._placed[order_id] = content if known is None else f"{known}\n{content}"
                self._placed_ns[order_id] = int(event["ts_ns"])
                if known is not None:
                    self._reused.add(order_id)
            elif known is None:
                self._placed[order_id] = _who(event)
        if page.is_last and page.last > self._orders_read:
            self.unknown_until = FOREVER
        elif self._has_gap:  # the order of events is not that of their times
            self.unknown_until = max(self._latest_ns, page.latest_ns)
        return self._acknowledge(page) if page.events else None

    def add_changes(self, page: HistoryPage) -> None:
        """Note what the events that were read have applied to orders."""
        for number, event in page.events:
            self._changes_read = number
            self._changes.add(event)

    def note_ids(self, request: OrderRequest, order_id: str) -> None:
        """Note the ids that a request has given to an order after its trader's events were read."""
        said = {name: getattr(request, name, None) for name in _IDS}
        self._note_ids(order_id, {name: value for name, value in said.items() if value is not None})

    def note_applied(self, order: Order) -> None:
        """Note an order that was placed after its trader's events were read."""
        self._placed_ns[order.order_id] = order.ts_ns
        if order.order_id not in self._placed:
            self._placed[order.order_id] = f"{content_of(order)}\t{own_text_of(order)}".rstrip()

    def may_have_had(self, order: Order) -> bool:
        """Return True if an order of this id was placed, or may have been."""
        return order.order_id in self._placed or self.is_too_old(order)

    def was_reused(self, request: OrderRequest) -> bool:
        """Return True if there were several orders that a request's id has named."""
        ids = self._ids_of(request)
        return len(ids) > 1 or any(order_id in self._reused for order_id in ids)

    def is_too_old(self, request: OrderRequest) -> bool:
        """Return True for a request that may have been applied by an event that is no longer kept."""
        # Of the same time there may be several events, of which only some are kept.
        return request.ts_ns <= self.unknown_until

    def may_be_of_another(self, request: OrderRequest) -> bool:
        """Return True for a request that may be about another order of its id than the one that there is now."""
        return self.was_reused(request) or self.is_misplaced(request)

    def is_misplaced(self, request: OrderRequest) -> bool:
        """Return True for a request that an event that is gone may have applied to an earlier order of its id."""
        if isinstance(request, Order) or not self.is_too_old(request):
            return False
        return any(request.ts_ns < self._placed_ns.get(order_id, -1) for order_id in self._ids_of(request))

    def needs_changes(self, request: OrderRequest) -> bool:
        """Return True if the order was there, and no event that was read says that the request was applied to it."""
        try:
            self.find_change(request)
        except LookupError:
            return bool(self._ids_of(request))
        return False

    def answer(self, request: OrderRequest, *, may_be_gone: bool) -> Refused | None:
        """Return None for a request that was applied, or its refusal, as the book would answer if it knew what was.

        Raises LookupError for one that the book has to answer.

        Args:
            request: The request.
            may_be_gone: True for an order to place that was there, or may have been, and may not be kept.
        """
        if not isinstance(request, Order):  # the order of this id that there is now may be another one
            try:
                return self.find_change(request)
            except LookupError:
                if self.is_misplaced(request):
                    return self.too_old(request)
                raise
        if not may_be_gone and not (self.was_reused(request) and self._was_placed_as(request)):
            raise LookupError
        if request.order_id not in self._placed:
            return self.too_old(request)
        return None if self._was_placed_as(request) else self._duplicate(request)

    def _was_placed_as(self, order: Order) -> bool:
        """Return True if an order of this id was placed with this content, as far as events tell."""
        who, content = f"{order.symbol} {order.side}", content_of(order)
        lines = (line.partition("\t") for line in self._placed[order.order_id].split("\n"))
        return any(line == who or (line == content and has_own_text(order, own)) for line, _, own in lines)

    def _duplicate(self, order: Order) -> DuplicateOrder:
        known = self._placed[order.order_id].replace("\t", " with ").replace("\n", ", and as ")
        return DuplicateOrder(f"{describe(order)}: the id was used for an order that was placed as {known}")

    def find_change(self, request: OrderRequest) -> Refused | None:
        """Return None for a request that an event has applied; its refusal if it differs from what was applied.

        Raises LookupError when there is no event of it.
        """
        if isinstance(request, Order):
            raise LookupError
        return self._changes.find(request, self._ids_of(request), was_reused=self.was_reused(request))

    def too_old(self, request: OrderRequest) -> Refused:
        """Return the refusal of a request that may have been applied."""
        return Refused(
            f"{describe(request)}: too old, neither the order nor events up to this time are kept, so nobody knows "
            "whether it was applied; apply it by hand once you know, and raise events_kept"
        )

    def _ids_of(self, request: OrderRequest) -> tuple[str, ...]:
        """Return the ids of the orders that a request may be about; none where no event has named any."""
        order_id = request.order_id
        placed = (order_id,) if order_id in self._placed else ()
        return placed if isinstance(request, Order) else placed + self._holders.get(order_id, ())

    def _note_ids(self, order_id: str, said: Mapping[str, str]) -> None:
        for name in _IDS:
            known = self._holders.get(alias := said.get(name, order_id), ())
            if alias != order_id and order_id not in known:
                self._holders[alias] = (*known, order_id)

    def _note_time(self, number: int, event: Mapping[str, str]) -> None:
        try:
            self._latest_ns = max(self._latest_ns, int(event["ts_ns"]))
        except (KeyError, ValueError):
            raise CorruptRecord(self.keys.events, "ts_ns", f"event {number} has no time") from None
        self._has_gap = self._has_gap or number > self._orders_read + 1

    def _acknowledge(self, page: HistoryPage) -> StateLost | None:
        number, event = page.events[-1]
        if "writer" not in event or "count" not in event:
            return None
        tip = Tip(number, f"{event['writer']} {event['count']}")
        first = self._loss_detector.acknowledge(self._told, tip)
        return self._loss_detector.record_loss(self._told, first, tip, None, None) if first else None

    def _read(self, after: int, count: int) -> Call[HistoryPage]:
        keys = self.keys

        def read(reply: Reply) -> HistoryPage:
            last, latest_ns, *found = rows(reply)
            return HistoryPage(
                _number(keys.book, "sequence", last),
                _number(keys.book, "latest_ns", latest_ns) if latest_ns else -1,
                [_event(keys, entry) for entry in found],
                len(found) < count,
            )

        return evaluate(
            f"events of {keys.trader}",
            READ_HISTORY,
            READ_HISTORY.keys(book=keys.book, events=keys.events),
            READ_HISTORY.arguments(after=str(after), count=str(count)),
            decode=read,
            readonly=True,
        )


def count_for(traders: int) -> int:
    """Return how many events to read of each of so many traders at a time.

    >>> count_for(1), count_for(100), count_for(5_000)
    (1000, 200, 10)
    """
    return max(10, min(MOST_EVENTS_OF_ONE, MOST_EVENTS_AT_ONCE // traders))


def _number(key: str, field: str, value: Reply) -> int:
    if not re.fullmatch("[0-9]{1,19}", str(value)):
        raise never_written(key, field, value)
    return int(str(value))


def _event(keys: TraderKeys, entry: Reply) -> tuple[int, dict[str, str]]:
    entry_id, flat = rows(entry)
    event = fields(flat)
    if "type" not in event:
        raise CorruptRecord(keys.events, text(entry_id), "is no event: it has no type")
    return integer(text(entry_id).partition("-")[0]), event


def _who(event: Mapping[str, str]) -> str:
    return f"{event.get('symbol')} {event.get('side')}"
