"""Fold a journal in plain Python by the documented rules: what becomes of each row, and of the book."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slotbook.models import Cancel, Fill, Order, Replace
from slotbook.models.errors import SlotbookError

from .journals import Row
from .reference import ReferenceBook

WHOLE = re.compile(r"[0-9]{1,16}")
NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,18})?")
QUANTITY = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
NAME = re.compile(r"(?=.{1,256}\Z)[^\s{}]+( +[^\s{}]+)*")
VALUES = {"seq": WHOLE, "ts_ns": re.compile(r"[0-9]+"), "trader": NAME, "order_id": NAME, "symbol": NAME}

Request = Order | Replace | Cancel | Fill


class Unusable(SlotbookError):
    """A row that is no request."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(columns)
        self.columns = columns


@dataclass
class Fates:
    """The fates of the rows of one run; lines are counted from the header, which is line 1."""

    applied: int = 0
    repeated: int = 0
    out_of_date: list[int] = field(default_factory=list[int])
    refused: dict[int, SlotbookError] = field(default_factory=dict[int, SlotbookError])
    out_of_order: list[int] = field(default_factory=list[int])


def fold(book: ReferenceBook, rows: Sequence[Row]) -> Fates:
    """Apply a journal to a book: all rows in order, then again those that were refused, until that applies none."""
    fates = Fates()
    waiting: list[tuple[int, Request]] = []
    highest = -1
    for line, row in enumerate(rows, 2):
        try:
            request = request_of(row, highest)
        except Unusable as error:
            fates.refused[line] = error
            continue
        highest = int(row.seq)
        waiting.append((line, request))
    is_first = True
    while waiting:
        applied = fates.applied
        refused = _one_pass(book, waiting, fates, is_first=is_first)
        waiting = [(line, request) for line, request in waiting if line in refused]
        if not is_first and fates.applied == applied:
            fates.refused |= refused
            break
        is_first = False
    return fates


def _one_pass(
    book: ReferenceBook, rows: Sequence[tuple[int, Request]], fates: Fates, *, is_first: bool
) -> dict[int, SlotbookError]:
    """Apply rows in order, and return those that are refused."""
    refused: dict[int, SlotbookError] = {}
    for line, request in rows:
        try:
            answer = book.apply(request)
        except SlotbookError as error:
            refused[line] = error
            continue
        if answer.applied:
            fates.applied += 1
            if not is_first:
                fates.out_of_order.append(line)
        elif answer.sequence or isinstance(request, Order):
            fates.repeated += 1
        else:
            fates.out_of_date.append(line)
    return refused


def request_of(row: Row, highest: int) -> Request:
    """Return the request that a row asks for. Raises Unusable, which names every column that cannot be used."""
    is_fill, needs_terms = row.event == "FILL", row.event != "CANCEL"
    is_quantity = QUANTITY.fullmatch(row.quantity) is not None and Decimal(row.quantity) > 0
    fits = {column: rule.fullmatch(getattr(row, column)) is not None for column, rule in VALUES.items()}
    fits["seq"] = fits["seq"] and int(row.seq) > highest
    fits["side"] = row.side in ("BUY", "SELL", "SELL_SHORT", "SELL_SHORT_EXEMPT")
    fits["event"] = row.event in ("NEW", "REPLACE", "CANCEL", "FILL")
    fits["quantity"] = is_quantity or not (row.quantity or needs_terms)
    fits["price"] = NUMBER.fullmatch(row.price) is not None or not (row.price or needs_terms)
    fits["exec_id"] = NAME.fullmatch(row.exec_id) is not None if is_fill else not row.exec_id
    if not all(fits.values()):
        raise Unusable([column for column, good in fits.items() if not good])
    return _as_request(row)


def _as_request(row: Row) -> Request:
    about = {name: getattr(row, name) for name in ("trader", "order_id", "symbol", "side")} | {"ts_ns": int(row.ts_ns)}
    terms = {"quantity": Decimal(row.quantity), "price": Decimal(row.price)} if row.event != "CANCEL" else {}
    match row.event:
        case "NEW":
            return Order.model_validate({**about, **terms})
        case "FILL":
            return Fill.model_validate({**about, **terms, "exec_id": row.exec_id})
        case "REPLACE":
            return Replace.model_validate({**about, **terms, "request_id": row.seq, "revision": int(row.seq)})
        case _:
            return Cancel.model_validate({**about, "request_id": row.seq})


def state_of(book: ReferenceBook) -> dict[str, object]:
    """Return the state of a book as ``replay --json`` has it; positions by trader and symbol, none that never moved."""
    by_status = Counter(str(entry.now.status) for entry in book.orders.values())
    still_open = Counter(trader for (trader, _), entry in book.orders.items() if entry.now.status.is_open)
    positions: dict[str, dict[str, object]] = defaultdict(dict)
    for (trader, symbol), held in book.positions.items():
        positions[trader][symbol] = {
            "quantity": _json_of(held.quantity),
            "bought": _json_of(held.bought_quantity),
            "sold": _json_of(held.sold_quantity),
            "cash": held.sold_notional - held.bought_notional,
        }
    return {"orders_by_status": dict(by_status), "open_orders": dict(still_open), "positions": dict(positions)}


def _json_of(quantity: Decimal | int) -> str:
    """Return a quantity as a command prints it: a text in its shortest form."""
    return str(int(quantity)) if quantity == int(quantity) else f"{quantity:f}".rstrip("0")
