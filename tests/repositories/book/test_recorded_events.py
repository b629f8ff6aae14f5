"""Every change appends one event to the trader's stream, numbered without gaps."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import cast

from slotbook.models import OrderEvent
from slotbook.models.errors import Refused

from ...support.desk import Desk
from ...support.make import TS, execution, limit
from ...support.raw import Reply, mapping


def test_every_kind_of_change_is_recorded_in_full(desk: Desk) -> None:
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    for order_id, side in [("A1", "BUY"), ("A2", "SELL"), ("A3", "BUY")]:
        orders.place(limit(trader, order_id, side=side, text=f"text of {order_id}"))
    orders.fill(execution(trader, "X1", 40, "187.22", "A1", TS + 1))
    orders.replace(trader, "A1", quantity=90, price="188", request_id="R1", ts_ns=TS + 2, text="less")
    orders.cancel(trader, "A1", request_id="C1", ts_ns=TS + 3, text="enough")
    orders.fill(execution(trader, "X2", 10, "-0.5", "A1", TS + 4))
    orders.reject(trader, "A2", request_id="C1", ts_ns=TS + 5)
    orders.expire(trader, "A3", request_id="E1", ts_ns=TS + 6, text="day is over")
    positions.adjust(trader, "AAPL", -7, request_id="R2", ts_ns=TS + 7)
    positions.set(trader, "AAPL", -2, request_id="R3", ts_ns=TS + 8)

    (writer,) = {event.writer for event in desk.events()}  # every event of one book carries its mark
    assert writer

    def event(sequence: int, **values: object) -> OrderEvent:
        always = {"trader": trader, "sequence": sequence, "symbol": "AAPL", "writer": writer}
        return OrderEvent.model_validate({**always, **values})

    a1 = {"order_id": "A1", "side": "BUY"}
    first = {"quantity": 100, "price": "187.23"}
    second = {"quantity": 90, "price": "188"}
    new = {"type": "NEW", "status": "NEW", "ts_ns": TS, **first}
    assert desk.events() == [
        event(1, **a1, **new, text="text of A1"),
        event(2, order_id="A2", side="SELL", **new, text="text of A2"),
        event(3, order_id="A3", side="BUY", **new, text="text of A3"),
        event(
            4,
            **a1,
            **first,
            type="TRADE",
            ts_ns=TS + 1,
            status="PARTIALLY_FILLED",
            filled_quantity=40,
            exec_id="X1",
            last_quantity=40,
            last_price="187.22",
            position_quantity=40,
        ),
        event(
            5,
            **a1,
            **second,
            type="REPLACED",
            ts_ns=TS + 2,
            status="PARTIALLY_FILLED",
            filled_quantity=40,
            request_id="R1",
            text="less",
        ),
        event(
            6,
            **a1,
            **second,
            type="CANCELED",
            ts_ns=TS + 3,
            status="CANCELED",
            filled_quantity=40,
            request_id="C1",
            text="enough",
        ),
        event(
            7,
            **a1,
            **second,
            type="TRADE",
            ts_ns=TS + 4,
            status="CANCELED",
            filled_quantity=50,
            exec_id="X2",
            last_quantity=10,
            last_price=Decimal("-0.5"),
            late=True,
            position_quantity=50,
        ),
        event(
            8,
            order_id="A2",
            side="SELL",
            **first,
            type="REJECTED",
            ts_ns=TS + 5,
            status="REJECTED",
            filled_quantity=0,
            request_id="C1",
        ),
        event(
            9,
            order_id="A3",
            side="BUY",
            **first,
            type="EXPIRED",
            ts_ns=TS + 6,
            status="EXPIRED",
            filled_quantity=0,
            request_id="E1",
            text="day is over",
        ),
        event(10, type="POSITION", ts_ns=TS + 7, request_id="R2", position_quantity=43, position_change=-7),
        event(11, type="POSITION", ts_ns=TS + 8, request_id="R3", position_quantity=-2, position_change=-45),
    ]


def test_ids_count_from_one_without_gaps(desk: Desk) -> None:
    desk.book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(30)])
    entries = cast("list[tuple[str, object]]", desk.ask("XRANGE", "%:events", "-", "+"))
    assert [entry[0] for entry in entries] == [f"{number}-0" for number in range(1, 31)]


def test_the_sequence_in_a_result_is_the_number_of_its_event(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    adjusted = desk.book.positions.adjust(desk.trader, "AAPL", 1, request_id="R1")
    filled = desk.book.orders.fill(execution(desk.trader, "X1"))
    events = {event.sequence: event for event in desk.events()}
    assert events[adjusted.sequence].request_id == "R1"
    assert events[filled.sequence].exec_id == "X1"


def test_repeats_and_refusals_leave_no_event(desk: Desk) -> None:
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader

    def everything() -> None:
        for ask in (
            lambda: orders.place(limit(trader)),
            lambda: orders.place(limit(trader, quantity=1)),
            lambda: orders.fill(execution(trader, "X1", 40)),
            lambda: orders.fill(execution(trader, "X1", 41)),
            lambda: orders.fill(execution(trader, "X2", 400)),
            lambda: orders.replace(trader, "A1", quantity=90, request_id="R1"),
            lambda: orders.replace(trader, "A1", quantity=91, request_id="R1"),
            lambda: orders.replace(trader, "A1", stop_price="190"),
            lambda: orders.cancel(trader, "A1"),
            lambda: orders.cancel(trader, "A2"),
            lambda: orders.expire(trader, "A1"),
            lambda: positions.adjust(trader, "AAPL", 1, request_id="R2"),
            lambda: positions.check_and_update(trader, "AAPL", 1_000, 10),
        ):
            with contextlib.suppress(Refused):
                ask()

    everything()
    assert [event.type for event in desk.events()] == ["NEW", "TRADE", "REPLACED", "CANCELED", "POSITION"]
    before = desk.contents()
    everything()
    assert desk.contents() == before


def test_reading_leaves_no_event(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.get(desk.trader, "A1")
    desk.book.orders.open(desk.trader)
    desk.book.positions.get(desk.trader, "AAPL")
    desk.book.positions.all(desk.trader)
    assert len(desk.events()) == 1


def test_a_stream_that_is_cut_short_goes_on_counting(desk: Desk) -> None:
    book = desk.open(events_kept=100)
    for start in range(0, 600, 200):
        book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(start, start + 200)])
    sequences = [event.sequence for event in desk.events()]
    assert 100 <= len(sequences) < 600
    assert sequences == list(range(601 - len(sequences), 601))


def test_every_trader_has_a_stream_of_its_own(desk: Desk) -> None:
    other = desk.another()
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.place(limit(other, "B1"))
    assert [(event.sequence, event.order_id) for event in desk.events(other)] == [(1, "B1")]


def test_what_is_remembered_for_a_repeat_keeps_its_form(desk: Desk) -> None:
    """Its values have no names, so their order is part of what is stored, and another version has to read it."""
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    orders.place(limit(trader))
    orders.fill(execution(trader, "X1", 40, "187.22", ts_ns=TS + 1))
    orders.place(limit(trader, "A2", type="STOP_LIMIT", stop_price="190"))
    orders.replace(trader, "A2", quantity=90, stop_price="191", revision=3, request_id="R1", text='"less"|')
    orders.fill(execution(trader, "X1", 30, "187.5", "A2", TS + 3))
    orders.cancel(trader, "A2", request_id="C1")
    orders.fill(execution(trader, "X2", 10, "187.5", "A2", TS + 4))
    positions.adjust(trader, "AAPL", 5, request_id="P1", ts_ns=TS + 5)
    positions.check_and_update(trader, "AAPL", 5, 100, request_id="P2", ts_ns=TS + 6)
    replaced = r'["191","\"less\"|","100","187.23","190","3","","","","",""]'
    canceled = '["191","","100","187.23","190","3","","","","",""]'
    assert desk.ask("HGET", "%:order:A1", "fill:X1") == "2 40 187.22|"
    assert desk.ask("EXISTS", "%:applied:A1") == 0
    assert mapping(desk.ask("HGETALL", "%:applied:A2")) == {
        "request:R1": f"4 REPLACED 90  191 3|{replaced}",
        "fill:X1": f"5 30 187.5|{replaced}",
        "request:C1": f"6 CANCELED|{canceled}",
        "fill:X2": f"7 10 187.5 late|{canceled}",
    }
    assert desk.ask("GET", "%:request:P1") == "8 AAPL ADJUST 5 "
    assert desk.ask("GET", "%:request:P2") == "9 AAPL ADJUST 5 100"


def test_the_header_says_which_event_is_the_last_who_wrote_it_and_the_latest_time(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, ts_ns=TS + 7))
    desk.book.orders.fill(execution(desk.trader, ts_ns=TS + 1))
    [_, (entry_id, fields)] = cast("list[tuple[str, Reply]]", desk.ask("XRANGE", "%:events", "-", "+"))
    last = mapping(fields)
    assert (entry_id, list(last)[:2]) == ("2-0", ["writer", "count"])
    assert mapping(desk.ask("HGETALL", "%:book")) == {
        "format": "1",
        "sequence": "2",
        "writer": last["writer"],
        "count": last["count"],
        "latest_ns": str(TS + 7),
    }


def test_the_totals_after_a_change_are_in_its_event_for_a_repeat(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, "X1", 40, "2.5"))
    desk.book.orders.replace(desk.trader, "A1", quantity=90)
    desk.book.positions.adjust(desk.trader, "AAPL", 5)
    entries = cast("list[tuple[str, Reply]]", desk.ask("XRANGE", "%:events", "-", "+"))
    assert [mapping(fields).get("totals") for _, fields in entries] == [
        None,
        "2  100 1",
        "3 100",
        "40 0 100 0 2 100 0",
    ]
