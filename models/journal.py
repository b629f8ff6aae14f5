r"""A journal of order flow: a CSV file with one row for each request or fill of a desk, read strictly.

======== =========================================================================================
seq      rises from row to row and from file to file: above that of every row before it that can be
         used; it is the request_id of a REPLACE or CANCEL, and the revision of a REPLACE
ts_ns    time of the event, in nanoseconds since the epoch
trader
event    NEW (an order), REPLACE (to a new total quantity and price), CANCEL, FILL, or, of an
         execution, BUST and CORRECT
order_id any id of the order; that of a NEW becomes the book's
symbol   of the order; a row that names another one than the order has is refused by the book
side     BUY, SELL, SELL_SHORT or SELL_SHORT_EXEMPT; as for the symbol
quantity a CANCEL may leave it empty; of a CORRECT what the execution really had; a BUST has none
price    likewise; an order of a type without a price has none, and a REPLACE of it
exec_id  of a FILL, and of the report of a BUST or CORRECT, whose execution is in ``exec_ref_id``
======== =========================================================================================

Behind these a journal may have any of MORE_COLUMNS: fields of the requests by their names, in their written form, empty
for none. ``type`` to ``status`` are an order's, ``client_order_id`` to ``reason`` those of requests, ``fee`` to
``account`` the details of an execution; and ``+name``, an own field of a NEW or a FILL. A column that is
not known makes the file no journal, and a value that the row's event has no field for refuses the row.

>>> header = ",".join(COLUMNS) + "\n"
>>> [entry] = read_journal([header, "1,1703422805243925307,T060,CANCEL,A1,ESH4,BUY,,,\n"])
>>> entry.line, type(entry.request).__name__, entry.request.order_id
(2, 'Cancel', 'A1')

A row whose values cannot be used is refused, and the rest goes on. What is no journal at all raises JournalError:
another header, a row with more or fewer columns, text that is no CSV, and a last line that was cut off.

>>> [refused] = read_journal([header, "1,1703422805243925307,T060,NEW,A1,ESH4,BUY,two,4799,\n"])
>>> refused.line, str(refused.error)
(2, "line 2: quantity 'two': 'two' is not a decimal number")
>>> list(read_journal([header, "1,1703422805243925307,T060,NEW"]))
Traceback (most recent call last):
    ...
slotbook.models.journal.JournalError: line 2: does not end with a newline, so it may have been cut off
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from .enums import Side
from .errors import InvalidArgument
from .execution_changes import Bust
from .fill import Fill
from .journal_columns import COLUMNS, MORE_COLUMNS, JournalEvent, JournalRequest, takers_of
from .order import Cancel, Order, Replace
from .own_fields import SIGN, OwnFields, own_fields
from .record import Record
from .types import Count, Name, Nanoseconds, Price, Quantity
from .wire import Unreadable

__all__ = [
    "COLUMNS",
    "MORE_COLUMNS",
    "JournalEntry",
    "JournalError",
    "JournalEvent",
    "JournalRequest",
    "RefusedRow",
    "read_journal",
]


class JournalError(InvalidArgument):
    """A journal, or a row of it, that cannot be read.

    Attributes:
        line: The number of the bad line; the header is line 1.
        problem: The reason, without the number.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)  # what unpickling calls it with
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        """Return the number of the line and the problem."""
        return f"line {self.line}: {self.problem}"


class JournalEntry(NamedTuple):
    """One row of a journal."""

    line: int
    """The number of the line in the file; the header is line 1."""
    request: JournalRequest
    symbol: str


class RefusedRow(NamedTuple):
    """One row of a journal whose values cannot be used."""

    line: int
    """The number of the line in the file; the header is line 1."""
    error: JournalError


class _Unusable(Exception):
    """The values of a row cannot be used."""


class _Row(Record):
    seq: Count
    ts_ns: Nanoseconds
    trader: Name
    event: JournalEvent
    order_id: Name
    symbol: Name
    side: Side
    quantity: Quantity | None = None
    price: Price | None = None
    exec_id: Name | None = None


def read_journal(
    lines: Iterable[str], order: type[Order] = Order, fill: type[Fill] = Fill
) -> Iterator[JournalEntry | RefusedRow]:
    """Yield the rows of a journal: each as a request, or refused with the reason.

    Args:
        lines: The lines of the file, each with its newline; a line without one is taken for cut off.
        order: The class of orders, whose own fields have columns of their own.
        fill: The class of fills, likewise.

    Raises:
        JournalError: At the first line by which the file is no journal.
    """
    records = _records(lines)
    line, header = next(records, (1, list[str]()))
    models: dict[type[JournalRequest], OwnFields[Any]] = {Order: own_fields(order, Order), Fill: own_fields(fill, Fill)}
    more = header[len(COLUMNS) :]
    own_names = {SIGN + name for found in models.values() for name in found.names}
    _check_header(line, header, own_names)
    may_lack_price = "type" in more
    highest = -1
    for line, values in records:
        if len(values) != len(header):
            raise JournalError(line, f"has {len(values)} columns in place of {len(header)}")
        try:
            row = _row(values[: len(COLUMNS)])
            if row.seq <= highest:
                raise _Unusable(f"seq {row.seq} does not come after {highest}")
            texts = {name: text for name, text in zip(more, values[len(COLUMNS) :], strict=True) if text}
            own = {name[1:]: text for name, text in texts.items() if name.startswith(SIGN)}
            said = {name: text for name, text in texts.items() if not name.startswith(SIGN)}
            request = _with_own(_request(row, said, may_lack_price=may_lack_price), own, models)
        except _Unusable as error:
            yield RefusedRow(line, JournalError(line, str(error)))
            continue
        highest = row.seq
        yield JournalEntry(line, request, row.symbol)


def _check_header(line: int, header: list[str], own_names: set[str]) -> None:
    more, shown = header[len(COLUMNS) :], _shown(",".join(header))
    if tuple(header[: len(COLUMNS)]) != COLUMNS:
        raise JournalError(line, f"the header must be {','.join(COLUMNS)}, not {shown}")
    for number, name in enumerate(more):
        if name not in own_names and name not in MORE_COLUMNS:
            known = ", ".join((*MORE_COLUMNS, *sorted(own_names)))
            must = f"the header must be {','.join(COLUMNS)} and, behind it, columns that are known"
            raise JournalError(line, f"{must}: {_shown(name)} is none; there are {known}")
        if name in more[:number]:
            raise JournalError(line, f"the header must be of different columns, and {name} is there twice")


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


def _row(values: list[str]) -> _Row:
    """Return the values of a row. Raises _Unusable."""
    given = {name: value for name, value in zip(COLUMNS, values, strict=True) if value}
    try:
        return _Row.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        column = str(first["loc"][0])
        if column not in given:
            raise _Unusable(f"{column} is empty") from None
        problem = first["msg"].removeprefix("Value error, ")
        raise _Unusable(f"{column} {_shown(given[column])}: {problem}") from None


def _request(row: _Row, said: Mapping[str, str], *, may_lack_price: bool) -> JournalRequest:
    """Return the request that a row asks for. Raises _Unusable.

    Args:
        row: The values of the columns that each journal has.
        said: The texts of the others.
        may_lack_price: True for a journal whose orders have types, so that some may have no price.
    """
    event, request = row.event, row.event.request
    for name in said:
        if name not in event.more:
            raise _Unusable(f"{name} {_shown(said[name])}: {takers_of(name)}, this is {event.phrase}")
    if row.exec_id is not None and "exec_id" not in event.columns:
        raise _Unusable(f"exec_id {row.exec_id!r}: {takers_of('exec_id')}, this is {event.phrase}")
    given = {name: cast("object", getattr(row, name)) for name in event.columns}
    for name, value in given.items():
        if value is None and not (name == "price" and may_lack_price and request in (Order, Replace)):
            raise _Unusable(f"{name} is empty")
    if request is Bust and (row.quantity is not None or row.price is not None):
        raise _Unusable("a BUST takes back all of its execution, so it has no quantity and no price")
    if "exec_ref_id" in request.model_fields and "exec_ref_id" not in said:
        raise _Unusable("exec_ref_id is empty")
    if request in (Replace, Cancel):
        given["request_id"] = str(row.seq)
    if request is Replace:
        given["revision"] = row.seq
    try:
        return request.model_validate({**given, **said})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        problem = first["msg"].removeprefix("Value error, ")
        raise _Unusable(f"{name} {_shown(said[name])}: {problem}" if name in said else problem) from None


def _with_own(
    request: JournalRequest, texts: Mapping[str, str], models: Mapping[type[JournalRequest], OwnFields[Any]]
) -> JournalRequest:
    """Return a request with its own fields. Raises _Unusable."""
    own = models.get(type(request))
    if own is None:
        if texts:
            raise _Unusable(f"{SIGN}{min(texts)}: only a NEW or a FILL has own fields")
        return request
    if not own.names and not texts:
        return request
    try:
        return cast("JournalRequest", own.with_texts(request, texts))
    except Unreadable as error:
        raise _Unusable(f"{error.field} {error.problem}") from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:120] + "…")
