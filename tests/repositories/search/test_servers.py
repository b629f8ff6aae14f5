"""Search on servers that cannot, on servers that are slow, of orders that are gone, and while slots move."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from slotbook.models.errors import SearchUnavailable, WrongType
from slotbook.models.hashes import Condition, OrderHash, PositionHash
from slotbook.repositories import OrderRepository
from slotbook.topology.embedded import Topology
from slotbook.topology.embedded.cluster import nodes_of

from ...support.callers import Caller, open_book
from ...support.desk import Desk
from ...support.fleet import Fleet
from ...support.search.fixtures import SearchFleets
from ...support.search.server import SERVER, searching
from .conftest import OpenBook
from .test_index import place


@pytest.mark.parametrize(
    ("kind", "conditions", "instead"),
    [
        ("orders", [], "use orders.open, by_status or by_symbol"),
        ("orders", [OrderHash.trader == "T1", OrderHash.status == "NEW"], "orders.by_status('T1', 'NEW')"),
        ("orders", [OrderHash.symbol == "AAPL"], "orders.by_symbol(trader, 'AAPL')"),
        ("orders", [(OrderHash.trader == "T1") & (OrderHash.order_id == "A1")], "orders.get('T1', 'A1')"),
        ("positions", [PositionHash.trader == "T1", PositionHash.quantity > 5], "positions.all('T1')"),
        ("positions", [PositionHash.symbol == "AAPL"], "positions.net('AAPL')"),
        ("positions", [], "positions.totals()"),
        ("symbols", [], "a database behind symbols"),
    ],
)
def test_without_search_the_error_names_what_is_needed_and_what_answers(
    desk: Desk, kind: str, conditions: list[Condition], instead: str
) -> None:
    repository: OrderRepository = getattr(desk.book, kind)  # or another one: all of them have find
    query = repository.find(*conditions)
    for ask in (query.all, query.page, query.first, query.count):
        with pytest.raises(SearchUnavailable) as raised:
            ask()
        assert "needs the search module" in str(raised.value)
        assert instead in str(raised.value)


def test_without_search_there_are_no_indexes(desk: Desk) -> None:
    with pytest.raises(SearchUnavailable, match="needs the search module"):
        desk.book.indexes.create()


@searching
def test_only_database_0_is_searched(search_fleet: SearchFleets, caller: Caller, runner: asyncio.Runner) -> None:
    book = open_book(search_fleet("standalone").deployment.url + "/3", caller, runner)  # the application may not SELECT
    with pytest.raises(SearchUnavailable, match="database 0"):
        book.indexes.create()
    book.close()


@searching
def test_a_server_that_runs_out_of_time_never_gives_part_of_an_answer(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened()
    placed = place(book, 3_000)
    raws = search_fleet(topology).raws.values()
    for raw in raws:
        raw.ask("FT.CONFIG", "SET", "TIMEOUT", 1)
    try:
        for _ in range(5):
            assert book.orders.find(OrderHash.quantity > 0, OrderHash.price > 0).count() == len(placed)
    finally:
        for raw in raws:
            raw.ask("FT.CONFIG", "SET", "TIMEOUT", 500)


@searching
def test_limits_of_a_server_do_not_cut_an_answer(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened()
    placed = place(book, 1_500)
    raws = search_fleet(topology).raws.values()
    for raw in raws:
        raw.ask("FT.CONFIG", "SET", "MAXSEARCHRESULTS", 100)
        raw.ask("FT.CONFIG", "SET", "MAXEXPANSIONS", 2)
    try:
        assert len(book.orders.find().all()) == len(placed)
        assert len(book.orders.find(OrderHash.order_id.startswith("A1")).all()) == 1 + 10 + 100 + 500
        page = book.orders.find().sort_by("-quantity").page(700, 300)
        assert [order.quantity for order in page] == list(range(800, 500, -1))
    finally:
        for raw in raws:
            raw.ask("FT.CONFIG", "SET", "MAXSEARCHRESULTS", 1_000_000)
            raw.ask("FT.CONFIG", "SET", "MAXEXPANSIONS", 200)


@searching
def test_orders_that_have_expired_are_not_found_and_not_counted(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened(order_ttl=0.5, deadline=2, socket_timeout=0.5)
    raws = search_fleet(topology).raws.values()
    for raw in raws:
        raw.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0)  # what has expired stays in the index until somebody looks at it
    try:
        placed = place(book, 60)
        for order in placed[:40]:
            book.orders.cancel(order.trader, order.order_id)
        time.sleep(2.6)
        query = book.orders.find(OrderHash.quantity > 0).sort_by("quantity")
        assert query.count() == 20
        assert query.page(0, 5) == placed[40:45]
        assert query.all() == placed[40:]
        assert book.orders.find(OrderHash.order_id.startswith("A")).count() == 20
    finally:
        for raw in raws:
            raw.ask("DEBUG", "SET-ACTIVE-EXPIRE", 1)


@searching
def test_a_key_of_another_type_raises_or_is_left_out(
    opened: OpenBook, search_fleet: SearchFleets, topology: Topology
) -> None:
    book = opened()
    place(book, 3)
    key = f"{book.backend.settings.prefix}{{T1}}:order:A1"
    query = book.orders.find()
    assert query.count() == 3
    search_fleet(topology).ask(key, "SET", key, "x")
    assert query.count() in (2, 3)
    with contextlib.suppress(WrongType):
        assert len(query.all()) == 2


@searching
def test_after_slots_have_moved_find_raises_or_finds_everything(caller: Caller, runner: asyncio.Runner) -> None:
    fleet = Fleet("cluster", SERVER, 0)
    try:
        book = open_book(fleet.url(), caller, runner)
        indexes = book.indexes
        indexes.create()
        placed = place(book, 60, traders=30)
        one, other, *_ = fleet.private.primaries()
        (me,) = [node for node in nodes_of(one) if "myself" in node.flags]
        first = int(me.slots[0].partition("-")[0])
        last = int(me.slots[0].partition("-")[2])
        _move(fleet, first, last - 200, one, other)
        found_before: list[str] = []
        with contextlib.suppress(SearchUnavailable):  # where no index lost its name, everything is found
            found_before += [order.order_id for order in book.orders.find().all()]
        assert sorted(found_before) in ([], sorted(order.order_id for order in placed))
        found = indexes.create()
        assert len([status for status in found if status.is_used and status.kind == "order"]) == 3
        assert book.orders.find().count() == len(placed)
        assert {order.order_id for order in book.orders.find(OrderHash.symbol == "AAPL").all()} == {
            order.order_id for order in placed
        }
        book.close()
    finally:
        fleet.stop()


def _move(fleet: Fleet, first: int, last: int, one: object, other: object) -> None:
    """Move slots with their keys from one primary to another, as redis-cli --cluster reshard does."""
    from slotbook.topology.embedded import Server

    assert isinstance(one, Server)
    assert isinstance(other, Server)
    (giver,) = [node.id for node in nodes_of(one) if "myself" in node.flags]
    (taker,) = [node.id for node in nodes_of(other) if "myself" in node.flags]
    give, take = fleet.raws[one.port], fleet.raws[other.port]
    filled = [slot for slot in range(first, last + 1) if give.ask("CLUSTER", "COUNTKEYSINSLOT", slot)]
    for slot in filled:
        take.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", giver)
        give.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", taker)
        while keys := give.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            assert isinstance(keys, list)
            words = ("MIGRATE", other.host, other.port, "", 0, 5_000, "AUTH", fleet.deployment.password, "KEYS")
            give.ask(*words, *[str(key) for key in keys])
    for slot in range(first, last + 1):
        for raw in (take, give, *fleet.raws.values()):
            raw.ask("CLUSTER", "SETSLOT", slot, "NODE", taker)
