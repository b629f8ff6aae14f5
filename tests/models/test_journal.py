"""Journals are read strictly: a row with bad values is refused, a file that is no journal is an error."""

from __future__ import annotations

import pickle
import re
from decimal import Decimal

import pytest
from slotbook.models import Cancel, Fill, Order, OrderType, Replace, Side
from slotbook.models.errors import InvalidArgument
from slotbook.models.journal import COLUMNS, JournalEntry, JournalError, JournalRequest, RefusedRow, read_journal

HEADER = ",".join(COLUMNS) + "\n"
NEW = "1,11,T001,NEW,A1,ESH4,BUY,10,4799.25,\n"


def read(*lines: str) -> list[JournalEntry]:
    rows = list(read_journal([HEADER, *lines]))
    entries = [row for row in rows if isinstance(row, JournalEntry)]
    assert entries == rows
    return entries


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


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_and_a_header_alone(end: str) -> None:
    assert [entry.line for entry in read_journal([HEADER.replace("\n", end), NEW.replace("\n", end)])] == [2]
    assert read() == []


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("", "not ''"),
        ("seq,ts_ns\n", "not 'seq,ts_ns'"),
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
        ('2,11,"T001,NEW,A1,ESH4,BUY,10,4799,\n', "is not CSV: unexpected end of data"),
        ('2,11,"T"001,NEW,A1,ESH4,BUY,10,4799,\n', "is not CSV: "),
        ("2,11,T001,FILL,A1,ESH4,BUY,10,4799,X-1", "does not end with a newline, so it may have been cut off"),
        ("2,11,T001,NE", "does not end with a newline, so it may have been cut off"),
    ],
)
def test_a_file_that_is_no_journal_is_named_by_its_line(line: str, problem: str) -> None:
    rows = read_journal([HEADER, NEW, line])
    assert next(rows).line == 2
    with pytest.raises(JournalError, match=f"^line 3: {problem}") as caught:
        next(rows)
    assert caught.value.line == 3
    assert isinstance(caught.value, InvalidArgument)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("two,11,T001,NEW,A1,ESH4,BUY,10,4799,\n", "seq 'two': 'two' is not a whole number"),
        ("2,1e3,T001,NEW,A1,ESH4,BUY,10,4799,\n", "ts_ns '1e3': '1e3' is not a whole number"),
        ("2,-1,T001,NEW,A1,ESH4,BUY,10,4799,\n", "ts_ns '-1': .* greater than or equal to 0"),
        ("2,1703422805243,T001,NEW,A1,ESH4,BUY,10,4799,\n", "ts_ns '1703422805243': .* looks like milliseconds"),
        ("2,11,T001,NEW,A1,ESH4,BUY,1.5.5,4799,\n", "quantity '1.5.5': '1.5.5' is not a decimal number"),
        ("2,11,T001,NEW,A1,ESH4,BUY,0,4799,\n", "quantity '0': .* greater than 0"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,nan,\n", "price 'nan': 'nan' is not a decimal number"),
        (
            "2,11,T001,NEW,A1,ESH4,BUY,10,1.0000000000000000001,\n",
            "price '1.0{18}1': .* more than 18 decimal",
        ),
        ("2,11,T001,CANCEL,A1,ESH4,BUY,x,,\n", "quantity 'x': 'x' is not a decimal number"),
        ("2,11,T001,TRADE,A1,ESH4,BUY,10,4799,\n", "event 'TRADE': Input should be 'NEW', .* 'BUST' or 'CORRECT'"),
        (
            "2,11,T001,NEW,A1,ESH4,buy,10,4799,\n",
            "side 'buy': Input should be 'BUY', 'SELL', 'SELL_SHORT' or 'SELL_SHORT_EXEMPT'",
        ),
        ("2,11,T{1},NEW,A1,ESH4,BUY,10,4799,\n", r"trader 'T\{1\}': "),
        ("2,11,T\udcff,NEW,A1,ESH4,BUY,10,4799,\n", r"trader 'T\\udcff': "),
        ("2,11,,NEW,A1,ESH4,BUY,10,4799,\n", "trader is empty"),
        ("2,11,T001,NEW,A1,ESH4,BUY,,4799,\n", "quantity is empty"),
        ("2,11,T001,REPLACE,A1,ESH4,BUY,10,,\n", "price is empty"),
        ("2,11,T001,FILL,A1,ESH4,BUY,10,4799,\n", "exec_id is empty"),
        (
            "2,11,T001,NEW,A1,ESH4,BUY,10,4799,X1\n",
            "exec_id 'X1': only a FILL, a BUST or a CORRECT has one, this is a NEW",
        ),
        ("1,11,T001,NEW,A2,ESH4,BUY,10,4799,\n", "seq 1 does not come after 1"),
        ("0,11,T001,NEW,A2,ESH4,BUY,10,4799,\n", "seq 0 does not come after 1"),
        ("2,11,T001,NEW,A1,ESH4,BUY,-10,4799,\n", "quantity '-10': .* greater than 0"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,MARKET,\n", "price 'MARKET': 'MARKET' is not a decimal number"),
        ("2,11,T001,NEW,A1,ESH4,BUY,10,,\n", "price is empty"),
        (
            "2,11,T001,CANCEL,A1,ESH4,BUY,,,X1\n",
            "exec_id 'X1': only a FILL, a BUST or a CORRECT has one, .* a CANCEL",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_the_rest_goes_on(line: str, problem: str) -> None:
    first, refused, last = read_journal([HEADER, NEW, line, NEW.replace("1,", "5,", 1)])
    assert (first.line, refused.line, last.line) == (2, 3, 4)
    assert isinstance(refused, RefusedRow)
    assert re.match(problem, refused.error.problem)
    assert str(refused.error) == f"line 3: {refused.error.problem}"
    assert isinstance(last, JournalEntry)


def test_seq_has_to_rise_above_the_rows_that_can_be_used() -> None:
    seqs = [(3, ""), (9, "x"), (5, ""), (5, ""), (4, ""), (6, "")]  # the second has a symbol that no name is
    rows = list(read_journal([HEADER, *(f"{seq},11,T001,NEW,A1,{mark and ' '}ESH4,BUY,1,2,\n" for seq, mark in seqs)]))
    assert [row.line for row in rows if isinstance(row, RefusedRow)] == [3, 5, 6]
    assert [row.error.problem for row in rows[3:5] if isinstance(row, RefusedRow)] == [
        "seq 5 does not come after 5",
        "seq 4 does not come after 5",
    ]


def test_its_error_can_be_sent_to_another_process() -> None:
    error = JournalError(3, "is longer than it should be")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    assert (str(again), again.line, again.problem) == (str(error), 3, "is longer than it should be")


def test_nothing_of_a_long_value_floods_the_message() -> None:
    [row] = read_journal([HEADER, f"1,11,{'T' * 5_000},NEW,A1,ESH4,BUY,10,4799,\n"])
    assert isinstance(row, RefusedRow)
    assert len(str(row.error)) < 300
