"""A venue with one order, by hand: each thing that it is asked or does becomes a report, with the order after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from slotbook.models import CancelReject, ExecutionReport

from .venue_reports import report

Said = ExecutionReport | CancelReject
ACTIONS = (
    *("fill", "fill", "fill", "ask_cancel", "ask_replace", "refuse", "agree", "bust", "correct", "restate", "silent"),
    *("cancel", "expire", "done_for_day", "stop", "suspend", "restate", "calculate"),
)
"""What may happen to an order. A silent change of the quantity is said by the next report only."""
FIRST_TO_LAST = (
    *("PENDING_CANCEL", "PENDING_REPLACE", "DONE_FOR_DAY", "FILLED", "STOPPED", "SUSPENDED", "PARTIALLY_FILLED"),
)
"""Statuses in the order in which the standard shows them."""


@dataclass
class Venue:
    """An order to BUY AAPL as its venue knows it."""

    trader: str
    quantity: int = 100
    executions: dict[str, int] = field(default_factory=dict[str, int])
    """The quantity of each execution that counts, by its last report."""
    pending: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    """The requests that are not answered: what is asked for, a cancel or a quantity."""
    name: str = "A1"
    """The id of the order by now."""
    ended: str = ""
    marks: set[str] = field(default_factory=set[str])
    """What holds until the order ends, or is restated: DONE_FOR_DAY and SUSPENDED; STOPPED stays."""
    is_accepted: bool = False
    is_silent: bool = False
    number: int = 0

    @property
    def filled(self) -> int:
        """Return the sum of the executions that count."""
        return sum(self.executions.values())

    @property
    def status(self) -> str:
        """Return the status that FIX puts first."""
        if self.ended:
            return self.ended
        held = {asked for asked, _ in self.pending.values()} | self.marks
        if self.filled:
            held.add("FILLED" if self.filled >= self.quantity else "PARTIALLY_FILLED")
        return next((one for one in FIRST_TO_LAST if one in held), "NEW" if self.is_accepted else "PENDING_NEW")

    def say(self, kind: str, **more: object) -> ExecutionReport:
        """Return a report of what has just happened."""
        self.number += 1
        self.is_silent = False
        left = 0 if self.ended or "DONE_FOR_DAY" in self.marks else max(0, self.quantity - self.filled)
        terms = {"quantity": self.quantity, "cumulative_quantity": self.filled, "open_quantity": left}
        ids = {"client_order_id": self.name, **more}
        return report(self.trader, f"E{self.number}", kind, self.status, ts_ns=10**18 + self.number, **terms, **ids)

    def accept(self) -> ExecutionReport:
        """Accept the order."""
        self.is_accepted = True
        return self.say("NEW")

    def happen(self, action: str, size: int) -> Said | None:
        """Do something, as far as it is possible; return what is reported of it, None for nothing."""
        done: Said | None = getattr(self, f"_{action}")(size)
        return done

    def _fill(self, size: int) -> Said | None:
        size = min(size, self.quantity - self.filled)
        if self.ended or "DONE_FOR_DAY" in self.marks or size < 1:
            return None
        self.executions[f"E{self.number + 1}"] = size
        return self.say("TRADE", last_quantity=size, last_price=10)

    def _ask(self, kind: str, size: int) -> Said | None:
        if self.ended or len(self.pending) > 1:
            return None
        self.number += 1
        request = f"C{self.number}"
        self.pending[request] = (kind, size)
        return self.say(kind, client_order_id=request, original_client_order_id=self.name)

    def _ask_cancel(self, size: int) -> Said | None:
        return self._ask("PENDING_CANCEL", size)

    def _ask_replace(self, size: int) -> Said | None:
        return self._ask("PENDING_REPLACE", 4 * size)

    def _refuse(self, _size: int) -> Said | None:
        if self.is_silent or self.ended or not self.pending:
            return None
        request = next(iter(self.pending))
        del self.pending[request]
        self.number += 1
        values = {"client_order_id": request, "original_client_order_id": self.name, "status": self.status}
        values["ts_ns"] = str(10**18 + self.number)
        return CancelReject.model_validate({"trader": self.trader, "order_id": "A1", **values})

    def _agree(self, _size: int) -> Said | None:
        if self.ended or not self.pending:
            return None
        request, (kind, quantity) = next(iter(self.pending.items()))
        if kind == "PENDING_CANCEL":
            return None if self.filled >= self.quantity else self._end("CANCELED", request)
        if self.filled >= self.quantity and quantity <= self.filled:
            return self._refuse(0)
        del self.pending[request]
        self.quantity, before, self.name = max(quantity, self.filled), self.name, request
        return self.say("REPLACED", original_client_order_id=before)

    def _end(self, kind: str, request: str | None = None) -> Said | None:
        if self.ended or self.filled >= self.quantity:
            return None
        ids = {} if request is None else {"client_order_id": request, "original_client_order_id": self.name}
        return self._close(kind, **ids)

    def _close(self, kind: str, **ids: str) -> Said:
        self.ended = kind
        self.pending.clear()
        self.marks.clear()
        return self.say(kind, **ids)

    def _cancel(self, size: int) -> Said | None:
        return self._end("CANCELED") if size > 40 else None

    def _expire(self, size: int) -> Said | None:
        return self._end("EXPIRED") if size > 50 else None

    def _mark(self, kind: str) -> Said | None:
        if self.ended or self.filled >= self.quantity or kind in self.marks:
            return None
        self.marks.add(kind)
        return self.say(kind)

    def _done_for_day(self, _size: int) -> Said | None:
        return self._mark("DONE_FOR_DAY")

    def _stop(self, _size: int) -> Said | None:
        return self._mark("STOPPED")

    def _suspend(self, _size: int) -> Said | None:
        return self._mark("SUSPENDED")

    def _calculate(self, size: int) -> Said | None:
        return None if self.ended or size > 20 else self._close("CALCULATED")

    def _bust(self, _size: int) -> Said | None:
        if not self.executions:
            return None
        execution = next(iter(self.executions))
        del self.executions[execution]
        return self.say("TRADE_CANCEL", exec_ref_id=execution)

    def _correct(self, size: int) -> Said | None:
        if not self.executions:
            return None
        execution = next(iter(self.executions))
        room = self.quantity - self.filled + self.executions.pop(execution)
        self.executions[f"E{self.number + 1}"] = min(size, room)
        return self.say("TRADE_CORRECT", exec_ref_id=execution, last_quantity=min(size, room), last_price=11)

    def _restate(self, size: int) -> Said | None:
        if self.ended or (self.filled + size == self.quantity and not self.marks):
            return None
        self.quantity = self.filled + size
        self.marks &= {"STOPPED"}
        return self.say("RESTATED")

    def _silent(self, size: int) -> Said | None:
        if not self.ended and not self.marks & {"DONE_FOR_DAY", "SUSPENDED"}:
            self.quantity, self.is_silent = self.filled + size + 1, True
        return None
