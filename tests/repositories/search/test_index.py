"""Indexes are created on every primary, again without harm, replaced without a gap, and kept through a failover."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models import Order, SymbolInfo
from slotbook.models.errors import InvalidArgument, SearchUnavailable
from slotbook.models.hashes import OrderHash, PositionHash, SymbolInfoHash
from slotbook.models.record import Record
from slotbook.models.stored import Stored
from slotbook.repositories import IndexStatus
from slotbook.repositories.search import index_query
from slotbook.repositories.search._async import indexes as for_asyncio
from slotbook.repositories.search._sync import indexes as for_threads
from slotbook.repositories.search.index_calls import IndexCalls
from slotbook.repositories.search.index_schema import index_schema
from slotbook.topology.embedded import Topology
from slotbook.topology.settings import Settings

from ...support.callers import Caller, open_book
from ...support.fleet import Fleet
from ...support.make import execution, limit
from ...support.search.fixtures import SearchFleets
from ...support.search.server import SERVER, searching
from .conftest import OpenBook

pytestmark = searching
PRIMARIES = {"standalone": 1, "cluster": 3}


def place(book: Book, count: int, traders: int = 9, durability: str = "local") -> list[Order]:
    orders = [limit(f"T{number % traders}", f"A{number}", quantity=number + 1) for number in range(count)]
    return [outcome.result().order for outcome in book.orders.place_many(orders, durability=durability)]


def test_every_primary_has_an_index_and_creating_it_again_changes_nothing(opened: OpenBook, topology: Topology) -> None:
    book = opened()
    placed = place(book, 60)
    indexes = book.indexes
    first = indexes.info(["order"])
    assert indexes.create(["order"]) == first
    assert len({one.name for one in first}) == len(first) == PRIMARIES[topology]
    assert sum(one.records for one in first) == len(placed)
    assert all(one.is_used and one.is_current and one.is_reachable and one.built == 1 for one in first)
    assert [one.kind for one in indexes.info()] == [
        kind for kind in ("order", "position", "symbol") for _ in range(PRIMARIES[topology])
    ]


def test_what_was_there_before_the_index_is_found(opened: OpenBook) -> None:
    book = opened(indexed=False)
    placed = place(book, 500)
    with pytest.raises(SearchUnavailable, match="slotbook index create"):
        book.orders.find().all()
    parts: list[float] = []
    book.indexes.create(["order"], progress=lambda _, part: parts.append(part))
    assert book.orders.find().count() == len(placed)
    assert parts[-1] == 1.0


def test_each_kind_of_record_is_found_and_nothing_else_that_looks_like_it(opened: OpenBook) -> None:
    book = opened()
    trader, order_id = "x:order:y", "z:position:w"  # names that look like other keys
    book.orders.place(limit(trader, order_id, symbol="a:order:b"))
    book.orders.fill(execution(trader, order_id=order_id))
    assert [order.order_id for order in book.orders.find(OrderHash.filled_quantity == 40).all()] == [order_id]
    assert book.orders.find().count() == 1
    (position,) = book.positions.find(PositionHash.quantity > 0).all()
    assert position == book.positions.get(trader, "a:order:b")
    assert book.positions.find().count() == 1
    infos = [
        {"symbol": "AAPL", "name": "Apple Inc.", "exchange": "XNAS", "tick_size": "0.01"},
        {"symbol": "BRK.B", "name": "Berkshire Hathaway"},
    ]
    for info in infos:
        book.symbols.put(_info(info))
    assert book.symbols.find(SymbolInfoHash.name % "apple").first() == _info(infos[0])
    assert book.symbols.find(SymbolInfoHash.tick_size == "0.01").count() == 1
    assert [one.symbol for one in book.symbols.find().sort_by("-exchange").all()] == ["AAPL", "BRK.B"]


def _info(values: dict[str, str]) -> SymbolInfo:
    return SymbolInfo.model_validate(values)


def test_books_with_prefixes_of_their_own_see_their_own_records(opened: OpenBook) -> None:
    one, other = opened(), opened()
    place(one, 5)
    assert (one.orders.find().count(), other.orders.find().count()) == (5, 0)


def test_another_schema_is_built_beside_the_old_one_and_queries_never_notice(
    opened: OpenBook, monkeypatch: pytest.MonkeyPatch, topology: Topology
) -> None:
    book = opened()
    placed = place(book, 400)
    indexes = book.indexes
    before = indexes.info(["order"])
    counts: list[int] = []
    replaced: list[IndexStatus] = []
    done = threading.Event()

    def ask(asking: Book) -> None:
        while not done.is_set():
            counts.append(asking.orders.find(OrderHash.symbol == "AAPL").count())

    def another_version(settings: Settings, stored: Stored[Record]) -> IndexCalls:
        return IndexCalls(settings, stored, [*index_schema(stored), "placed_price", "AS", "first_price", "NUMERIC"])

    asking = Book.open(_url_of(book))
    asker = threading.Thread(target=ask, args=(asking,))
    asker.start()
    try:
        for _ in range(3):
            _use(monkeypatch, another_version)
            replaced = indexes.create(["order"])
            monkeypatch.undo()
            old = indexes.info(["order"])
            assert {one.is_current for one in old} == {False}
            assert {one.name for one in indexes.create(["order"])} == {one.name for one in before}
    finally:
        done.set()
        asker.join(30)
        asking.close()
    assert not {one.name for one in replaced} & {one.name for one in before}
    assert len(replaced) == len(before) == PRIMARIES[topology]
    assert counts
    assert set(counts) == {len(placed)}


def _use(monkeypatch: pytest.MonkeyPatch, calls: Callable[[Settings, Stored[Record]], IndexCalls]) -> None:
    assert vars(for_threads)["calls_for"] is index_query.calls_for
    for module in (for_threads, for_asyncio):
        monkeypatch.setattr(module, "calls_for", calls)


def _url_of(book: Book) -> str:
    settings = book.backend.settings
    target = book.backend.target
    place = "redis+cluster" if len(target.addresses) > 1 else "redis"
    password = settings.password.get_secret_value() if settings.password else ""
    return f"{place}://:{password}@{','.join(map(str, target.addresses))}?prefix={settings.prefix}"


def test_dropped_indexes_leave_the_records(opened: OpenBook) -> None:
    book = opened()
    placed = place(book, 20)
    indexes = book.indexes
    assert indexes.drop(["order"]) == []
    assert indexes.drop(["order"]) == []
    assert indexes.info(["order"]) == []
    with pytest.raises(SearchUnavailable, match="slotbook index create"):
        book.orders.find().count()
    assert book.orders.get(placed[0].trader, placed[0].order_id) == placed[0]
    with pytest.raises(InvalidArgument, match="there are order, position, symbol"):
        indexes.create(["orders"])


def test_a_hash_that_cannot_be_indexed_is_reported(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened()
    place(book, 3)
    key = f"{book.backend.settings.prefix}{{T1}}:order:A1"
    search_fleet(topology).ask(key, "HSET", key, "quantity", "many")
    assert book.orders.find().count() == 2
    incomplete = [one for one in book.indexes.info(["order"]) if one.failures]
    assert [one.failed_key for one in incomplete] == [key]


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_an_index_outlives_its_primary(kind: Topology, caller: Caller, runner: asyncio.Runner) -> None:
    fleet = Fleet(kind, SERVER, 1)
    try:
        book = open_book(fleet.url({"deadline": 30}), caller, runner)
        indexes = book.indexes
        indexes.create()
        placed = place(book, 40, durability="replicated=1")  # so the index is older than they are
        fleet.private.primaries()[0].kill()
        assert book.orders.find(OrderHash.quantity > 0).count() == len(placed)
        placed += [book.orders.place(limit("T9", "after")).order]
        assert book.orders.find().sort_by("-order_id").first() == placed[-1]
        assert sum(one.records for one in indexes.info(["order"])) == len(placed)
        book.close()
    finally:
        fleet.stop()
