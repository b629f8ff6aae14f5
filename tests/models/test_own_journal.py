"""A journal may have columns for own fields of orders and fills; a value that is none of its type refuses its row."""

from __future__ import annotations

import pytest
from slotbook.models import Fill, Order
from slotbook.models.errors import InvalidArgument
from slotbook.models.journal import COLUMNS, JournalEntry, JournalError, RefusedRow, read_journal

from ..support.own_orders import DeskFill, DeskOrder

HEADER = f"{','.join(COLUMNS)},+strategy,+tags,+venue\n"
NEW, FILL, CANCEL = "NEW,A1,ESH4,BUY,2,4799,", "FILL,A1,ESH4,BUY,2,4799,X1", "CANCEL,A1,ESH4,BUY,,,"


def read(*rows: str, header: str = HEADER) -> list[JournalEntry | RefusedRow]:
    lines = [f"{number},1703422805243925307,T060,{row}\n" for number, row in enumerate(rows, 1)]
    return list(read_journal([header, *lines], DeskOrder, DeskFill))


def test_own_columns_become_own_fields() -> None:
    rows = read(f'{NEW},S1,"{{""b"":1,""a"":2}}",', f"{FILL},,,XNAS", f"{FILL.replace('X1', 'X2')},,,", f"{CANCEL},,,")
    order, fill, bare, cancel = (row.request for row in rows if isinstance(row, JournalEntry))
    assert isinstance(order, DeskOrder)
    assert isinstance(fill, DeskFill)
    assert isinstance(bare, DeskFill)
    assert (order.strategy, order.tags, order.desk_note, order.version) == ("S1", {"b": 1, "a": 2}, None, 0)
    assert (fill.venue, fill.exec_id, bare.venue) == ("XNAS", "X1", None)
    assert type(cancel).__name__ == "Cancel"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f"{NEW},,,", r"\+strategy is empty"),
        (f"{NEW}, words ,,", r"\+strategy"),
        (f"{NEW},S1,zz,", r"\+tags 'zz': Invalid JSON"),
        (f"{NEW},S1,,XNAS", r"\+venue is no field of DeskOrder"),
        (f"{FILL},S1,,", r"\+strategy is no field of DeskFill"),
        (f"{CANCEL},S1,,", r"\+strategy: only a NEW or a FILL has own fields"),
    ],
)
def test_a_row_with_a_value_that_cannot_be_used_is_refused(row: str, problem: str) -> None:
    refused, taken = read(row, f"{NEW},S1,,")
    assert isinstance(refused, RefusedRow)
    with pytest.raises(JournalError, match=f"line 2: {problem}"):
        raise refused.error
    assert isinstance(taken, JournalEntry)


@pytest.mark.parametrize("column", ["+later", "strategy", "+strategy,+strategy", ""])
def test_another_column_is_no_journal(column: str) -> None:
    with pytest.raises(JournalError, match="the header must be"):
        read(f"{NEW},S1", header=f"{','.join(COLUMNS)},{column}\n")


def test_plain_journals_have_no_more_columns() -> None:
    with pytest.raises(JournalError, match="the header must be"):
        list(read_journal([HEADER]))
    [row] = read_journal([",".join(COLUMNS) + "\n", f"1,1703422805243925307,T060,{NEW}\n"], Order, Fill)
    assert isinstance(row, JournalEntry)
    assert type(row.request) is Order


def test_classes_of_the_other_kind_are_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"DeskFill.* is no subclass of Order"):
        list(read_journal([HEADER], DeskFill, DeskFill))  # type: ignore[type-var]
    with pytest.raises(InvalidArgument, match=r"DeskOrder.* is no subclass of Fill"):
        list(read_journal([HEADER], DeskOrder, DeskOrder))  # type: ignore[type-var]
