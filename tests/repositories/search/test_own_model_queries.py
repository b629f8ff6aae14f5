"""Queries of a desk's own models: odd names and values, what is refused, and what is found when records go."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from slotbook import Book, Entity, Index, Key, errors
from slotbook.models.conditions import searchable
from slotbook.models.hashes import OrderHash
from slotbook.models.stored_entity import stored_entity
from slotbook.models.types import Name, Quantity
from slotbook.repositories.search.query import query
from slotbook.topology.embedded import Topology

from ...support.desk import Desk
from ...support.make import limit
from ...support.search.fixtures import SearchFleets
from ...support.search.server import searching
from ...support.search.tickets import Ticket
from .conftest import OpenBook

T = searchable(Ticket)


class Note(Entity, kind="note"):
    trader: Name
    note_id: Annotated[str, Key]
    key: str
    get: int = 0
    pk: str | None = None
    größe: Decimal = Decimal(1)  # noqa: PLC2401
    text: str | None = None
    symbol: Annotated[Name, Index] = "AAPL"


class Quote(Entity, kind="quote", ttl=0.6):
    trader: Name
    number: Annotated[int, Key]
    quantity: Quantity = 1


class Stamp(Entity, kind="stamp"):
    """A record that is named by a time and a decimal."""

    trader: Name
    at: Annotated[datetime, Key]
    day: Annotated[date, Key]
    price: Annotated[Decimal, Key]


N, Q = searchable(Note), searchable(Quote)


def note(name: str, **values: Any) -> Note:
    return Note.model_validate({"trader": "T1", "note_id": name, "key": name, **values})


@searching
def test_fields_may_be_named_as_redis_om_s_are_and_in_any_script(opened: OpenBook) -> None:
    book = opened(indexed=False)
    book.indexes.create([Note])
    notes = book.table(Note)
    notes.insert(note("one", get=1, pk="x", größe="0.1", text="some words"))
    notes.insert(note("two", get=2, größe="0.10000000000000000000001"))
    odd = [N.key == "one", N.get < 2, N.pk == "x", N.größe == "0.1", N.text == "some words", N.symbol != "x"]
    for condition in odd:
        assert notes.find(condition, N.get == 1).all() == [notes.get("T1", "one")]
    assert [found.note_id for found in notes.find(N.größe > "0.1").all()] == ["two"]
    assert [found.note_id for found in notes.find().sort_by("-größe").all()] == ["two", "one"]


@searching
def test_records_with_keys_that_look_like_others_are_found_as_what_they_are(opened: OpenBook) -> None:
    book = opened()
    book.indexes.create([Note, Quote])
    book.orders.place(limit("T1", "A1"))
    names = ["}:order:A1", "}:note:x", "{T1}:note:x", "}:quote:5", "{T1}:order:A2", " x ", "x:y", "}:position:AAPL"]
    notes = book.table(Note)
    for name in names:
        notes.insert(note(name))
    assert sorted(found.note_id for found in notes.find().all()) == sorted(names)
    assert notes.find().count() == len(names)
    assert [found.order_id for found in book.orders.find().all()] == ["A1"]
    assert book.orders.find().count() == 1
    assert book.positions.find().all() == book.table(Quote).find().all() == []


@searching
def test_times_decimals_and_parts_with_colons_name_records(opened: OpenBook) -> None:
    book = opened(indexed=False)
    book.indexes.create(Stamp)
    stamps = book.table(Stamp)
    moments = [datetime(2026, 11, 27, 14, 30, 0, extra, UTC) for extra in (0, 5)]
    made = [
        Stamp(trader="T1", at=moment, day=date(2026, 11, day), price=Decimal(price))
        for moment in moments
        for day in (3, 27)
        for price in ("0.1", "12345678901234567890.123456789")
    ]
    for stamp in made:
        stamps.insert(stamp)
    fields = searchable(Stamp)
    found = stamps.find(fields.price == "12345678901234567890.123456789", fields.at == moments[1]).sort_by("-day").all()
    assert [(stamp.at, stamp.day) for stamp in found] == [(moments[1], date(2026, 11, day)) for day in (27, 3)]
    assert len(stamps.find().page(0, 5)) == 5
    assert stamps.find(fields.price < 1).count() == 4


@searching
def test_records_that_were_deleted_or_have_expired_are_not_found_and_not_counted(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened(indexed=False)
    book.indexes.create((Note, Quote))
    notes, quotes = book.table(Note), book.table(Quote)
    raws = search_fleet(topology).raws.values()
    for raw in raws:
        raw.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0)  # what has expired stays in the index until somebody looks at it
    try:
        for number in range(20):
            notes.insert(note(f"N{number:02}", get=number))
            quotes.insert(Quote(trader=f"T{number % 7}", number=number))
        for number in range(5):
            notes.delete("T1", f"N{number:02}")
        notes.update("T1", "N05", {"get": 100, "symbol": "MSFT"})
        deadline = time.monotonic() + 20
        while quotes.exists("T5", 19):
            assert time.monotonic() < deadline
        assert quotes.find().count() == quotes.find(Q.quantity == 1).count() == 0
        assert quotes.find().all() == quotes.find(Q.quantity > 0).page() == []
        assert notes.find().count() == len(notes.find().all()) == 15
        assert notes.find(N.get < 6).count() == 0
        assert notes.find(N.symbol == "MSFT", N.version == 2).first() == notes.get("T1", "N05")
    finally:
        for raw in raws:
            raw.ask("DEBUG", "SET-ACTIVE-EXPIRE", 1)


@searching
def test_a_record_that_cannot_be_read_is_reported_by_its_key(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened(indexed=False)
    book.indexes.create(Note)
    notes = book.table(Note)
    notes.insert(note("x", text="y"))
    key = f"{book.backend.settings.prefix}{{T1}}:note:x"
    search_fleet(topology).ask(key, "HSET", key, "surplus", "1")
    with pytest.raises(errors.CorruptRecord) as raised:
        notes.find(N.text == "y").all()
    assert (raised.value.key, raised.value.field) == (key, "surplus")
    search_fleet(topology).ask(key, "HDEL", key, "surplus", "@schema")
    with pytest.raises(errors.CorruptRecord, match="'@schema': is missing"):
        notes.find(N.text == "y").all()
    search_fleet(topology).ask(key, "HDEL", key, "trader")
    with pytest.raises(errors.CorruptRecord, match="'trader': is missing"):
        notes.find().all()


@searching
def test_another_version_of_a_model_has_another_index_of_the_same_kind(opened: OpenBook) -> None:
    book = opened(indexed=False)
    book.indexes.create(Quote)
    before = book.indexes.info(Quote)

    class Later(Entity, kind="quote", ttl=0.6):
        trader: Name
        number: Annotated[int, Key]
        quantity: Quantity = 1
        venue: Name = "XNAS"

    assert {one.is_current for one in book.indexes.info(Later)} == {False}
    later = book.table(Later)
    fields = searchable(Later)
    assert later.find(fields.quantity == 1).sort_by("-quantity").all() == []  # the old index answers what it can
    new = (later.find(fields.venue == "XNAS"), later.find(~(fields.venue << ["x"])), later.find().sort_by("venue"))
    for asked in new:
        with pytest.raises(errors.SearchUnavailable, match="of another version of the model, which has no venue"):
            asked.first()
    with pytest.raises(errors.SearchUnavailable, match=r"run slotbook index create \S*:.*Later"):
        later.find(fields.venue == "XNAS").count()
    after = book.indexes.create([Later])
    assert {one.kind for one in after} == {"quote"}
    assert not {one.name for one in before} & {one.name for one in after}
    assert later.find(fields.venue == "XNAS").all() == []
    parts: list[tuple[str, float]] = []
    book.indexes.create(["symbol", Quote], progress=lambda kind, part: parts.append((kind, part)))
    assert {kind for kind, part in parts if part == 1} == {"symbol", "quote"}
    assert book.indexes.drop([Quote, "symbol"]) == []
    assert book.indexes.info(Quote) == []
    with pytest.raises(errors.SearchUnavailable, match=r"index of records of Quote yet.*index create tests\S*:Quote"):
        book.table(Quote).find().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: T.acount, "records of Ticket have no field 'acount' to search by; the nearest is account"),
        (lambda: T.legs, "Ticket.legs cannot be searched by: its values are stored as JSON"),
        (
            lambda: T.executed > datetime.now(UTC),
            "executed is not a number; for ranges mark it with Index(sorted=True)",
        ),
        (lambda: T.day >= date(2026, 11, 27), "day is not a number; for ranges mark it with Index(sorted=True)"),
        (lambda: T.account > "A", "account is not a number; use ==, <<, startswith"),
        (lambda: T.ident > "A", "ident is not a number; use == or <<"),
        (lambda: T.day.startswith("2026"), "parts of day cannot be looked for"),
        (lambda: T.level.contains("1"), "parts of level cannot be looked for"),
        (lambda: T.price.startswith("1"), "price is a number"),
        (
            lambda: T.side == "BYE",
            "Ticket.side 'BYE': Input should be 'BUY', 'SELL', 'SELL_SHORT' or 'SELL_SHORT_EXEMPT'",
        ),
        (lambda: T.level == 5, "Ticket.level 5: Input should be 2 or 10"),
        (lambda: T.desk == "XX", "Ticket.desk 'XX': Input should be 'EU' or 'US'"),
        (lambda: T.active == "perhaps", "Ticket.active 'perhaps'"),
        (lambda: T.ident == "x", "Ticket.ident 'x'"),
        (lambda: T.day == "soon", "Ticket.day 'soon'"),
        (lambda: T.account == 5, "account is compared with strings"),
        (lambda: T.note % "words", "its words are not indexed"),
        (lambda: T.rate == 0.1, "the float 0.1 is really 0.1000000000000000055"),
        (lambda: T.rate == "1E400", "has more than 308 digits before the point"),
        (lambda: T.rate == Decimal("1E-301"), "has more than 300 decimal places"),
        (lambda: T.ratio < float("inf"), "is not a finite number"),
        (lambda: T.quantity == True, "is not a decimal number"),  # noqa: E712
        (lambda: T.number > None, "None can only be asked for with == and !="),
        (lambda: OrderHash.order_id == "A1", "have no field 'order_id'"),
        (lambda: "active", "str is not a condition"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(make: Any, message: str) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        query(stored_entity(Ticket), [make()])
    assert message in str(refused.value)


def test_a_wrong_name_is_an_attribute_that_is_not_there() -> None:
    assert not hasattr(T, "acount")
    assert not hasattr(T, "__wrapped__")
    assert {"account", "executed", "version"} <= set(dir(T))
    assert "legs" not in dir(T)
    with pytest.raises(errors.UnknownField):
        T.traider  # noqa: B018


def test_what_has_no_index_is_refused(desk: Desk) -> None:
    table = desk.book.table(Ticket)
    for name, message in (("executed", "is not one of"), ("level", "is not one of"), ("legs", "is not one of")):
        with pytest.raises(errors.InvalidArgument, match=message):
            table.find().sort_by(name)
    kinds: Any
    for kinds in ("ticket", Book, [int], Entity, [Ticket, "tickets"], 5, None):
        with pytest.raises(errors.InvalidArgument):
            desk.book.indexes.create(kinds)


@pytest.mark.parametrize(
    ("conditions", "instead"),
    [
        ([], "use all(trader) of Note's table, or by on a field that has an index"),
        ([N.trader == "T1"], "use all('T1') of Note's table"),
        ([N.trader == "T1", N.note_id == "x"], "use get('T1', 'x') of Note's table"),
        ([N.trader == "T1", N.symbol == "AAPL", N.get > 1], "use by('T1', {'symbol': 'AAPL'}) of Note's table"),
        ([N.symbol == "AAPL"], "use by(trader, {'symbol': 'AAPL'}) of Note's table"),
    ],
)
def test_without_search_the_error_names_the_call_that_answers(desk: Desk, conditions: list[Any], instead: str) -> None:
    found = desk.book.table(Note).find(*conditions)
    for ask in (found.all, found.page, found.first, found.count):
        with pytest.raises(errors.SearchUnavailable) as raised:
            ask()
        assert instead in str(raised.value)
    with pytest.raises(errors.SearchUnavailable, match="index of records of Note: the server has no search"):
        desk.book.indexes.create(Note)


def test_a_key_with_a_nul_is_refused(lone_desk: Desk) -> None:
    table = lone_desk.book.table(Note)
    for call in (lambda: table.insert(note("x\0y")), lambda: table.get("T1", "x\0y")):
        with pytest.raises(errors.InvalidArgument, match="a key has no NUL"):
            call()
