"""Apply a journal to a book of whose events some are no longer kept: nothing twice, and nothing to another order."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models import Cancel, Replace, Side
from slotbook.models.errors import CorruptRecord, Refused

from ...support.desk import Desk
from ...support.life import day, fates, forget
from ...support.make import TS, execution, limit


@pytest.mark.parametrize(("left", "known"), [(0, 1), (1, 3), (3, 5)])
def test_rows_older_than_what_is_kept_are_refused(desk: Desk, left: int, known: int) -> None:
    """Of the first day nothing is kept, of the second the last events, which prove its order, and the open order."""
    opened = limit(desk.trader, "OPEN", ts_ns=TS + 2)
    first, second, third = (day(desk.trader, name, TS + 100 * n) for n, name in enumerate(("A1", "A2", "A3")))
    desk.book.reconcile([*first, opened, *second])
    for order_id in ("A1", "A2"):
        desk.book.orders.delete(desk.trader, order_id)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", left)
    held = desk.book.positions.get(desk.trader, "AAPL")
    done = desk.book.reconcile([*first, opened, *second])
    assert desk.book.positions.get(desk.trader, "AAPL") == held
    assert done.applied == 0
    assert (done.repeated, done.refused) == (known, 11 - known)
    assert {type(refusal.error) for refusal in done.refusals} == {Refused}
    assert all("too old" in refusal.reason for refusal in done.refusals)
    done = desk.book.reconcile(third)
    assert (done.applied, done.refused) == ((0, 5) if left == 0 else (5, 0))
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == held.quantity + (50 if left else 0)


def test_an_event_removed_from_the_middle_is_missed_too(desk: Desk) -> None:
    first, second = day(desk.trader, "A1"), day(desk.trader, "A2", TS + 100)
    desk.book.reconcile([*first, *second])
    desk.book.orders.delete(desk.trader, "A1")
    desk.vandalise("XDEL", "%:events", *(f"{number}-0" for number in range(1, 6)))
    done = desk.book.reconcile([*first, *second])
    assert fates(done) == (0, 5, 0, 5, 0)
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == 100


def test_rows_of_the_time_of_the_first_kept_event_are_as_old(desk: Desk) -> None:
    """Events of one second, by a clock that has no smaller unit: some are kept, some are not."""
    first, second = limit(desk.trader, "A1"), limit(desk.trader, "A2")
    desk.book.reconcile([first, Cancel(trader=desk.trader, order_id="A1", request_id="C1", ts_ns=TS), second])
    desk.book.orders.delete(desk.trader, "A1")
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 1)
    assert fates(desk.book.reconcile([first, second])) == (0, 1, 0, 1, 0)


def test_an_id_that_was_used_for_another_order_since(desk: Desk) -> None:
    journal = day(desk.trader)
    desk.book.reconcile(journal)
    forget(desk, desk.book, "deleted")
    desk.book.orders.place(limit(desk.trader, quantity=1_000))
    before = desk.contents()
    assert fates(desk.book.reconcile(journal)) == (0, 5, 0, 0, 0)
    assert desk.contents() == before
    more = execution(desk.trader, "Z1", 5)
    assert fates(desk.book.reconcile([limit(desk.trader, quantity=1_000), more])) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize("batch", [1, 1_000])
def test_what_was_trimmed_is_not_applied_to_another_order_of_the_same_id(desk: Desk, batch: int) -> None:
    first = day(desk.trader)
    second = limit(desk.trader, quantity=1_000, ts_ns=TS + 100)
    desk.book.reconcile(first)
    forget(desk, desk.book, "deleted")
    desk.book.orders.place(second)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 1)
    before = desk.contents()
    done = desk.book.reconcile([*first, second], batch=batch)
    assert fates(done) == (0, 1, 0, 5, 0)
    assert all("too old" in refusal.reason for refusal in done.refusals[1:])
    assert desk.contents() == before


@pytest.mark.parametrize("batch", [1, 1_000])
def test_what_is_too_old_does_not_wait_for_another_order_of_the_same_id(desk: Desk, batch: int) -> None:
    first = day(desk.trader)
    desk.book.reconcile(first)
    forget(desk, desk.book, "deleted")
    desk.book.orders.place(limit(desk.trader, "Z1", ts_ns=TS + 50))
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 1)
    second = limit(desk.trader, quantity=1_000, ts_ns=TS + 100)
    assert fates(desk.book.reconcile([*first, second], batch=batch)) == (1, 0, 0, 5, 0)
    assert fates(desk.book.reconcile([*first, second], batch=batch)) == (0, 1, 0, 5, 0)
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == 50


@pytest.mark.parametrize("trim", ["all but the old day", "everything"])
def test_what_was_trimmed_may_be_later_than_all_that_is_kept(desk: Desk, trim: str) -> None:
    """A live day, then the journal of another year, then the live day's journal again."""
    year = 365 * 24 * 3600 * 10**9
    live, old = day(desk.trader, "A1"), day(desk.trader, "A2", TS - year)
    desk.book.reconcile(live)
    desk.book.reconcile(old)
    for order_id in ("A1", "A2"):
        desk.book.orders.delete(desk.trader, order_id)
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 5 if trim == "all but the old day" else 0)
    held = desk.book.positions.get(desk.trader, "AAPL")
    known = 5 if trim == "all but the old day" else 0
    assert fates(desk.book.reconcile(live)) == (0, 0, 0, 5, 0)
    assert fates(desk.book.reconcile(old)) == (0, known, 0, 5 - known, 0)
    assert desk.book.positions.get(desk.trader, "AAPL") == held
    assert fates(desk.book.reconcile(day(desk.trader, "A3", TS + 5))) == (
        (5, 0, 0, 0, 0) if trim == "all but the old day" else (0, 0, 0, 5, 0)
    )


def test_the_latest_time_is_that_of_any_event_whatever_its_number_of_digits(desk: Desk) -> None:
    """In 2001 the number of nanoseconds since 1970 got a digit more."""
    before, after = 999_999_999 * 10**9, 1_000_000_001 * 10**9
    for number, ts_ns in enumerate((before, after, before + 1)):
        desk.book.orders.place(limit(desk.trader, f"A{number}", ts_ns=ts_ns))
        assert desk.ask("HGET", "%:book", "latest_ns") == str(before if number == 0 else after)


def test_a_stream_that_is_ahead_of_the_header_has_its_times_noted(desk: Desk) -> None:
    """A user may have been denied the header, so that a change was not finished."""
    desk.book.orders.place(limit(desk.trader, "A1"))
    [(_, event)] = cast("list[tuple[str, list[str]]]", desk.ask("XRANGE", "%:events", "-", "+"))
    at = event.index("ts_ns") + 1
    ahead = [*event[:at], str(TS + 1_000), *event[at + 1 :]]
    desk.vandalise("XADD", "%:events", "2-0", *ahead)
    desk.book.orders.place(limit(desk.trader, "A3", ts_ns=TS + 1))
    assert desk.ask("HGET", "%:book", "latest_ns") == str(TS + 1_000)
    desk.vandalise("DEL", "%:book")
    desk.open().orders.place(limit(desk.trader, "A4", ts_ns=TS + 2))
    assert desk.ask("HGET", "%:book", "latest_ns") == str(TS + 1_000)


@pytest.mark.parametrize("odd", ["x", "-1", "1.5", "1" * 20])
def test_a_header_whose_time_cannot_be_right_is_reported(desk: Desk, odd: str) -> None:
    desk.book.orders.place(limit(desk.trader, "A1"))
    desk.vandalise("HSET", "%:book", "latest_ns", odd)
    with pytest.raises(CorruptRecord, match="latest_ns"):
        desk.book.reconcile([limit(desk.trader, "A1")])


def test_events_that_were_applied_out_of_order_tell_no_too_early_time(desk: Desk) -> None:
    """The last event is the first of the day by its time: it was allowed by those before it only."""
    journal = [
        limit(desk.trader, "A1", quantity=100, ts_ns=TS),
        execution(desk.trader, "X1", 150, order_id="A1", ts_ns=TS + 1),
        limit(desk.trader, "B1", quantity=100, ts_ns=TS + 2),
        execution(desk.trader, "X2", 100, order_id="B1", ts_ns=TS + 3),
        Replace(trader=desk.trader, order_id="A1", request_id="R1", quantity=200, ts_ns=TS + 4),
    ]
    assert fates(desk.book.reconcile(journal)) == (5, 0, 0, 0, 0)
    desk.book.orders.delete(desk.trader, "B1")
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 2)
    assert fates(desk.book.reconcile(journal)) == (0, 3, 0, 2, 0)
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == 250


def test_a_change_of_an_earlier_order_is_not_that_of_a_later_one_with_another_symbol(desk: Desk) -> None:
    first = [limit(desk.trader, ts_ns=TS), execution(desk.trader, "X1", 100, ts_ns=TS + 1)]
    desk.book.reconcile(first)
    forget(desk, desk.book, "deleted")
    second = limit(desk.trader, symbol="MSFT", side=Side.SELL, ts_ns=TS + 2)
    desk.book.orders.place(second)
    fill = execution(desk.trader, "X1", 100, ts_ns=TS + 3).model_copy(update={"symbol": "MSFT", "side": Side.SELL})
    assert fates(desk.book.reconcile([second, fill])) == (1, 1, 0, 0, 0)
    assert desk.book.positions.get(desk.trader, "MSFT").quantity == -100
    assert fates(desk.book.reconcile([second, fill])) == (0, 2, 0, 0, 0)
