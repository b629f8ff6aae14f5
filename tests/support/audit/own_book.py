"""A book with own records of several kinds: all sorts of keys, with and without an end, deleted ones, two schemas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from slotbook import Book
from slotbook.models import Delete, Entity, Index, Insert, Key, Put, Unique, Update
from slotbook.models.types import Name, Quantity

from ..make import TS, execution, limit

SEEN = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
ODD = ("BRK:B", "50%", "a%3Ab:c", ":", "%", "é 日本")


class Deal(Entity, kind="deal"):
    trader: Name
    deal_id: Annotated[str, Key]
    account: Annotated[str, Index] = "ACC1"
    desk: Annotated[str | None, Index] = None
    reference: Annotated[str | None, Unique] = None
    quantity: Quantity = 1
    tags: list[str] | None = None
    price: Annotated[Decimal | None, Index(sorted=True)] = None


def with_desk(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {**fields, "desk": "D1"}


class NewDeal(Entity, kind="deal", schema=2, upgrade={1: with_desk}):
    trader: Name
    deal_id: Annotated[str, Key]
    desk: Annotated[str, Index]
    account: str = "ACC1"
    reference: Annotated[str | None, Unique] = None
    external: Annotated[str | None, Unique] = None
    quantity: Quantity = 1
    tags: list[str] | None = None
    price: Decimal | None = None


class Tick(Entity, kind="tick", ttl=3_600):
    trader: Name
    symbol: Annotated[str, Key]
    venue: Annotated[str, Key]
    maker: Annotated[str | None, Index] = None
    code: Annotated[str | None, Unique] = None
    price: Annotated[Quantity, Index(sorted=True)] = 1
    seen: Annotated[datetime | None, Index(sorted=True)] = None


class Note(Entity, kind="note_2"):
    trader: Name
    number: Annotated[int, Key]
    words: str = ""


def fill(book: Book, trader: str) -> None:
    """Write orders and own records of four models, and change and delete some."""
    deals, newer, ticks, notes = (book.table(one) for one in (Deal, NewDeal, Tick, Note))
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    for number, odd in enumerate(ODD):
        values: dict[str, object] = {"account": odd, "desk": odd, "reference": odd, "price": Decimal(number) / 8}
        deals.insert(Deal.model_validate({"trader": trader, "deal_id": odd, **values}), ts_ns=TS)
        ticks.insert(Tick(trader=trader, symbol=odd, venue=odd, maker=odd, code=odd), ts_ns=TS)
        notes.put(Note(trader=trader, number=number, words=odd), ts_ns=TS)
    for number in range(6):
        values = {"reference": f"R{number}", "desk": "X", "price": Decimal(-number), "tags": ["a"]}
        deals.put(Deal.model_validate({"trader": trader, "deal_id": f"D{number}", **values}), ts_ns=TS + number)
        tick = Tick(trader=trader, symbol=f"S{number}", venue="N", maker="M", code=f"C{number}", seen=SEEN)
        ticks.put(tick, ts_ns=TS + number)
    deals.update(trader, "D1", {"account": "ACC2", "reference": "R1b"}, ts_ns=TS + 20)
    deals.update(trader, "D2", {"reference": None, "desk": None}, ts_ns=TS + 21)
    ticks.update(trader, ("S1", "N"), {"price": 5}, ts_ns=TS + 22)
    deals.delete(trader, "D3", ts_ns=TS + 23)
    deals.delete(trader, "D4", ts_ns=TS + 24)
    deals.put(Deal(trader=trader, deal_id="D4", account="again"), ts_ns=TS + 25)
    deals.delete(trader, "none", request_id="Q1")
    ticks.delete(trader, ("S2", "N"), ts_ns=TS + 26)
    book.commit(
        [
            Insert(Note(trader=trader, number=100), ts_ns=TS + 27),
            limit(trader, "A2", side="SELL"),
            Update(Note, trader, 100, {"words": "two\nlines"}, ts_ns=TS + 28),
            Delete(Note, trader, 0, ts_ns=TS + 29),
            Put(Deal(trader=trader, deal_id="D0", reference="R3"), ts_ns=TS + 30),
        ]
    )
    newer.put(NewDeal(trader=trader, deal_id="D5", desk="new", reference="R5", external="E5"), ts_ns=TS + 31)
    newer.insert(NewDeal(trader=trader, deal_id="N1", desk="new", reference="R0", external="E1"), ts_ns=TS + 32)
