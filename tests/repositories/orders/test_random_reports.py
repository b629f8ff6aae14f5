"""Property: the book is what a venue says, whatever it reports, also when reports come twice, late or out of order."""

from __future__ import annotations

from typing import TypeAlias, cast

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slotbook.models import CancelReject, ExecType, ExecutionReport, Order, ReportResult, errors

from ...support.desk import Desk
from ...support.make import NIGHTLY, limit
from ...support.venue import ACTIONS, Said, Venue

Actions: TypeAlias = "list[tuple[str, int]]"
examples = settings(
    max_examples=300 if NIGHTLY else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Each example has a trader of its own."""
actions = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 60)), max_size=14)


def order_of(desk: Desk, trader: str) -> Order:
    order = desk.book.orders.get(trader, "A1")
    assert order is not None
    return order


def expected_differences(said: Said, order: Order) -> set[str]:
    """Return the fields of a report that the order contradicts, by hand."""
    if isinstance(said, CancelReject):
        return set() if said.status == order.status else {"status"}
    pairs: dict[str, tuple[object, object]] = {
        "status": (said.status, order.status),
        "quantity": (said.quantity, order.quantity),
        "cumulative_quantity": (said.cumulative_quantity, order.filled_quantity),
        "open_quantity": (said.open_quantity, order.open_quantity),
    }
    if said.exec_type is ExecType.REPLACED:
        pairs["client_order_id"] = (said.client_order_id, order.client_order_id)
    return {name for name, (theirs, ours) in pairs.items() if theirs != ours}


def check(said: Said, result: ReportResult) -> None:
    """Check that what is said to differ does, and nothing else."""
    assert {one.field for one in result.differences} == expected_differences(said, result.order)


@examples
@given(happened=actions, repeats=st.lists(st.integers(0, 50), max_size=14))
@example(happened=[("fill", 100), ("silent", 1), ("cancel", 41)], repeats=[0, 0, 1, 2])
def test_the_order_is_what_the_venue_says(lone_desk: Desk, happened: Actions, repeats: list[int]) -> None:
    desk, trader = lone_desk, lone_desk.another()
    venue, orders = Venue(trader), desk.book.orders
    orders.place(limit(trader, status="PENDING_NEW"))
    told: list[tuple[Said, ReportResult]] = []
    order, said = order_of(desk, trader), cast("Said | None", venue.accept())
    for number, (action, size) in enumerate([*happened, ("fill", 1)]):
        if said is not None:
            result = orders.apply(said)
            check(said, result)
            assert (result.applied, result.differences) == (True, ()), said
            told.append((said, result))
            order = order_of(desk, trader)
            assert (order.status, order.filled_quantity) == (venue.status, venue.filled), said
            if isinstance(said, ExecutionReport):
                assert (order.quantity, order.open_quantity) == (said.quantity, said.open_quantity), said
        for chosen in repeats[number : number + 1]:
            events, (again, first) = len(desk.events(trader)), told[chosen % len(told)]
            repeated = orders.apply(again)
            assert (repeated.applied, repeated.order) == (False, first.order), again
            check(again, repeated)
            assert (len(desk.events(trader)), order_of(desk, trader)) == (events, order), again
        said = venue.happen(action, size)
    position = desk.book.positions.get(trader, "AAPL")
    assert position is None or position.quantity == order_of(desk, trader).filled_quantity
    assert desk.book.audit.verify(trader) == []


@examples
@given(happened=actions, shuffle=st.randoms(use_true_random=False), side_by_side=st.booleans())
def test_reports_in_any_order_lose_and_double_nothing(
    lone_desk: Desk, happened: Actions, shuffle: object, side_by_side: bool
) -> None:
    """Executions count once, whenever they come; those that do not fit yet are refused, and fit when all is there."""
    desk, trader = lone_desk, lone_desk.another()
    venue, orders = Venue(trader), desk.book.orders
    orders.place(limit(trader, status="PENDING_NEW"))
    reports: list[Said] = [venue.accept()]
    for action, size in happened:
        said = venue.happen(action, size)
        if said is not None:
            reports.append(said)
    waiting = [*reports, *reports]
    shuffle.shuffle(waiting)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    executions = [
        one for one in reports if isinstance(one, ExecutionReport) and one.exec_type.value.startswith("TRADE")
    ]
    for _ in range(len(executions) + 2):
        before, refused = len(desk.events(trader)), list[Said]()
        outcomes = orders.apply_many(waiting) if side_by_side else [None] * len(waiting)
        for said, outcome in zip(waiting, outcomes, strict=True):
            try:
                result = orders.apply(said) if outcome is None else outcome.result()
            except (errors.ExecutionNotFound, errors.Overfill, errors.OrderMismatch):
                refused.append(said)
            else:
                assert isinstance(result, ReportResult)
                check(said, result)
        waiting = refused
        if len(desk.events(trader)) == before:
            break
    order, position = order_of(desk, trader), desk.book.positions.get(trader, "AAPL")
    taken = [one for one in executions if one not in waiting]
    assert len(orders.fills(trader, "A1")) == len({one.exec_id for one in taken if one.exec_type is ExecType.TRADE})
    assert (position.quantity if position else 0) == order.filled_quantity
    if not any(one in waiting for one in executions):
        assert order.filled_quantity == venue.filled
    assert desk.book.audit.verify(trader) == []
