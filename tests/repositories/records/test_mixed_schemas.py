"""Test kinds whose records expire since their second schema, beside older ones that stay, and their migrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from slotbook.models import Entity, Index, Key
from slotbook.models.types import Name

from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.lifetimes import expiry_of, held, let_pass


class Lasting(Entity, kind="mark"):
    trader: Name
    name: Annotated[Name, Key]
    venue: Annotated[Name, Index] = "X"


class Flash(Entity, kind="mark", schema=2, ttl=0.1, upgrade={1: dict}):
    trader: Name
    name: Annotated[Name, Key]
    venue: Annotated[Name, Index] = "X"
    size: Annotated[int | None, Index(sorted=True)] = None


def with_size(fields: dict[str, str]) -> dict[str, object]:
    return {**fields, "size": fields.get("size", 1)}


class Later(Flash, kind="mark", schema=3, ttl=600, upgrade={1: dict, 2: with_size}):
    pass


def names_of(found: Sequence[Flash]) -> list[str]:
    return [one.name for one in found]


def differences(desk: Desk, trader: str) -> list[object]:
    return [one for one in desk.book.audit.verify(trader) if one.is_difference]


def test_what_is_older_stays_when_all_that_is_newer_has_expired(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.table(Lasting).insert(Lasting(trader=trader, name="old"))
    table = book.table(Flash)
    assert table.migrate([trader]).rewritten == 1
    for name in ("new", "pew"):
        table.insert(Flash(trader=trader, name=name, size=5))
    wait_until(lambda: table.get(trader, "pew") is None, "the last one expires")
    for _ in range(2):
        assert names_of(table.all(trader)) == names_of(table.by(trader, {"venue": "X"})) == ["old"]
        assert (table.count(trader), table.count(trader, {"venue": "X"})) == (1, 1)
        assert (table.range(trader, "size"), table.count_range(trader, "size")) == ([], 0)
        assert differences(desk, trader) == []
        assert not [one for one in book.audit.repair(trader) if one.finding.is_difference]
    assert table.update(trader, "old", {"size": 7}).version == 2
    wait_until(lambda: table.get(trader, "old") is None, "the one that was older expires since its change")
    assert (table.all(trader), table.count(trader)) == ([], 0)
    assert desk.ask("KEYS", "%:mark*") == []


def test_a_migration_goes_past_what_has_expired_beside_what_stays(desk: Desk) -> None:
    book, traders = desk.book, sorted([desk.trader, desk.another()])
    for trader in traders:
        book.table(Lasting).insert(Lasting(trader=trader, name="old"))
    assert book.table(Flash).migrate(traders).rewritten == 2
    for trader in traders:
        book.table(Flash).insert(Flash(trader=trader, name="new", size=5))
        wait_until(lambda trader=trader: book.table(Flash).get(trader, "new") is None, "it expires")
    table = book.table(Later)
    done = table.migrate(traders)
    assert (done.rewritten, done.left, done.is_complete) == (2, [], True)
    for trader in traders:
        assert names_of(table.all(trader)) == names_of(table.range(trader, "size", 1, 1)) == ["old"]
        assert (table.count(trader), table.count_range(trader, "size")) == (1, 1)
        assert differences(desk, trader) == []
    assert expiry_of(desk, "%:mark:old") == ""


def test_a_migration_leaves_what_stays_and_what_expires_as_they_are(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.table(Lasting).insert(Lasting(trader=trader, name="old"))
    book.table(Flash).migrate([trader])

    class Slow(Flash, kind="mark", schema=2, ttl=600, upgrade={1: dict}):
        pass

    book.table(Slow).insert(Slow(trader=trader, name="new"))
    ends = expiry_of(desk, "%:mark:new")
    assert book.table(Later).migrate([trader]).rewritten == 2
    lives = {"new": ends, "old": ""}
    sizes = held(desk, "%:mark_sorted_size")
    assert held(desk, "%:mark_keys") == held(desk, "%:mark_by_venue:X") == lives
    assert {member.partition(":")[2]: expiry for member, expiry in sizes.items()} == lives
    let_pass(lambda *words: desk.fleet.ask(f"{{{trader}}}", *words), trader, "mark", 601)
    assert names_of(book.table(Later).all(trader)) == names_of(book.table(Later).range(trader, "size")) == ["old"]
    assert differences(desk, trader) == []
