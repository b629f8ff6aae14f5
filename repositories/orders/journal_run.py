"""Apply a journal to a book: which rows are sent, which are answered from what is known, and what becomes of each.

``book.reconcile`` carries out the steps, for threads and for asyncio; ``slotbook replay`` does it by way of that.
Nothing here does I/O.

A run takes the rows page by page. The stream of a trader is read before the first row of that trader, because an order
that has ended is forgotten in the end, and placing it again would apply it again. Rows that are refused are tried again
behind the others, in their order, for as long as that applies any of them: the order of a journal's rows is not always
that of what they ask for, and a second run would apply them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple, TypeAlias, TypeVar, cast

from ...models.arguments import must_be
from ...models.errors import (
    AmountOverflow,
    ExecutionNotFound,
    InvalidArgument,
    OrderNotFound,
    Overfill,
    Refused,
    SlotbookError,
    StateLost,
    UnderReplicated,
)
from ...models.journal import JournalEntry, RefusedRow
from ...models.keys import Keys
from ...models.order import Order
from ...models.results import FillResult, OrderResult, Outcome
from ...topology.call import Call
from ...topology.settings import Settings
from ..changes.calls import check_loss
from ..changes.loss_detector import LossDetector
from ..changes.order_models import ANY_ORDERS
from .known_changes import verb_of
from .known_orders import NO_END, KnownOrders, count_for
from .reconciliation import NamedRow, Reconciliation, Refusal, why_outdated
from .verbs import ORDER_VERBS, OrderRequest

MOST_PASSES = 10
"""The passes over the rows of a run: the first, and those over the rows that the pass before refused."""
MOST_ROWS_AT_ONCE = 5_000
"""The rows of a page at most: between asking whether an order is kept and sending its row, nothing else is sent."""
MOST_ORDERS_OF_ONE = 500
"""The orders whose lifetimes one call reads, at most."""

Result: TypeAlias = OrderResult | FillResult
JournalItem: TypeAlias = OrderRequest | JournalEntry | RefusedRow
"""One row of a journal: a request, or what ``read_journal`` yields."""
T = TypeVar("T")

_REQUESTS = tuple(verb.request for verb in ORDER_VERBS)
_NOT_FOR_GOOD = (OrderNotFound, ExecutionNotFound, Overfill, AmountOverflow)
"""Refusals that another row may undo, by placing an order, raising its quantity, or ending another order."""


@dataclass(frozen=True, slots=True)
class RowsToSend:
    """Requests to send together; answered with one Outcome for each."""

    requests: Sequence[OrderRequest]


RunStep: TypeAlias = "RowsToSend | Sequence[Call[object]]"
"""Rows to send, or calls that read, answered with one Outcome for each."""
RunSteps: TypeAlias = Generator[RunStep, object, T]
"""A generator of the steps of a run, which returns a T."""


class Row(NamedTuple):
    """A row that asks for something."""

    place: int
    request: OrderRequest


class _Taken(NamedTuple):
    """A row that was sent, and its result or the reason why it has none."""

    row: Row
    result: Result | None
    error: SlotbookError | None


class JournalRun:
    """One run of a journal. Make a new one for each: what it knows of the book is as old as the run."""

    def __init__(
        self, settings: Settings, loss_detector: LossDetector, progress: Callable[[Reconciliation], object] | None
    ) -> None:
        self.tally = Reconciliation()
        self._settings = settings
        self._loss_detector = loss_detector
        self._progress: Callable[[Reconciliation], object] = progress or (lambda _: None)
        self._keys = Keys(settings.prefix)
        self._known: dict[str, KnownOrders] = {}
        self._changed = frozenset(loss_detector.traders())
        """The traders whose books were changed before the run."""
        self._answered: set[str] = set()
        """The traders of rows that were answered without asking the server."""
        self._waiting: list[Refusal] = []
        """The rows that this pass has refused, and the next one tries again."""
        self._passes = 0
        self._kept_ms = round((settings.deadline + settings.socket_timeout) * 1_000)
        """An order that is kept for longer than this is still there when a row that is sent now arrives."""

    def apply(self, journal: Iterable[JournalItem], batch: int) -> RunSteps[Reconciliation]:
        """Return the steps of the run. An error that is no refusal ends it; what was applied stays."""
        tally = self.tally
        try:
            yield from self._pass(self._rows(journal), batch)
            while self._waiting and self._passes < MOST_PASSES:
                applied, again = tally.applied, self._waiting
                self._waiting = []
                yield from self._pass((Row(one.place, cast("OrderRequest", one.request)) for one in again), batch)
                if tally.applied == applied:
                    break
            else:
                tally.unsettled, self._waiting = self._waiting, []
            yield from self._look_for_losses(self._answered)
        finally:
            tally.refusals = sorted([*tally.refusals, *self._waiting], key=lambda one: one.place)
        self._progress(tally)
        return tally

    def _rows(self, journal: Iterable[JournalItem]) -> Iterator[Row]:
        """Yield the rows that ask for something, and count all. Raises InvalidArgument for what is none."""
        for item in journal:
            place = self.tally.rows
            self.tally.rows += 1
            if isinstance(item, RefusedRow):
                self.tally.refusals.append(Refusal(item.line, None, item.error))
            elif isinstance(item, JournalEntry):
                yield Row(item.line, item.request)
            else:
                must_be(item, *_REQUESTS)
                try:
                    request = cast("OrderRequest", ANY_ORDERS.stored(item, verb_of(item)).request)
                except InvalidArgument as error:
                    self.tally.refusals.append(Refusal(place, item, error))
                else:
                    yield Row(place, request)

    def _pass(self, rows: Iterator[Row], batch: int) -> RunSteps[None]:
        self._passes += 1
        while page := list(islice(rows, min(batch, MOST_ROWS_AT_ONCE))):
            try:
                yield from self._page(page)
            finally:
                self._progress(self.tally)

    def _page(self, page: list[Row]) -> RunSteps[None]:
        yield from self._meet({row.request.trader for row in page})
        gone = yield from self._orders_that_may_be_gone(page)
        others = {number for number, row in enumerate(page) if self._of(row).may_be_of_another(row.request)}
        if others:
            yield from self._read_changes({page[number].request.trader for number in others})
        sent = page
        if answerable := gone | others:
            sent = [
                row
                for number, row in enumerate(page)
                if number not in answerable or not self._is_answered(row, may_be_gone=number in gone)
            ]
        outcomes = yield from self._send(sent)
        rest: list[_Taken] = []
        for row, outcome in zip(sent, outcomes, strict=True):
            if outcome.error is None and outcome.value is not None:
                self._note_result(row, outcome.value)
            else:
                rest.append(self._taken(row, outcome))
        if rest:
            yield from self._settle(rest)

    def _of(self, row: Row) -> KnownOrders:
        return self._known[row.request.trader]

    def _meet(self, traders: Iterable[str]) -> RunSteps[None]:
        """Read which orders there were of traders that are not known yet: one round trip if their books are new."""
        met = [KnownOrders(self._keys.of(one), self._loss_detector) for one in traders if one not in self._known]
        # What is read is remembered as acknowledged, so what was acknowledged before is looked for first.
        yield from self._look_for_losses([one.keys.trader for one in met if one.keys.trader in self._changed])
        unread = met
        while unread:
            count = count_for(len(unread))
            pages = yield from _ask([one.read_orders(count) for one in unread])
            for one, page in zip(unread, pages, strict=True):
                if (loss := one.add_orders(page)) is not None:
                    self.tally.losses.append(loss)
            unread = [one for one, page in zip(unread, pages, strict=True) if not page.is_last]
        self._known.update((one.keys.trader, one) for one in met)

    def _read_changes(self, traders: Iterable[str]) -> RunSteps[None]:
        """Read on what was applied to the orders of some traders."""
        unread = [self._known[trader] for trader in traders]
        while unread:
            count = count_for(len(unread))
            pages = yield from _ask([one.read_changes(count) for one in unread])
            for one, page in zip(unread, pages, strict=True):
                one.add_changes(page)
            unread = [one for one, page in zip(unread, pages, strict=True) if not page.is_last]

    def _orders_that_may_be_gone(self, page: Sequence[Row]) -> RunSteps[set[int]]:
        """Return the numbers of the rows that place an order which was there, and may not be when they arrive."""
        doubtful: dict[str, list[tuple[int, str]]] = {}
        for number, row in enumerate(page):
            if isinstance(row.request, Order) and self._of(row).may_have_had(row.request):
                doubtful.setdefault(row.request.trader, []).append((number, row.request.order_id))
        calls = [
            self._of(page[some[0][0]]).read_lifetimes([order_id for _, order_id in some])
            for orders in doubtful.values()
            for some in _chunks(orders)
        ]
        numbers = [number for orders in doubtful.values() for number, _ in orders]
        lifetimes = chain.from_iterable((yield from _ask(calls)) if calls else ())
        return {
            number for number, left in zip(numbers, lifetimes, strict=True) if left != NO_END and left <= self._kept_ms
        }

    def _is_answered(self, row: Row, *, may_be_gone: bool) -> bool:
        """Answer a row from what is known, and return True; return False for one that has to be sent."""
        try:
            error = self._of(row).answer(row.request, may_be_gone=may_be_gone)
        except LookupError:
            return False
        self._note_answer(row, error)
        return True

    def _note_answer(self, row: Row, error: Refused | None) -> None:
        self._answered.add(row.request.trader)
        if error is None:
            self.tally.repeated += 1
        else:
            self.tally.refusals.append(Refusal(row.place, row.request, error))

    def _send(self, sent: Sequence[Row]) -> RunSteps[list[Outcome[Result]]]:
        """Send rows together, or one by one if one of them cannot be sent at all: the others can do nothing for it."""
        if not sent:
            return []
        try:
            return cast("list[Outcome[Result]]", (yield RowsToSend([row.request for row in sent])))
        except InvalidArgument as error:
            if len(sent) == 1:
                return [Outcome(error=error)]
        outcomes: list[Outcome[Result]] = []
        for row in sent:
            outcomes += yield from self._send([row])
        return outcomes

    def _taken(self, row: Row, outcome: Outcome[Result]) -> _Taken:
        """Return a row with its result or its error, after noting a loss or too few copies."""
        error = outcome.error
        if isinstance(error, UnderReplicated):
            self.tally.under_replicated += 1
            return _Taken(row, cast("Result", error.result), None)
        if isinstance(error, StateLost):
            self.tally.losses.append(error)
            self._known.pop(error.trader, None)  # it may be among what was lost
            result = cast("Result | None", error.result)
            return _Taken(row, result, error.refusal if error.refusal or result else error)
        return _Taken(row, outcome.value, error)

    def _settle(self, taken: Sequence[_Taken]) -> RunSteps[None]:
        """Note the fate of each row. Raises the first error that is neither a refusal nor a loss."""
        missing = [one.row for one in taken if isinstance(one.error, OrderNotFound)]
        yield from self._meet({row.request.trader for row in missing})
        behind = {row.request.trader for row in missing if self._of(row).needs_changes(row.request)}
        yield from self._read_changes(behind)
        undecided = [error for error in map(self._undecided, taken) if error is not None]
        if undecided:
            raise undecided[0]

    def _undecided(self, one: _Taken) -> SlotbookError | None:
        """Note the fate of a row, and return None; return the error of one whose fate is not known."""
        row, result, error = one
        if result is not None:
            self._note_result(row, result)
        elif isinstance(error, OrderNotFound):
            self._note_missing(row, error)
        elif isinstance(error, (Refused, InvalidArgument)):
            self._refuse(row, error)
        else:
            return error
        return None

    def _note_result(self, row: Row, result: Result) -> None:
        request, tally = row.request, self.tally
        if result.applied:
            tally.applied += 1
            if (known := self._known.get(request.trader)) is not None:
                if isinstance(request, Order):
                    known.note_applied(request)
                else:
                    known.note_ids(request, result.order.order_id)
            if self._passes > 1:
                tally.out_of_order.append(
                    NamedRow(row.place, request, "applied after rows behind it, which allowed it")
                )
        elif result.sequence or isinstance(request, Order):
            tally.repeated += 1
        else:  # it is not there, and changes nothing any more
            tally.outdated.append(NamedRow(row.place, request, why_outdated(request, result.order)))

    def _note_missing(self, row: Row, error: OrderNotFound) -> None:
        """Note the fate of a row whose order is not kept: its own event says if it was applied."""
        known, request = self._of(row), row.request
        try:
            self._note_answer(row, known.find_change(request))
        except LookupError:
            if known.is_too_old(request):
                self._note_answer(row, known.too_old(request))
            else:
                self._refuse(row, error)

    def _refuse(self, row: Row, error: SlotbookError) -> None:
        error.__traceback__ = error.__context__ = error.__cause__ = None  # it would keep whole pages alive
        refusal = Refusal(row.place, row.request, error)
        if isinstance(error, _NOT_FOR_GOOD) or type(error) is Refused:
            self._waiting.append(refusal)
        else:
            self.tally.refusals.append(refusal)

    def _look_for_losses(self, traders: Collection[str]) -> RunSteps[None]:
        """Ask whether books still have what was acknowledged, by them or by the events that rows were answered from."""
        calls = [check_loss(self._settings, self._loss_detector, trader) for trader in sorted(traders)]
        if not calls:
            return
        outcomes = cast("list[Outcome[None]]", (yield calls))
        self.tally.losses += [one.error for one in outcomes if isinstance(one.error, StateLost)]
        for outcome in outcomes:
            if not isinstance(outcome.error, StateLost):
                outcome.result()


def _ask(calls: Sequence[Call[T]]) -> RunSteps[list[T]]:
    """Yield calls that read, and return their values. Raises the first error."""
    return [outcome.result() for outcome in cast("list[Outcome[T]]", (yield calls))]


def _chunks(orders: Sequence[T]) -> list[Sequence[T]]:
    return [orders[begin : begin + MOST_ORDERS_OF_ONE] for begin in range(0, len(orders), MOST_ORDERS_OF_ONE)]
