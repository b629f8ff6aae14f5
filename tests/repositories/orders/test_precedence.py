"""Test that an order shows the first of all statuses that hold, in FIX 4.4's order, after any reports and requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models import (
    Accept,
    Bust,
    Calculate,
    Cancel,
    CancelReject,
    DoneForDay,
    Expire,
    Fill,
    Order,
    PendingCancel,
    PendingReplace,
    Replace,
    Restate,
    Stop,
    Suspend,
    TimeInForce,
)
from slotbook.models.errors import Refused
from slotbook.repositories.orders.verbs import OrderRequest

from ...support.desk import Desk
from ...support.make import NIGHTLY, TS, limit

FIRST = (
    *("PENDING_CANCEL", "PENDING_REPLACE", "DONE_FOR_DAY", "CALCULATED", "FILLED", "STOPPED", "SUSPENDED"),
    *("CANCELED", "EXPIRED", "PARTIALLY_FILLED", "NEW", "PENDING_NEW"),
)
"""The statuses as Volume 4 of FIX 4.4 orders them, the first one first."""


@dataclass
class Facts:
    """All that holds of one order: what has happened, and what was asked."""

    quantity: int
    outlives_the_day: bool
    holds: set[str]
    """PENDING_NEW, DONE_FOR_DAY, STOPPED, SUSPENDED, and the statuses of an end."""
    asked: dict[str, str] = field(default_factory=dict[str, str])
    """The requests that wait for an answer, by their ids."""
    fills: dict[str, int] = field(default_factory=dict[str, int])

    def happens(self, request: OrderRequest) -> None:
        """Take in what a request or a report says that was accepted."""
        match request:
            case Accept():
                self.holds.discard("PENDING_NEW")
            case PendingReplace():
                self.asked[request.client_order_id] = "PENDING_REPLACE"
            case PendingCancel():
                self.asked[request.client_order_id] = "PENDING_CANCEL"
            case CancelReject():
                self.answer(request.client_order_id, *self.asked.values())
            case Replace():
                self.holds.discard("PENDING_NEW")
                self.answer(request.client_order_id, "PENDING_REPLACE")
            case Restate():
                self.holds -= {"DONE_FOR_DAY", "SUSPENDED", "CALCULATED"}
            case DoneForDay() | Stop() | Suspend():
                names: dict[type[object], str] = {DoneForDay: "DONE_FOR_DAY", Stop: "STOPPED", Suspend: "SUSPENDED"}
                self.holds = (self.holds - {"PENDING_NEW"}) | {names[type(request)]}
            case Fill():
                self.holds.discard("PENDING_NEW")
                self.fills[request.exec_id] = int(request.quantity)
            case Bust():
                self.fills[request.exec_ref_id] = 0
            case _:
                ends: dict[type[object], str] = {Cancel: "CANCELED", Expire: "EXPIRED", Calculate: "CALCULATED"}
                self.holds, self.asked = {ends[type(request)]}, {}
        if isinstance(request, Replace | Restate) and request.quantity is not None:
            self.quantity = max(int(request.quantity), self.filled)

    def answer(self, client_order_id: str | None, *kinds: str) -> None:
        for asked in [one for one, kind in self.asked.items() if kind in kinds and client_order_id in (None, one)]:
            del self.asked[asked]

    @property
    def filled(self) -> int:
        return sum(self.fills.values())

    @property
    def has_ended(self) -> bool:
        return bool(self.holds & {"CANCELED", "EXPIRED", "CALCULATED"})

    def shown(self) -> str:
        """Return the first of all that hold; an order that has ended shows its end, also once a fill is late."""
        if self.has_ended:
            return next(iter(self.holds & {"CANCELED", "EXPIRED", "CALCULATED"}))
        also = {"NEW"} if "PENDING_NEW" not in self.holds else set[str]()
        also |= {"FILLED" if self.filled >= self.quantity else "PARTIALLY_FILLED"} if self.filled else set()
        return min(self.holds | also | set(self.asked.values()), key=FIRST.index)

    def left(self) -> int:
        """Return LeavesQty: with CumQty it makes OrderQty, unless the order, or its day, is over."""
        is_over = self.has_ended or ("DONE_FOR_DAY" in self.holds and not self.outlives_the_day)
        return 0 if is_over else self.quantity - self.filled


IDS = st.sampled_from(["C1", "C2", "C3"])
QUANTITIES = st.sampled_from([4, 5, 10, 15])


def about(kind: Callable[..., OrderRequest], **values: st.SearchStrategy[object]) -> st.SearchStrategy[OrderRequest]:
    return st.fixed_dictionaries(values).map(lambda drawn: kind(trader="T", order_id="A1", ts_ns=TS, **drawn))


HOLDING = st.one_of(
    about(DoneForDay), about(Stop), about(Suspend), about(Replace, quantity=QUANTITIES),
    about(Fill, exec_id=st.sampled_from("XYZ"), quantity=st.sampled_from([5, 10]), price=st.just(1)),
)  # fmt: skip
"""Steps after which nothing waits for an answer, which would be shown first."""
STEPS = st.one_of(
    about(Accept), about(DoneForDay), about(DoneForDay), about(Stop), about(Suspend), about(Restate),
    about(Restate, quantity=QUANTITIES), about(Replace, quantity=QUANTITIES, client_order_id=st.none() | IDS),
    about(PendingCancel, client_order_id=IDS), about(PendingReplace, client_order_id=IDS),
    about(PendingCancel, client_order_id=IDS), about(CancelReject, client_order_id=st.none() | IDS),
    *[about(Fill, exec_id=st.sampled_from("XYZ"), quantity=st.sampled_from([4, 5, 5, 10]), price=st.just(1))] * 4,
    about(Bust, exec_id=st.sampled_from("BD"), exec_ref_id=st.sampled_from("XYZ")),
)  # fmt: skip
ENDS = st.one_of(about(Cancel), about(Expire), about(Calculate))
HISTORIES = st.tuples(
    st.lists(STEPS, min_size=4, max_size=12) | st.lists(HOLDING, min_size=2, max_size=6),
    st.lists(ENDS, max_size=1),
    st.lists(STEPS, max_size=4),
).map(lambda parts: [step for part in parts for step in part])


def check(desk: Desk, order: Order, steps: Sequence[OrderRequest]) -> None:
    """Carry out steps, and compare what each leaves."""
    facts = Facts(int(order.quantity), order.time_in_force is TimeInForce.GTC, {"PENDING_NEW"} & {order.status.value})
    requests = [step.model_copy(update={"trader": order.trader}) for step in steps]
    outcomes = desk.book.orders.apply_many([order, *requests])[1:]
    told: list[str] = []
    for request, outcome in zip(requests, outcomes, strict=True):
        if outcome.error is not None:
            assert isinstance(outcome.error, Refused), outcome.error
            continue
        result = outcome.result()
        if not result.applied:
            continue
        facts.happens(request)
        told.append(type(request).__name__)
        now = result.order
        assert (now.status, now.filled_quantity) == (facts.shown(), facts.filled), told
        assert (now.quantity, now.open_quantity) == (facts.quantity, facts.left()), told
        assert {one.client_order_id: one.status.value for one in now.pending_requests} == facts.asked, told
        is_waiting = bool(facts.asked) or "PENDING_NEW" in facts.holds
        assert is_waiting is (now.pending is not None or "PENDING_NEW" in (now.marks or "")), told


def test_whatever_is_asked_and_reported_the_first_of_all_that_hold_is_shown(lone_desk: Desk) -> None:
    traders: list[str] = []

    @settings(
        derandomize=not NIGHTLY,
        max_examples=2_000 if NIGHTLY else 100,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(HISTORIES, st.sampled_from(["NEW", "PENDING_NEW"]), st.sampled_from(["DAY", "GTC"]))
    def run(steps: list[OrderRequest], status: str, time_in_force: str) -> None:
        traders.append(lone_desk.another())
        order = limit(traders[-1], quantity=10, status=status, time_in_force=time_in_force)
        check(lone_desk, order, steps)

    run()
    assert all(lone_desk.book.audit.verify(trader) == [] for trader in traders)


def test_statuses_are_first_in_the_order_of_their_numbers() -> None:
    statuses = {status.value: status.precedence for status in type(limit("T").status)}
    assert sorted(FIRST, key=lambda one: -statuses[one]) == list(FIRST)
