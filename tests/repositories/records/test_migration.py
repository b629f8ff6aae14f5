"""Test that migrations bring every record to the model's schema, whatever happens meanwhile, or say why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import pytest
from slotbook import Book
from slotbook.models import Entity, Index, Key, Unique
from slotbook.models.errors import HistoryTrimmed, InvalidArgument, SchemaMismatch, Unavailable
from slotbook.models.types import Name
from slotbook.repositories.records import migration
from slotbook.repositories.records.migration import LeftRecord, Migration

from ...support.desk import Desk
from ...support.make import limit
from ...support.raw import mapping
from ...support.schemas import First, Second, Third, first_lot, to_second, to_third, upgraded


@pytest.fixture
def other(desk: Desk) -> Iterator[Book]:
    """Yield a book for threads, which another program has at the same time."""
    with Book.open(desk.fleet.url()) as book:
        yield book


def lots(desk: Desk, count: int) -> list[First]:
    """Insert records of the first schema, and return them as they are stored."""
    made = [First(trader=desk.trader, lot_id=f"L{number:04}", reference=f"R{number}") for number in range(count)]
    return [outcome.result().record for outcome in desk.book.table(First).insert_many(made)]  # type: ignore[misc]


def schemas_of(desk: Desk) -> set[str]:
    """Return the schemas of all of the trader's records."""
    keys = mapping(desk.ask("ZRANGE", "%:lot_keys", 0, -1, "WITHSCORES"))
    return {str(desk.ask("HGET", f"%:lot:{key}", "@schema")) for key in keys}


def dumped(desk: Desk, key: str) -> bytes:
    """Return what RESTORE makes a key from again."""
    return str(desk.ask("DUMP", key)).encode(errors="surrogateescape")


def hooked(meanwhile: Callable[[int], object]) -> type[Third]:
    """Return the third schema's model, whose upgrades call a function with their number, from 1."""
    calls = 0

    def to_third_and(fields: dict[str, str]) -> Mapping[str, object]:
        nonlocal calls
        calls += 1
        meanwhile(calls)
        return to_third(fields)

    class Hooked(Third, kind="lot", schema=3, upgrade={1: to_second, 2: to_third_and}):
        pass

    return Hooked


def test_all_records_of_all_traders_keep_what_they_say(desk: Desk) -> None:
    table, first = desk.book.table(Third), desk.trader
    records, events = lots(desk, 1_203), len(desk.events())
    desk.trader = desk.another()
    few = lots(desk, 3)
    told: list[tuple[int, int, int]] = []
    done = table.migrate(
        [first, desk.trader], progress=lambda now: told.append((now.total, now.traders, now.rewritten))
    )
    assert (done.total, done.traders, done.current, done.rewritten, done.left) == (2, 2, 0, 1_206, [])
    assert done.is_complete
    assert told[-1] == (2, 2, 1_206)
    assert len(told) >= 6
    assert table.all(desk.trader) == [upgraded(one) for one in few]
    desk.trader = first
    assert list(table.all(first)) == [upgraded(one) for one in records]
    assert table.by(first, {"venue": "XNAS"}) == table.all(first)
    assert schemas_of(desk) == {"3"}
    assert len(desk.events()) == events
    assert desk.ask("HGET", "%:book", "schema:lot") == "3"
    assert desk.ask("EXISTS", "%:lot_unique_reference:R7", "%:lot_by_account:ACC2") == 0
    assert desk.ask("GET", "%:lot_unique_label:R7") == "L0007"
    before = desk.contents()
    again = table.migrate([first])
    assert (again.traders, again.current, again.rewritten) == (1, 1, 0)
    assert desk.contents() == before


def test_without_traders_all_are_found(desk: Desk) -> None:
    book = desk.open(prefix=f"p[{desk.trader}]:")
    book.table(First).insert(First(trader=desk.trader, lot_id="L1"))
    done = book.table(Third).migrate()
    assert (done.total, done.rewritten, done.current) == (1, 1, 0)


def test_what_cannot_be_upgraded_is_listed_and_its_trader_not_marked(desk: Desk) -> None:
    table, trader = desk.book.table(Third), desk.trader
    first_lot(desk, reference="R1")
    first_lot(desk, "L2", size=13)
    done = table.migrate([trader])
    assert (done.rewritten, done.is_complete) == (1, False)
    assert [(one.trader, one.key) for one in done.left] == [(trader, "L2")]
    assert "ValueError: 13 brings bad luck" in done.left[0].reason
    assert desk.ask("HGET", "%:book", "schema:lot") == "1"
    with pytest.raises(SchemaMismatch):
        table.by(trader, {"venue": "XNAS"})
    desk.book.table(First).update(trader, "L2", {"size": 14})
    assert table.migrate([trader]).is_complete
    assert len(table.by(trader, {"venue": "XNAS"})) == 2


class Renamed(Entity, kind="lot", schema=2, upgrade={1: lambda fields: {**fields, "owner": "bob", "size": None}}):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Annotated[Name, Index]
    reference: Name | None = None
    owner: Annotated[Name, Unique]


def test_a_unique_value_that_two_would_have_is_reported(desk: Desk) -> None:
    table, trader = desk.book.table(Renamed), desk.trader
    for key in ("L1", "L2"):
        first_lot(desk, key)
    done = table.migrate([trader])
    assert (done.rewritten, done.is_complete) == (1, False)
    (left,) = done.left
    assert isinstance(left, LeftRecord)
    assert f"migrate lot {trader}/{left.key}: owner 'bob' is that of the record" in left.reason
    desk.book.table(Renamed).delete(trader, left.key)
    assert table.migrate([trader]).is_complete


class Brief(Entity, kind="brief", ttl=600):
    trader: Name
    brief_id: Annotated[Name, Key]


class Found(
    Entity, kind="brief", ttl=60, schema=2, upgrade={1: lambda fields: {**fields, "maker": "M1", "code": "C1"}}
):
    trader: Name
    brief_id: Annotated[Name, Key]
    maker: Annotated[Name, Index]
    code: Annotated[Name, Unique]


def test_what_expires_does_so_when_it_would_have(desk: Desk) -> None:
    desk.book.table(Brief).insert(Brief(trader=desk.trader, brief_id="B1"))
    expiry = desk.ask("PEXPIRETIME", "%:brief:B1")
    assert desk.book.table(Found).migrate([desk.trader]).rewritten == 1
    for key in ("%:brief:B1", "%:brief_by_maker:M1", "%:brief_unique_code:C1", "%:brief_keys"):
        assert desk.ask("PEXPIRETIME", key) == expiry, key
    assert len(desk.book.table(Found).by(desk.trader, {"maker": "M1"})) == 1


def test_what_changes_between_reading_and_writing_is_not_lost(desk: Desk, other: Book) -> None:
    def meanwhile(call: int) -> None:
        if call == 1:
            other.table(First).update(trader, "L0000", {"account": "ACC2"})
            other.table(First).delete(trader, "L0001")
            other.table(Third).update(trader, "L0002", {"quantity": 5})
            other.table(Second).put(Second(trader=trader, lot_id="L0003", account="ACC3"))

    trader = desk.trader
    lots(desk, 6)
    table = desk.book.table(hooked(meanwhile))
    done = table.migrate([trader])
    assert (done.rewritten, done.is_complete) == (4, True)
    found = {one.lot_id: one for one in table.all(trader)}
    assert (found["L0000"].account, found["L0000"].label, found["L0000"].version) == ("ACC2", "R0", 2)
    assert "L0001" not in found
    assert (found["L0002"].quantity, found["L0003"].account, found["L0003"].label) == (5, "ACC3", None)
    assert schemas_of(desk) == {"3"}


def test_what_older_programs_write_behind_it_is_found(desk: Desk, other: Book) -> None:
    def meanwhile(now: Migration) -> None:
        if not written:
            written.append(now.rewritten)
            for number in range(700):
                other.table(First).insert(First(trader=trader, lot_id=f"A{number}"))

    trader, written = desk.trader, list[int]()
    lots(desk, 600)
    done = desk.book.table(Third).migrate([trader], progress=meanwhile)
    assert written == [500]
    assert (done.rewritten, done.is_complete) == (1_300, True)
    assert schemas_of(desk) == {"3"}


def test_what_older_programs_write_behind_many_events_is_found(desk: Desk, other: Book) -> None:
    def meanwhile(_now: Migration) -> None:
        if not written:
            new, old = Third(trader=trader, lot_id="A1"), First(trader=trader, lot_id="A2")
            written.extend(other.table(Third).put(new).sequence for _ in range(510))
            other.table(First).insert(old)

    trader, written = desk.trader, list[int]()
    lots(desk, 3)
    assert desk.book.table(Third).migrate([trader], progress=meanwhile).rewritten == 4
    assert schemas_of(desk) == {"3"}


def test_two_at_once_do_it_once(desk: Desk, other: Book) -> None:
    first: list[Migration] = []

    def meanwhile(call: int) -> None:
        if call == 520:
            first.append(other.table(Third).migrate([trader]))

    trader = desk.trader
    lots(desk, 600)
    second = desk.book.table(hooked(meanwhile)).migrate([trader])
    assert (first[0].rewritten, second.rewritten) == (100, 500)
    assert first[0].is_complete
    assert second.is_complete
    assert schemas_of(desk) == {"3"}


def test_a_server_that_has_lost_a_step_is_gone_through_anew(desk: Desk, other: Book) -> None:
    """Test a server that takes the place of another: it has a record as it was, and not the run's last step."""

    def meanwhile(call: int) -> None:
        if call in (520, 540):
            desk.fleet.ask(f"{{{trader}}}", "DEL", *[key for key in desk.contents() if "_migrating" in key])
            if call == 520:
                desk.fleet.ask(f"{{{trader}}}", "RESTORE", f"{{{trader}}}:lot:L0007", 0, stored, "REPLACE")

    trader = desk.trader
    lots(desk, 600)
    stored = dumped(desk, "%:lot:L0007")
    desk.vandalise("PING")  # the indexes and the record are not of one moment
    assert desk.book.table(hooked(meanwhile)).migrate([trader]).is_complete
    assert schemas_of(desk) == {"3"}


@pytest.mark.parametrize("rewritten", [500, 600], ids=["amid", "at-the-end"])
def test_a_server_that_has_lost_what_was_written_is_gone_through_anew(desk: Desk, rewritten: int) -> None:
    """Test one that has the run's last step, but not a record that was written after it."""

    def meanwhile(now: Migration) -> None:
        if now.rewritten == rewritten and not lost:
            lost.append(desk.fleet.ask(f"{{{trader}}}", "RESTORE", key, 0, stored, "REPLACE"))

    trader, lost = desk.trader, list[Any]()
    key = f"{{{trader}}}:lot:" + ("L0007" if rewritten == 500 else "L0599")
    lots(desk, 600)
    stored = dumped(desk, key)
    desk.vandalise("PING")
    assert desk.book.table(Third).migrate([trader], progress=meanwhile).is_complete
    assert lost
    assert schemas_of(desk) == {"3"}


def test_events_that_are_trimmed_meanwhile_make_it_begin_anew(
    desk: Desk, other: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(_now: Migration) -> None:
        if trims:
            trims.pop()
            other.table(First).insert(First(trader=trader, lot_id=f"A{len(trims)}"))
            desk.fleet.ask(f"{{{trader}}}", "XTRIM", f"{{{trader}}}:events", "MAXLEN", 0)

    monkeypatch.setattr(migration, "PASSES", 3)
    trader, trims = desk.trader, [1, 2]
    lots(desk, 3)
    desk.vandalise("PING")
    assert desk.book.table(Third).migrate([trader], progress=meanwhile).is_complete
    assert schemas_of(desk) == {"3"}
    desk.vandalise("HSET", "%:book", "schema:lot", 1)
    desk.vandalise("HSET", "%:lot:A0", "@schema", 2)
    trims = [1] * 9

    def always(_now: Migration) -> None:
        other.table(Third).put(Third(trader=trader, lot_id="B1"))
        desk.fleet.ask(f"{{{trader}}}", "XTRIM", f"{{{trader}}}:events", "MAXLEN", 0)
        desk.fleet.ask(f"{{{trader}}}", "HSET", f"{{{trader}}}:lot:A0", "@schema", 2)

    with pytest.raises(HistoryTrimmed):
        desk.book.table(Third).migrate([trader], progress=always)
    assert desk.ask("HGET", "%:book", "schema:lot") == "1"


def test_a_server_that_loses_every_step_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(_now: Migration) -> None:
        desk.fleet.ask(f"{{{trader}}}", "HSET", f"{{{trader}}}:lot:L0000", "@schema", 1)
        desk.fleet.ask(f"{{{trader}}}", "DEL", *[key for key in desk.contents() if "_migrating" in key])

    monkeypatch.setattr(migration, "PASSES", 2)
    trader = desk.trader
    lots(desk, 1)
    desk.vandalise("PING")
    with pytest.raises(Unavailable, match="a server has lost what was written"):
        desk.book.table(lenient(3)).migrate([trader], progress=meanwhile)


def lenient(schema: int) -> Any:
    """Return a model that upgrades from anything."""

    class Lenient(Entity, kind="lot", schema=schema, upgrade=dict.fromkeys(range(1, schema), keys_alone)):
        trader: Name
        lot_id: Annotated[Name, Key]

    return Lenient


def keys_alone(fields: dict[str, str]) -> dict[str, object]:
    return {name: fields[name] for name in ("trader", "lot_id")}


def test_a_trader_of_whom_nothing_is_stored_is_told_and_not_marked(desk: Desk) -> None:
    table = desk.book.table(Third)
    done = table.migrate([desk.trader])
    assert done == Migration(total=1, traders=1, unknown=[desk.trader])
    assert not done.is_complete
    assert desk.contents() == {}
    desk.book.orders.place(limit(desk.trader))
    assert table.migrate([desk.trader]) == Migration(total=1, traders=1)
    assert desk.ask("HGET", "%:book", "schema:lot") == "3", "an older program may not begin now"


def test_arguments_that_cannot_be_used_are_refused(desk: Desk) -> None:
    table: Any = desk.book.table(Third)
    for call in (
        lambda: table.migrate("T001", progress=3),
        lambda: table.migrate([""]),
        lambda: table.migrate([desk.trader], durability="some"),
    ):
        with pytest.raises((InvalidArgument, ValueError)):
            call()
