"""Apply a journal: each row once, whatever is kept of the orders, and each row with one fate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import Cancel, Fill, Order, OrderType, Replace, Side
from slotbook.models.errors import (
    DuplicateOrder,
    DuplicateRequest,
    InvalidArgument,
    OrderMismatch,
    OrderNotFound,
    Overfill,
)
from slotbook.models.journal import JournalEntry, JournalError, JournalRequest, RefusedRow
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.journal_run import JournalRun, RowsToSend, RunStep, RunSteps
from slotbook.repositories.orders.reconciliation import Reconciliation
from slotbook.repositories.orders.verbs import OrderRequest

from ...support.desk import Desk
from ...support.life import BRIEF, day, fates, forget
from ...support.make import TS, execution, limit


def errors(done: Reconciliation) -> list[tuple[int, type[Exception]]]:
    return [(refusal.place, type(refusal.error)) for refusal in done.refusals]


@pytest.mark.parametrize("how", ["expired", "deleted"])
def test_a_journal_again_after_its_orders_are_gone_changes_nothing(desk: Desk, how: str) -> None:
    journal = day(desk.trader)
    book = desk.open(**(BRIEF if how == "expired" else {}))
    assert fates(book.reconcile(journal)) == (5, 0, 0, 0, 0)
    held = book.positions.get(desk.trader, "AAPL")
    forget(desk, book, how)
    before = desk.contents()
    for batch in (1, 1_000):
        done = book.reconcile(journal, batch=batch)
        assert fates(done) == (0, 5, 0, 0, 0)
        assert done.is_complete
    assert desk.contents() == before
    assert book.positions.get(desk.trader, "AAPL") == held
    assert held.quantity == 50
    assert book.losses() == []


def test_other_content_of_an_order_that_is_gone_is_refused(desk: Desk) -> None:
    placed, filled, replaced, _, canceled = journal = day(desk.trader)
    assert isinstance(placed, Order)
    assert isinstance(filled, Fill)
    assert isinstance(replaced, Replace)
    assert isinstance(canceled, Cancel)
    desk.book.reconcile(journal)
    forget(desk, desk.book, "deleted")
    before = desk.contents()
    others: list[tuple[OrderRequest, type[Exception]]] = [
        (placed.model_copy(update={"quantity": 101}), DuplicateOrder),
        (placed.model_copy(update={"price": Decimal("187.24")}), DuplicateOrder),
        (placed.model_copy(update={"symbol": "MSFT"}), DuplicateOrder),
        (placed.model_copy(update={"side": Side.SELL}), DuplicateOrder),
        (filled.model_copy(update={"quantity": 41}), DuplicateRequest),
        (filled.model_copy(update={"price": Decimal(187)}), DuplicateRequest),
        (filled.model_copy(update={"symbol": "MSFT"}), OrderMismatch),
        (filled.model_copy(update={"side": Side.SELL}), OrderMismatch),
        (filled.model_copy(update={"exec_id": "X2"}), OrderNotFound),
        (filled.model_copy(update={"exec_id": "R-A1"}), OrderNotFound),
        (replaced.model_copy(update={"quantity": 81}), DuplicateRequest),
        (replaced.model_copy(update={"price": Decimal(187)}), DuplicateRequest),
        (replaced.model_copy(update={"request_id": "C-A1"}), DuplicateRequest),
        (replaced.model_copy(update={"request_id": "X-A1"}), OrderNotFound),
        (canceled.model_copy(update={"request_id": "R-A1"}), DuplicateRequest),
        (canceled.model_copy(update={"symbol": "MSFT"}), OrderMismatch),
        (canceled.model_copy(update={"request_id": "C2"}), OrderNotFound),
    ]
    done = desk.book.reconcile([request for request, _ in others])
    assert errors(done) == [(place, kind) for place, (_, kind) in enumerate(others)]
    assert fates(done) == (0, 0, 0, len(others), 0)
    said = [filled.model_copy(update={"symbol": "AAPL", "side": Side.BUY}), replaced.model_copy(update={"price": None})]
    assert fates(desk.book.reconcile(said)) == (0, 2, 0, 0, 0)
    assert desk.contents() == before


def test_an_order_that_expires_within_a_run_is_known(lone_desk: Desk) -> None:
    book = lone_desk.open(**BRIEF)
    journal = day(lone_desk.trader)

    def slowly(done: Reconciliation) -> None:
        if done.rows == len(journal):
            forget(lone_desk, book, "expired")

    done = book.reconcile([*journal, *journal], batch=len(journal), progress=slowly)
    assert fates(done) == (5, 5, 0, 0, 0)
    assert book.positions.get(lone_desk.trader, "AAPL").quantity == 50


def answered(steps: RunSteps[Reconciliation], answer: object) -> RunStep | None:
    """Return the step that comes after an answer, None at the end."""
    try:
        return steps.send(answer)
    except StopIteration:
        return None


def test_an_order_that_expires_before_its_row_arrives_is_not_placed_again(lone_desk: Desk) -> None:
    """It is there when it is asked for, and gone when what is sent arrives, within the time that a call may take."""
    book = lone_desk.open(**BRIEF)
    journal = day(lone_desk.trader)
    book.reconcile(journal)
    run = JournalRun(book.backend.settings, LossDetector(), None)
    steps = run.apply(journal, 10)
    step: RunStep | None = next(steps)
    while step is not None:
        if isinstance(step, RowsToSend):
            forget(lone_desk, book, "expired")
            step = answered(steps, book.orders.apply_many(step.requests))
        else:
            step = answered(steps, book.backend.run_many(step))
    assert fates(run.tally) == (0, 5, 0, 0, 0)
    assert book.positions.get(lone_desk.trader, "AAPL").quantity == 50


def test_a_long_stream_is_read_page_by_page(lone_desk: Desk) -> None:
    """More events than one call reads, of several traders."""
    traders = [lone_desk.trader, lone_desk.another()]
    # The first order shifts the others, so that a page does not begin with an order's first event.
    journal: list[OrderRequest] = [limit(trader, "FIRST") for trader in traders]
    journal += [row for trader in traders for n in range(450) for row in day(trader, f"A{n}", TS + 10 * n)]
    lone_desk.book.reconcile(journal)
    gone = [(trader, f"A{n}") for trader in traders for n in range(450)]
    for trader, order_id in gone:
        lone_desk.book.orders.delete(trader, order_id)
    done = lone_desk.book.reconcile(journal, batch=700)
    assert fates(done) == (0, len(journal), 0, 0, 0)
    assert [lone_desk.book.positions.get(trader, "AAPL").quantity for trader in traders] == [50 * 450] * 2


def test_of_many_orders_on_a_page_each_is_asked_about(lone_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one call asks about; every other order is gone."""
    monkeypatch.setattr("slotbook.repositories.orders.journal_run.MOST_ORDERS_OF_ONE", 3)
    trader = lone_desk.trader
    journal = [row for n in range(8) for row in day(trader, f"A{n}", TS + 10 * n)]
    assert fates(lone_desk.book.reconcile(journal)) == (len(journal), 0, 0, 0, 0)
    for n in range(0, 8, 2):
        lone_desk.book.orders.delete(trader, f"A{n}")
    assert fates(lone_desk.book.reconcile(journal)) == (0, len(journal), 0, 0, 0)


def out_of_order(trader: str) -> list[OrderRequest]:
    """Return rows of which three stand before what they wait for: for a pass, and for two."""
    placed, filled, replaced, _, canceled = day(trader)
    raised = replaced.model_copy(update={"quantity": 250})
    return [canceled, execution(trader, "BIG", 150), filled, raised, placed]


@pytest.mark.parametrize("batch", [1, 2, 1_000])
def test_one_run_applies_what_stands_in_the_wrong_order(desk: Desk, batch: int) -> None:
    canceled, big, filled, raised, placed = journal = out_of_order(desk.trader)
    done = desk.book.reconcile(journal, batch=batch)
    # Placed in the first pass; canceled, filled and refused because it is canceled in the second.
    assert [row.request for row in done.out_of_order] == [canceled, filled]
    assert [(refusal.request, refusal.place) for refusal in done.refusals] == [(big, 1), (raised, 3)]
    assert fates(done) == (3, 0, 0, 2, 0)
    assert fates(desk.book.reconcile(journal)) == (0, 3, 0, 2, 0)
    other = desk.another()
    _, big, filled, raised, placed = journal = out_of_order(other)
    done = desk.book.reconcile([big, filled, raised, placed], batch=batch)
    assert [row.request for row in done.out_of_order] == [filled, raised, big]
    assert [row.place for row in done.out_of_order] == [1, 2, 0]
    assert fates(done) == (4, 0, 0, 0, 0)
    again = desk.book.reconcile([big, filled, raised, placed], batch=batch)
    assert (fates(again), again.out_of_order) == ((0, 4, 0, 0, 0), [])
    assert desk.book.positions.get(other, "AAPL").quantity == 190


def test_what_waits_when_the_passes_end_would_apply_in_another_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotbook.repositories.orders.journal_run.MOST_PASSES", 2)
    _, big, filled, raised, placed = out_of_order(desk.trader)
    journal = [big, filled, raised, placed]
    done = desk.book.reconcile(journal)
    assert [(one.place, one.request, type(one.error)) for one in done.unsettled] == [(0, big, Overfill)]
    assert (fates(done), done.settled, done.is_complete) == ((3, 0, 0, 0, 1), 4, False)
    done = desk.book.reconcile(journal)
    assert (fates(done), done.is_complete) == ((1, 3, 0, 0, 0), True)
    assert fates(desk.book.reconcile([*journal, execution(desk.trader, "Z", 900)])) == (0, 4, 0, 1, 0)


def test_what_comes_too_late_is_out_of_date(desk: Desk) -> None:
    placed, filled, replaced, _, canceled = day(desk.trader)
    assert isinstance(replaced, Replace)
    late = replaced.model_copy(update={"request_id": "R0", "revision": 0, "quantity": 77})
    again = canceled.model_copy(update={"request_id": "C2"})
    journal = [placed, filled, replaced, late, canceled, again]
    for expected in ((4, 0, 2, 0, 0), (0, 4, 2, 0, 0)):
        done = desk.book.reconcile(journal)
        assert fates(done) == expected
        assert not done.is_complete
        assert [(row.place, row.request) for row in done.outdated] == [(3, late), (5, again)]
        assert "revision 1 was applied" in done.outdated[0].reason
        assert "CANCELED already" in done.outdated[1].reason
    order = desk.book.orders.get(desk.trader, "A1")
    assert order is not None
    assert order.quantity == 80


def test_a_refusal_of_the_server_lets_the_rest_go_on(desk: Desk) -> None:
    """A price for a MARKET order, which has none."""
    market = Order(trader=desk.trader, order_id="M1", symbol="AAPL", side=Side.SELL, type=OrderType.MARKET, quantity=9)
    priced = Replace(trader=desk.trader, order_id="M1", request_id="R1", quantity=8, price=Decimal(5))
    journal = [market, priced, execution(desk.trader, "X9", 9, order_id="M1"), *day(desk.trader)]
    done = desk.book.reconcile(journal)
    assert (fates(done), errors(done)) == ((7, 0, 0, 1, 0), [(1, OrderMismatch)])
    assert "MARKET order takes no price" in done.refusals[0].reason
    assert fates(desk.book.reconcile(journal)) == (0, 7, 0, 1, 0)


def test_a_row_that_cannot_be_sent_lets_the_rest_go_on(desk: Desk) -> None:
    worn = limit(desk.trader, "A2").model_copy(update={"version": 3})
    done = desk.book.reconcile([worn, *day(desk.trader)])
    assert (fates(done), errors(done)) == ((5, 0, 0, 1, 0), [(0, InvalidArgument)])


def test_rows_of_a_journal_are_named_by_their_lines(lone_desk: Desk) -> None:
    rows = [*cast("list[JournalRequest]", day(lone_desk.trader)), execution(lone_desk.trader, "Z", order_id="A9")]
    entries = [JournalEntry(2 * number, row, "AAPL") for number, row in enumerate(rows, 1)]
    bad = RefusedRow(13, JournalError(13, "quantity '0': is none"))
    seen: list[int] = []
    done = lone_desk.book.reconcile([*entries, bad, bad], batch=4, progress=lambda done: seen.append(done.rows))
    assert (done.rows, done.settled, fates(done)) == (8, 8, (5, 0, 0, 3, 0))
    assert [(one.place, one.request, one.reason) for one in done.refusals[1:]] == [(13, None, bad.error.problem)] * 2
    assert (done.refusals[0].place, done.refusals[0].request) == (12, rows[-1])
    assert done.refusals[0].reason.startswith("fill Z of ")
    assert seen == [4, 8, 8, 8]  # the second pass, and the end


@pytest.mark.parametrize("wrong", [5, "A1", None, [limit("T1")]])
def test_what_is_no_row_is_an_error(lone_desk: Desk, wrong: object) -> None:
    journal: Sequence[object] = [*day(lone_desk.trader), wrong]
    with pytest.raises(InvalidArgument):
        lone_desk.book.reconcile(journal)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
