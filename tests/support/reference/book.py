"""A book in plain Python, without a server: the oracle that the store is compared with, written by hand on purpose."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from slotbook.models import (
    Accept,
    Bust,
    Calculate,
    Cancel,
    CancelReject,
    Correct,
    DoneForDay,
    Expire,
    Fill,
    LimitsChange,
    Order,
    PendingCancel,
    PendingReplace,
    PositionChange,
    Reject,
    Replace,
    Restate,
    Roll,
    Split,
    Stop,
    Suspend,
    TradingChange,
)
from slotbook.models.errors import (
    OrderMismatch,
    OrderNotFound,
    Refused,
    SlotbookError,
    VersionConflict,
)
from slotbook.models.guards import Expect

from .fills import fill
from .limits import change_limits
from .orders import close, place, replace_order
from .positions import move
from .reports import report
from .revisions import revise
from .state import Answer, Entry, State

OfOrder: TypeAlias = (
    Fill
    | Bust
    | Correct
    | Replace
    | Restate
    | Cancel
    | Reject
    | Expire
    | Calculate
    | Accept
    | PendingCancel
    | PendingReplace
    | CancelReject
    | DoneForDay
    | Stop
    | Suspend
)
Request: TypeAlias = Order | OfOrder | PositionChange | Split | Roll | LimitsChange | TradingChange


class ReferenceBook(State):
    """Every trader's orders, positions and events."""

    def apply(self, request: Request) -> Answer:
        """Do what is asked for. Raises the error that a book raises."""
        with decimal.localcontext(decimal.Context(prec=200)):  # no sum here needs more digits
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
        entry = self.find(trader, guard.order_id)
        if entry is None:
            raise OrderNotFound
        if entry.now.version != guard.version:
            raise VersionConflict

    def copy(self) -> ReferenceBook:
        """Return a book that goes on from here by itself."""
        # Records, answers and events never change, so that only what holds them has to be copied.
        other = ReferenceBook()
        other.orders = {
            key: replace(
                entry,
                fills=dict(entry.fills),
                requests=dict(entry.requests),
                live=dict(entry.live),
                roots=dict(entry.roots),
                details={exec_id: list(lines) for exec_id, lines in entry.details.items()},
                reports=dict(entry.reports),
            )
            for key, entry in self.orders.items()
        }
        other.positions, other.requests = dict(self.positions), dict(self.requests)
        other.names = dict(self.names)
        other.limits, other.trading = dict(self.limits), dict(self.trading)
        other.multipliers = dict(self.multipliers)
        other.paths.update((key, list(path)) for key, path in self.paths.items())
        other.accounts = dict(self.accounts)
        other.account_paths.update((key, list(path)) for key, path in self.account_paths.items())
        other.events.update((trader, list(events)) for trader, events in self.events.items())
        return other

    def _apply(self, request: Request) -> Answer:  # noqa: PLR0911  # a table
        match request:
            case Order():
                return place(self, request)
            case Fill():
                return fill(self, request, self._entry(request))
            case Bust() | Correct():
                return revise(self, request, self._entry(request))
            case Replace() | Restate():
                return replace_order(self, request, self._entry(request))
            case PositionChange() | Split() | Roll():
                return move(self, request)
            case LimitsChange() | TradingChange():
                return change_limits(self, request)
            case Cancel() | Reject() | Expire() | Calculate():
                return close(self, request, self._entry(request))
            case _:
                return report(self, request, self._entry(request))

    def _entry(self, request: OfOrder) -> Entry:
        entry = self.find(request.trader, request.order_id)
        if entry is None:
            raise OrderNotFound
        order = entry.now
        if request.symbol not in (None, order.symbol) or request.side not in (None, order.side):
            raise OrderMismatch
        return entry
