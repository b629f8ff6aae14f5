r"""A journal of order flow: a CSV file with one line for each request or fill of a desk, read strictly.

======== =========================================================================================
seq      rises from line to line and from file to file; it is the request_id and revision of a REPLACE
ts_ns    time of the event, in nanoseconds since the epoch
trader
event    NEW (a limit order), REPLACE (to a new total quantity and price), CANCEL or FILL
order_id
symbol
side     BUY or SELL
quantity a CANCEL may leave it empty
price    a CANCEL may leave it empty
exec_id  for a FILL only
======== =========================================================================================

>>> header = ",".join(COLUMNS) + "\n"
>>> [entry] = read_journal([header, "1,1703422805243925307,T060,CANCEL,A1,ESH4,BUY,,,\n"])
>>> entry.line, type(entry.request).__name__, entry.request.order_id
(2, 'Cancel', 'A1')
>>> list(read_journal([header, "1,1703422805243925307,T060,NEW,A1,ESH4,BUY,two,4799,\n"]))
Traceback (most recent call last):
    ...
slotbook.models.journal.JournalError: line 2: quantity 'two': 'two' is not a whole number
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from pydantic import ValidationError

from .enums import Side
from .errors import InvalidArgument
from .fill import Fill
from .order import Cancel, Order, Replace
from .record import Record
from .types import Count, Name, Nanoseconds, Price, Quantity

COLUMNS = ("seq", "ts_ns", "trader", "event", "order_id", "symbol", "side", "quantity", "price", "exec_id")

JournalRequest: TypeAlias = Order | Replace | Cancel | Fill
"""The request that a line stands for."""


class JournalError(InvalidArgument):
    """A journal that cannot be read.

    Attributes:
        line: the number of the bad line; the header is line 1.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line


class JournalEntry(NamedTuple):
    """One line of a journal."""

    line: int
    """The number of the line in the file; the header is line 1."""
    request: JournalRequest
    symbol: str


class _Row(Record):
    seq: Count
    ts_ns: Nanoseconds
    trader: Name
    event: Literal["NEW", "REPLACE", "CANCEL", "FILL"]
    order_id: Name
    symbol: Name
    side: Side
    quantity: Quantity | None = None
    price: Price | None = None
    exec_id: Name | None = None


def read_journal(lines: Iterable[str]) -> Iterator[JournalEntry]:
    """Yield the entries of a journal.

    Args:
        lines: the lines of the file, each with its newline; a line without one is taken for cut off.

    Raises:
        JournalError: at the first line that cannot be read.
    """
    records = _records(lines)
    line, header = next(records, (1, list[str]()))
    if tuple(header) != COLUMNS:
        raise JournalError(line, f"the header must be {','.join(COLUMNS)}, not {_shown(','.join(header))}")
    last: int | None = None
    for line, values in records:
        row = _row(line, values)
        if last is not None and row.seq <= last:
            raise JournalError(line, f"seq {row.seq} does not come after {last}")
        last = row.seq
        yield JournalEntry(line, _request(line, row), row.symbol)


def _records(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(_whole_lines(lines), strict=True)
    try:
        for row in rows:
            yield rows.line_num, row
    except csv.Error as error:
        raise JournalError(rows.line_num, f"is not CSV: {error}") from None


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        # A cut-off exec_id looks like a whole one, and the same fill would be applied again under its whole exec_id.
        if not line.endswith(("\n", "\r")):
            raise JournalError(number, "does not end with a newline, so it may have been cut off")
        yield line


def _row(line: int, values: list[str]) -> _Row:
    if len(values) != len(COLUMNS):
        raise JournalError(line, f"has {len(values)} columns in place of {len(COLUMNS)}")
    given = {name: value for name, value in zip(COLUMNS, values, strict=True) if value}
    try:
        return _Row.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        column = str(first["loc"][0])
        if column not in given:
            raise JournalError(line, f"{column} is empty") from None
        problem = first["msg"].removeprefix("Value error, ")
        raise JournalError(line, f"{column} {_shown(given[column])}: {problem}") from None


def _request(line: int, row: _Row) -> JournalRequest:
    if row.exec_id is not None and row.event != "FILL":
        raise JournalError(line, f"exec_id {row.exec_id!r}: only a FILL has one, this is a {row.event}")
    if row.event == "CANCEL":
        return Cancel(trader=row.trader, order_id=row.order_id, ts_ns=row.ts_ns)
    quantity, price = row.quantity, row.price
    if quantity is None or price is None:
        raise JournalError(line, f"{'quantity' if quantity is None else 'price'} is empty")
    if row.event == "NEW":
        return Order(
            trader=row.trader,
            order_id=row.order_id,
            symbol=row.symbol,
            side=row.side,
            quantity=quantity,
            price=price,
            ts_ns=row.ts_ns,
        )
    if row.event == "REPLACE":
        return Replace(
            trader=row.trader,
            order_id=row.order_id,
            request_id=str(row.seq),
            revision=row.seq,
            quantity=quantity,
            price=price,
            ts_ns=row.ts_ns,
        )
    if row.exec_id is None:
        raise JournalError(line, "exec_id is empty")
    return Fill(
        trader=row.trader,
        order_id=row.order_id,
        exec_id=row.exec_id,
        quantity=quantity,
        price=price,
        ts_ns=row.ts_ns,
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:120] + "…")
