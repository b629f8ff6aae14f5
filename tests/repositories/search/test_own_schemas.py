"""Queries of models with several schemas, and of records without a trader."""

from __future__ import annotations

from types import new_class
from typing import Annotated, Any

import pytest
from slotbook import Book, Entity, Key
from slotbook.models.conditions import searchable
from slotbook.models.errors import SchemaTooNew, SearchUnavailable
from slotbook.models.types import Name

from ...support.desk import Desk
from ...support.make import fresh
from ...support.search.server import searching
from .conftest import OpenBook


class First(Entity):
    trader: Name
    number: Annotated[int, Key]
    size: int


class Second(Entity):
    trader: Name
    number: Annotated[int, Key]
    size: int
    venue: Name = "XNAS"


class Venue(Entity, kind="venue"):
    mic: Annotated[Name, Key]
    zone: str
    lots: int = 1


V = searchable(Venue)


def turned(fields: dict[str, str]) -> dict[str, object]:
    return {**fields, "size": 100 - int(fields["size"]), "venue": f"X{fields['size']}"}


def both() -> tuple[type[Any], type[Any]]:
    """Return a model of schema 1, and one of schema 2 whose upgrade changes what a server has stored and sorted."""
    kind = fresh("t").lower().replace("-", "_")
    old: type[Any] = new_class("First", (First,), {"kind": kind})
    new: type[Any] = new_class("Second", (Second,), {"kind": kind, "schema": 2, "upgrade": {1: turned}})
    return old, new


@searching
def test_records_of_an_older_schema_are_found_as_their_upgrade_makes_them(opened: OpenBook) -> None:
    book = opened(indexed=False)
    old, new = both()
    book.indexes.create([old])
    book.table(old).insert_many([old(trader=f"T{number % 7}", number=number, size=number) for number in range(50)])
    book.indexes.create([new])
    fields, table = searchable(new), book.table(new)
    assert [found.size for found in table.find(fields.size > 95).sort_by("size").all()] == [96, 97, 98, 99, 100]
    assert [found.number for found in table.find().sort_by("size").page(0, 3)] == [49, 48, 47]
    assert table.find(fields.size < 50).count() == table.find(fields.size < 5).count() == 0
    assert table.find().count() == len(table.find().all()) == 50
    found = table.find(fields.venue == "X7").first()
    assert found is not None
    assert (found.number, found.size) == (7, 93)
    table.put(new(trader="T0", number=7, size=7, venue="X7"))
    table.insert(new(trader="T9", number=99, size=1, venue="X7"))
    assert [found.size for found in table.find(fields.venue == "X7").sort_by("-size").all()] == [7, 1]
    assert table.find(fields.venue == "X7").count() == 2


@searching
def test_a_record_of_a_newer_schema_is_never_left_out_in_silence(opened: OpenBook) -> None:
    book = opened(indexed=False)
    old, new = both()
    book.indexes.create(new)
    book.table(old).insert(old(trader="T1", number=1, size=1))
    query = book.table(old).find(searchable(old).size == 1)
    assert query.count() == len(query.all()) == 1
    book.table(new).insert(new(trader="T2", number=2, size=2))
    for ask in (query.all, query.page, query.first, query.count, query.sort_by("size").first):
        with pytest.raises(SchemaTooNew):
            ask()


@searching
def test_records_without_a_trader_are_found(opened: OpenBook) -> None:
    book = opened(indexed=False)
    found = book.indexes.create(Venue)
    assert {status.kind for status in found} == {"venue"}
    venues = book.reference(Venue)
    for number, mic in enumerate(("XNAS", "XNYS", "X:LON")):
        venues.insert(Venue(mic=mic, zone="New York" if number < 2 else "London", lots=number))
    assert [venue.mic for venue in venues.find(V.zone == "New York").sort_by("-lots").all()] == ["XNYS", "XNAS"]
    assert venues.find(V.lots >= 1, V.version == 1).count() == 2
    venues.update("XNYS", {"zone": "Paris"})
    venues.delete("XNAS")
    assert venues.find(V.zone << ["New York", "Paris"]).all() == [venues.get("XNYS")]
    assert [venue.mic for venue in venues.find().page()] == ["X:LON", "XNYS"]
    assert book.indexes.drop([Venue]) == []


def test_without_search_the_error_names_the_call_that_answers(desk: Desk) -> None:
    book: Book = desk.book
    venues = book.reference(Venue)
    for query, instead in (
        (venues.find(), "use all() of Venue's table"),
        (venues.find(V.zone == "Paris"), "use all() of Venue's table"),
        (venues.find(V.mic == "XNAS"), "use get('XNAS') of Venue's table"),
    ):
        with pytest.raises(SearchUnavailable) as raised:
            query.first()
        assert str(raised.value).endswith(instead)
