"""Durability holds for every method that changes something; one that is new has to be in a table here."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import product
from typing import Annotated, Any, TypeAlias, cast

import pytest
from slotbook import Book, ExecutionReport, repositories
from slotbook.models import Cancel, Entity, Fill, Key, Limits, Outcome, PositionChange, SymbolInfo
from slotbook.models.coordination import new_session_id
from slotbook.models.errors import InvalidSettings, UnderReplicated
from slotbook.models.types import Name, Quantity

from ...support.caching.memory_source import AsyncMemorySource, MemorySource
from ...support.callers import CALLERS
from ...support.desk import Desk
from ...support.make import execution, limit

BEYOND = "replicated=9"
"""More replicas than any deployment of the tests has."""
INFO = SymbolInfo(symbol="AAPL", name="Apple", exchange="XNAS", lot_size=1, tick_size=Decimal("0.01"), currency="USD")

Ways: TypeAlias = dict[str, Any]
Make: TypeAlias = Callable[["Case", Ways], object]


class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    quantity: Quantity


VENUES = f"durable_venue_{os.getpid()}"
"""A kind for each process, as a migration takes all records of a kind, and processes may share servers."""


class Venue(Entity, kind=VENUES):
    mic: Annotated[Name, Key]
    lots: Quantity = 1


class RenumberedVenue(Venue, kind=VENUES, schema=2, upgrade={1: dict}):
    pass


class Renumbered(Entity, kind="allocation", schema=2, upgrade={1: dict}):
    trader: Name
    allocation_id: Annotated[Name, Key]
    quantity: Quantity


class Case:
    """A book in which there is something to change."""

    def __init__(self, desk: Desk, **settings: object) -> None:
        self.trader = desk.trader
        desk.book.orders.place(limit(desk.trader))
        desk.book.orders.place(limit(desk.trader, "A2"))
        desk.book.orders.cancel(desk.trader, "A2")
        desk.book.orders.place(limit(desk.trader, "A4", status="PENDING_NEW"))
        desk.book.orders.place(limit(desk.trader, "A5", symbol="MSFT"))
        desk.book.orders.fill(execution(desk.trader, "X5", 40, order_id="A5"))
        self.id = new_session_id(desk.trader)
        desk.book.sessions.create(desk.trader, 60, session_id=self.id)
        self.book: Book = desk.open(prefix="", replication_wait=0.05, **settings)
        desk.book.table(Allocation).insert(self.allocation("L1"))
        self.table: Any = self.book.table(Allocation)
        desk.book.reference(Venue).put(Venue(mic=desk.trader))
        self.venues: Any = self.book.reference(Venue)
        table: MemorySource[Any] = MemorySource()
        source: Any = table if desk.caller == "sync" else AsyncMemorySource(table)
        self.symbols: Any = self.book.symbols.using(source)
        self.cache: Any = self.book.cache(dict[str, int], f"c{desk.trader}", source)

    def allocation(self, key: str) -> Allocation:
        return Allocation(trader=self.trader, allocation_id=key, quantity=40)

    def fill(self) -> Fill:
        return execution(self.trader)

    def cancel(self) -> Cancel:
        return Cancel(trader=self.trader, order_id="A1", request_id="R1")

    def report(self) -> ExecutionReport:
        about = {"trader": self.trader, "order_id": "A1", "symbol": "AAPL", "side": "BUY", "exec_id": "E1"}
        return ExecutionReport.model_validate({**about, "exec_type": "CANCELED", "status": "CANCELED"})

    def change(self) -> PositionChange:
        return PositionChange(trader=self.trader, symbol="AAPL", quantity=5, request_id="R1")


CHANGES: Mapping[str, Make] = {
    "Book.commit": lambda case, ways: case.book.commit([case.fill(), case.cancel()], **ways),
    "AcquiredLock.commit": lambda case, ways: _locked(case).commit([case.fill()], **ways),
    "OrderRepository.place": lambda case, ways: case.book.orders.place(limit(case.trader, "A3"), **ways),
    "OrderRepository.place_many": lambda case, ways: case.book.orders.place_many([limit(case.trader, "A3")], **ways),
    "OrderRepository.fill": lambda case, ways: case.book.orders.fill(case.fill(), **ways),
    "OrderRepository.fill_many": lambda case, ways: case.book.orders.fill_many([case.fill()], **ways),
    "OrderRepository.apply": lambda case, ways: case.book.orders.apply(case.cancel(), **ways),
    "OrderRepository.apply of a report": lambda case, ways: case.book.orders.apply(case.report(), **ways),
    "OrderRepository.apply_many": lambda case, ways: case.book.orders.apply_many([case.cancel()], **ways),
    "OrderRepository.replace": lambda case, ways: case.book.orders.replace(case.trader, "A1", quantity=50, **ways),
    **{
        f"OrderRepository.{verb}": lambda case, ways, verb=verb: getattr(case.book.orders, verb)(
            case.trader, "A1", **ways
        )
        for verb in ("calculate", "cancel_reject", "done_for_day", "stop", "suspend")
    },
    "OrderRepository.accept": lambda case, ways: case.book.orders.accept(case.trader, "A4", **ways),
    "OrderRepository.restate": lambda case, ways: case.book.orders.restate(case.trader, "A1", quantity=90, **ways),
    "OrderRepository.pending_cancel": lambda case, ways: case.book.orders.pending_cancel(
        case.trader, "A1", client_order_id="C1", **ways
    ),
    "OrderRepository.pending_replace": lambda case, ways: case.book.orders.pending_replace(
        case.trader, "A1", client_order_id="C1", quantity=90, **ways
    ),
    "OrderRepository.bust": lambda case, ways: case.book.orders.bust(case.trader, "A5", "X5", **ways),
    "OrderRepository.correct": lambda case, ways: case.book.orders.correct(
        case.trader, "A5", "X5", quantity=41, price="187", **ways
    ),
    "OrderRepository.cancel": lambda case, ways: case.book.orders.cancel(case.trader, "A1", **ways),
    "OrderRepository.cancel_all": lambda case, ways: case.book.orders.cancel_all(case.trader, **ways)[0].result(),
    "OrderRepository.reject": lambda case, ways: case.book.orders.reject(case.trader, "A1", **ways),
    "OrderRepository.expire": lambda case, ways: case.book.orders.expire(case.trader, "A1", **ways),
    "OrderRepository.delete": lambda case, ways: case.book.orders.delete(case.trader, "A2", **ways),
    "Book.trading": lambda case, ways: case.book.trading(case.trader, "halted", **ways),
    "LimitsRepository.set": lambda case, ways: case.book.limits.set(Limits(trader=case.trader, max_order=5), **ways),
    "LimitsRepository.delete": lambda case, ways: case.book.limits.delete(case.trader, "AAPL", **ways),
    "LimitsRepository.turn": lambda case, ways: case.book.limits.turn(case.trader, "reducing", **ways),
    "PositionRepository.adjust": lambda case, ways: case.book.positions.adjust(case.trader, "AAPL", 5, **ways),
    "PositionRepository.set": lambda case, ways: case.book.positions.set(case.trader, "AAPL", 5, **ways),
    "PositionRepository.split": lambda case, ways: case.book.positions.split(case.trader, "AAPL", 2, 1, **ways),
    "PositionRepository.roll": lambda case, ways: case.book.positions.roll(case.trader, "AAPL", **ways),
    "PositionRepository.apply_many": lambda case, ways: case.book.positions.apply_many([case.change()], **ways),
    "PositionRepository.check_and_update": lambda case, ways: case.book.positions.check_and_update(
        case.trader, "AAPL", 5, 100, **ways
    ),
    "Table.insert": lambda case, ways: case.table.insert(case.allocation("L2"), **ways),
    "Table.insert_many": lambda case, ways: case.table.insert_many([case.allocation("L2")], **ways),
    "Table.put": lambda case, ways: case.table.put(case.allocation("L1"), **ways),
    "Table.put_many": lambda case, ways: case.table.put_many([case.allocation("L1")], **ways),
    "Table.update": lambda case, ways: case.table.update(case.trader, "L1", {"quantity": 5}, **ways),
    "Table.migrate": lambda case, ways: case.book.table(Renumbered).migrate([case.trader], **ways),
    "Table.delete": lambda case, ways: case.table.delete(case.trader, "L1", **ways),
    "ReferenceTable.insert": lambda case, ways: case.venues.insert(Venue(mic=f"{case.trader}:2"), **ways),
    "ReferenceTable.insert_many": lambda case, ways: case.venues.insert_many([Venue(mic=f"{case.trader}:2")], **ways),
    "ReferenceTable.put": lambda case, ways: case.venues.put(Venue(mic=case.trader, lots=2), **ways),
    "ReferenceTable.put_many": lambda case, ways: case.venues.put_many([Venue(mic=case.trader, lots=2)], **ways),
    "ReferenceTable.update": lambda case, ways: case.venues.update(case.trader, {"lots": 2}, **ways),
    "ReferenceTable.delete": lambda case, ways: case.venues.delete(case.trader, **ways),
    "ReferenceTable.migrate": lambda case, ways: case.book.reference(RenumberedVenue).migrate(**ways),
    "SessionRepository.create": lambda case, ways: case.book.sessions.create(case.trader, 60, **ways),
    "SessionRepository.touch": lambda case, ways: case.book.sessions.touch(case.id, **ways),
    "SessionRepository.revoke": lambda case, ways: case.book.sessions.revoke(case.id, **ways),
    "SessionRepository.revoke_all": lambda case, ways: case.book.sessions.revoke_all(case.trader, **ways),
    "ValueRepository.swap": lambda case, ways: case.book.values.swap(case.trader, 0, "one", ttl=60, **ways),
    "ValueRepository.swap_value": lambda case, ways: case.book.values.swap_value(
        case.trader, None, "one", ttl=60, **ways
    ),
    "OrderEventRepository.trim": lambda case, ways: case.book.events.trim(case.trader, 2, **ways),
    "SymbolInfoRepository.put": lambda case, ways: case.symbols.put(INFO, **ways),
    "SymbolInfoRepository.put_many": lambda case, ways: case.symbols.put_many([INFO], **ways),
    "SymbolInfoRepository.write_through": lambda case, ways: case.symbols.write_through(INFO, **ways),
    "SymbolInfoRepository.write_through_many": lambda case, ways: case.symbols.write_through_many([INFO], **ways),
    "SymbolInfoRepository.invalidate": lambda case, ways: case.symbols.invalidate("AAPL", **ways),
    "SymbolInfoRepository.invalidate_matching": lambda case, ways: [
        case.symbols.put(INFO, durability="local"),
        case.symbols.invalidate_matching("AAP*", **ways),
    ],
    "Cache.put": lambda case, ways: case.cache.put("k", {"a": 1}, **ways),
    "Cache.put_many": lambda case, ways: case.cache.put_many({"k": {"a": 1}}, **ways),
    "Cache.write_through": lambda case, ways: case.cache.write_through("k", {"a": 1}, **ways),
    "Cache.write_through_many": lambda case, ways: case.cache.write_through_many({"k": {"a": 1}}, **ways),
    "Cache.invalidate": lambda case, ways: case.cache.invalidate("k", **ways),
    "Cache.invalidate_matching": lambda case, ways: [
        case.cache.put("k", {"a": 1}, durability="local"),
        case.cache.invalidate_matching("k*", **ways),
    ],
}
"""Every method that changes something and waits for replicas."""

BY_BOOK = {"Book.reconcile"}
"""Methods that take no durability of their own, only the book's, and count what too few replicas have confirmed."""

WAIT_FOR_NONE = {
    *("Lock.acquire", "AcquiredLock.renew", "AcquiredLock.release", "RateLimiter.acquire"),
    *("Delivery.acknowledge", "Delivery.acknowledge_later", "Delivery.fail", "Delivery.give_up"),
    *("OrderEventRepository.remove_consumers", "OrderEventRepository.requeue"),
    *("SearchIndexes.create", "SearchIndexes.drop", "Auditor.repair"),
    *(f"{kind}.{name}" for kind in ("Cache", "SymbolInfoRepository") for name in ("get_or_load", "get_or_load_many")),
    *("Cache.warm", "SymbolInfoRepository.warm"),
}
"""Methods that change something which nothing depends on; docs/explanation/durability.md says so."""

READS = {
    "Auditor": "traders verify",
    "Book": "cache close limiter lock losses open ping reference snapshot stats table",
    "AcquiredLock": "table",
    "Cache": "close get get_many key near",
    "Consumer": "add close get lag on_done run start stop",
    "Follow": "add close get start stop",
    "LimitsRepository": "all get trading",
    "OrderEventRepository": "close consume dead_letters follow from_url history psubscribe publish subscribe",
    "OrderRepository": "by by_status by_symbol close count fills find from_url get get_many in_flight of open",
    "PositionRepository": "all by_account close find from_url get get_many net totals",
    "SearchIndexes": "info",
    "SessionRepository": "by_trader get",
    "Subscription": "close get start stop",
    "SymbolInfoRepository": "close find from_url get get_many key near using",
    "ReferenceTable": "all count exists find get get_many iter verify",
    "Table": "all by count count_range exists find get get_many iter range",
    "ValueRepository": "get",
}
"""Methods that store nothing, by class."""

KINDS = (
    *("AcquiredLock", "Auditor", "Book", "Cache", "Consumer", "Delivery", "Follow", "LimitsRepository", "Lock"),
    "OrderEventRepository",
    *(
        "OrderRepository",
        "PositionRepository",
        "RateLimiter",
        "ReferenceTable",
        "SearchIndexes",
        "SessionRepository",
        "Subscription",
    ),
    *("SymbolInfoRepository", "Table", "ValueRepository"),
)


def _locked(case: Case) -> Any:
    return case.book.lock("desk", trader=case.trader).acquire()


def methods(kind: type) -> dict[str, Callable[..., object]]:
    """Return the public methods of a class."""
    return {name: one for name, one in inspect.getmembers(kind, callable) if not name.startswith("_")}


def listed() -> set[str]:
    reads = {f"{kind}.{name}" for kind, names in READS.items() for name in names.split()}
    return {*(name.partition(" of ")[0] for name in CHANGES), *BY_BOOK, *WAIT_FOR_NONE, *reads}


@pytest.mark.parametrize("form", ["", "Async"])
def test_every_public_method_is_in_one_of_the_tables(form: str) -> None:
    found = {f"{kind}.{name}" for kind in KINDS for name in methods(getattr(repositories, form + kind))}
    assert found == listed(), "a new one belongs in CHANGES, with a durability, or in WAIT_FOR_NONE, or in READS"
    assert {kind.removeprefix("Async") for kind in repositories.__all__} - set(KINDS) <= {
        *("CachePolicy", "Find", "IndexStatus", "Source", "Warmed")
    }


@pytest.mark.parametrize("form", ["", "Async"])
def test_all_that_wait_take_a_durability_and_no_other_does(form: str) -> None:
    found = {
        f"{kind}.{name}"
        for kind in KINDS
        for name, method in methods(getattr(repositories, form + kind)).items()
        if "durability" in inspect.signature(method).parameters
    }
    assert found == {name.partition(" ")[0] for name in CHANGES}


def raise_first(answer: object) -> None:
    """Raise the first error of the outcomes that a method answered, if it answered outcomes."""
    for one in cast("list[object]", answer) if isinstance(answer, list) else []:
        if isinstance(one, Outcome):
            cast("Outcome[object]", one).result()


@pytest.mark.parametrize("name", CHANGES)
def test_too_few_copies_are_an_error(desk: Desk, name: str) -> None:
    with pytest.raises(UnderReplicated, match=r"applied, but \d of 9"):
        raise_first(CHANGES[name](Case(desk), {"durability": BEYOND}))


@pytest.mark.parametrize("name", CHANGES)
def test_the_durability_of_the_book_holds(lone_desk: Desk, name: str) -> None:
    case = Case(lone_desk, durability=BEYOND)
    with pytest.raises(UnderReplicated, match=r"applied, but \d of 9"):
        raise_first(CHANGES[name](case, {}))


def test_a_journal_counts_what_too_few_have_confirmed(desk: Desk) -> None:
    case = Case(desk, durability=BEYOND)
    assert case.book.reconcile([case.fill(), limit(desk.trader, "A3")]).under_replicated == 2


@pytest.mark.parametrize("desk", list(product(("sentinel", "cluster"), CALLERS)), ids="-".join, indirect=True)
def test_what_is_confirmed_is_answered(desk: Desk) -> None:
    case = Case(desk)
    book = desk.open(durability="replicated=1", replication_wait=5)
    assert book.sessions.touch(case.id).id == case.id
    book.sessions.revoke(case.id)
    book.sessions.revoke_all(desk.trader)
    assert book.events.trim(desk.trader, 2) == 1
    swap = book.values.swap(desk.trader, 0, "one", ttl=60)
    assert (swap.swapped, (swap.replicas or 0) >= 1) == (True, True)
    assert book.values.swap(desk.trader, swap.version, "two", ttl=60, durability="local").replicas is None
    cache: Any = book.cache(int, f"c{desk.trader}")
    cache.put("k", 1)
    assert cache.invalidate("k")


def test_who_reads_waits_for_nobody(lone_desk: Desk) -> None:
    case = Case(lone_desk, durability=BEYOND)
    assert case.book.sessions.get(case.id) is not None
    assert not case.book.values.swap(lone_desk.trader, 7, "one").swapped
    assert case.book.positions.check_and_update(lone_desk.trader, "AAPL", 5, 1).accepted is False


def test_in_a_batch_what_changes_nothing_waits_for_nobody(lone_desk: Desk) -> None:
    positions = Case(lone_desk, durability=BEYOND).book.positions
    changes = [
        PositionChange(trader=lone_desk.trader, symbol="AAPL", quantity=quantity, max_position=10)
        for quantity in (5, 50)
    ]
    changed, beyond = positions.apply_many(changes)
    assert isinstance(changed.error, UnderReplicated)
    assert beyond.result().accepted is False


@pytest.mark.parametrize("name", CHANGES)
def test_a_call_may_want_less_than_the_book(lone_desk: Desk, name: str) -> None:
    raise_first(CHANGES[name](Case(lone_desk, durability=BEYOND), {"durability": "local"}))


@pytest.mark.parametrize("name", CHANGES)
def test_a_durability_that_there_is_not_changes_nothing(lone_desk: Desk, name: str) -> None:
    case = Case(lone_desk)
    if name == "AcquiredLock.commit":
        _locked(case).release()
    before = lone_desk.contents()
    with pytest.raises(InvalidSettings, match="durability"):
        CHANGES[name](case, {"durability": "twice"})
    if name.endswith("invalidate_matching"):  # what it was to remove is there
        assert (case.cache.get("k") if name.startswith("Cache") else case.symbols.get("AAPL")) is not None
    after = lone_desk.contents()
    assert {key: value for key, value in after.items() if ":lock:" not in key} == {
        key: value for key, value in before.items() if ":lock:" not in key
    }
