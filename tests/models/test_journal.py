"""Journals are read strictly: a bad line is an error that names the line and the problem."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import Cancel, Fill, Order, OrderType, Replace, Side
from slotbook.models.errors import InvalidArgument
from slotbook.models.journal import COLUMNS, JournalEntry, JournalError, JournalRequest, read_journal

HEADER = ",".join(COLUMNS) + "\n"
NEW = "1,11,T001,NEW,A1,ESH4,BUY,10,4799.25,\n"


def read(*lines: str) -> list[JournalEntry]:
    return list(read_journal([HEADER, *lines]))


def one(line: str) -> JournalRequest:
    [entry] = read(line)
    return entry.request


def test_new_places_a_limit_order() -> None:
    assert one(NEW) == Order(
        trader="T001", order_id="A1", symbol="ESH4", side=Side.BUY, quantity=10, price=Decimal("4799.25"), ts_ns=11
    )
    request = one(NEW)
    assert isinstance(request, Order)
    assert request.type is OrderType.LIMIT


def test_replace_is_named_and_ordered_by_its_seq() -> None:
    assert one("7,11,T001,REPLACE,A1,ESH4,BUY,4,-0.5,\n") == Replace(
        trader="T001",
        order_id="A1",
        symbol="ESH4",
        side=Side.BUY,
        request_id="7",
        revision=7,
        quantity=4,
        price=Decimal("-0.5"),
        ts_ns=11,
    )


@pytest.mark.parametrize("terms", [",", "3,4799"])
def test_cancel_needs_no_terms(terms: str) -> None:
    request = one(f"1,11,T001,CANCEL,A1,ESH4,BUY,{terms},\n")
    assert isinstance(request, Cancel)
    assert request == Cancel(trader="T001", order_id="A1", symbol="ESH4", side=Side.BUY, request_id="1", ts_ns=11)


def test_fill() -> None:
    assert one("1,11,T001,FILL,A1,ESH4,SELL,3,4799,X-1\n") == Fill(
        trader="T001",
        order_id="A1",
        symbol="ESH4",
        side=Side.SELL,
        exec_id="X-1",
        quantity=3,
        price=Decimal(4799),
        ts_ns=11,
    )


def test_entries_carry_their_line_and_symbol() -> None:
    entries = read(NEW, NEW.replace("1,", "5,", 1).replace("ESH4", "NQH4"))
    assert [(entry.line, entry.symbol) for entry in entries] == [(2, "ESH4"), (3, "NQH4")]


def test_windows_line_ends_and_a_header_alone() -> None:
    assert [entry.line for entry in read_journal([HEADER.replace("\n", "\r\n"), NEW.replace("\n", "\r\n")])] == [2]
    assert read() == []


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("", "not ''"),
        ("seq,ts_ns\n", "not 'seq,ts_ns'"),
        (HEADER.replace("\n", ",venue\n"), "exec_id,venue'"),
        (HEADER.upper(), "not 'SEQ,TS_NS,.*EXEC_ID'"),
    ],
)
def test_another_header(header: str, shown: str) -> None:
    with pytest.raises(JournalError, match=f"^line 1: the header must be seq,ts_ns,.*{shown}$"):
        list(read_journal([header, NEW] if header else []))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2,11,T001,NEW,A1,ESH4,BUY,10,4799\n", "has 9 columns in place of 10"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,4799,,\n", "has 11 columns in place of 10"),
        ("\n", "has 0 columns in place of 10"),
        ("two,11,T001,NEW,A1,ESH4,BUY,10,4799,\n", "seq 'two': 'two' is not a whole number"),
        ("2,1e3,T001,NEW,A1,ESH4,BUY,10,4799,\n", "ts_ns '1e3': '1e3' is not a whole number"),
        ("2,-1,T001,NEW,A1,ESH4,BUY,10,4799,\n", "ts_ns '-1': .* greater than or equal to 0"),
        ("2,11,T001,NEW,A1,ESH4,BUY,1.5,4799,\n", "quantity '1.5': '1.5' is not a whole number"),
        ("2,11,T001,NEW,A1,ESH4,BUY,0,4799,\n", "quantity '0': .* greater than 0"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,nan,\n", "price 'nan': 'nan' is not a decimal number"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,1.0000000001,\n", "price '1.0000000001': .* more than 9 decimal places"),
        ("2,11,T001,CANCEL,A1,ESH4,BUY,x,,\n", "quantity 'x': 'x' is not a whole number"),
        ("2,11,T001,TRADE,A1,ESH4,BUY,10,4799,\n", "event 'TRADE': Input should be 'NEW', 'REPLACE', 'CANCEL' or"),
        ("2,11,T001,NEW,A1,ESH4,buy,10,4799,\n", "side 'buy': Input should be 'BUY' or 'SELL'"),
        ("2,11,T{1},NEW,A1,ESH4,BUY,10,4799,\n", r"trader 'T\{1\}': "),
        ("2,11,T\udcff,NEW,A1,ESH4,BUY,10,4799,\n", r"trader 'T\\udcff': "),
        ("2,11,,NEW,A1,ESH4,BUY,10,4799,\n", "trader is empty"),
        ("2,11,T001,NEW,A1,ESH4,BUY,,4799,\n", "quantity is empty"),
        ("2,11,T001,REPLACE,A1,ESH4,BUY,10,,\n", "price is empty"),
        ("2,11,T001,FILL,A1,ESH4,BUY,10,4799,\n", "exec_id is empty"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,4799,X1\n", "exec_id 'X1': only a FILL has one, this is a NEW"),
        ("1,11,T001,NEW,A2,ESH4,BUY,10,4799,\n", "seq 1 does not come after 1"),
        ("0,11,T001,NEW,A2,ESH4,BUY,10,4799,\n", "seq 0 does not come after 1"),
        ('2,11,"T001,NEW,A1,ESH4,BUY,10,4799,\n', "is not CSV: unexpected end of data"),
        ('2,11,"T"001,NEW,A1,ESH4,BUY,10,4799,\n', "is not CSV: "),
        ("2,11,T001,FILL,A1,ESH4,BUY,10,4799,X-1", "does not end with a newline, so it may have been cut off"),
        ("2,11,T001,NE", "does not end with a newline, so it may have been cut off"),
    ],
)
def test_a_bad_line_is_named_after_the_good_ones_were_read(line: str, problem: str) -> None:
    entries = read_journal([HEADER, NEW, line])
    assert next(entries).line == 2
    with pytest.raises(JournalError, match=f"^line 3: {problem}") as caught:
        next(entries)
    assert caught.value.line == 3
    assert isinstance(caught.value, InvalidArgument)


def test_nothing_of_a_long_value_floods_the_message() -> None:
    with pytest.raises(JournalError) as caught:
        read(f"1,11,{'T' * 5_000},NEW,A1,ESH4,BUY,10,4799,\n")
    assert len(str(caught.value)) < 300
