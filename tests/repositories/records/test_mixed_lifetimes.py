"""Test kinds of which some records expire and others stay: no listing has what has expired, or lacks anything else."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import pytest
from slotbook.models import Entity, Index, Insert, Key, Unique, Update
from slotbook.models.errors import NotUnique
from slotbook.models.ordering import order_text
from slotbook.models.types import Name

from ...support.desk import Desk, on_one_server
from ...support.faults.control import wait_until
from ...support.lifetimes import expiry_of, held, let_pass


class Signal(Entity, kind="signal", ttl=600):
    trader: Name
    name: Annotated[Name, Key]
    venue: Annotated[Name | None, Index] = "X"
    strength: Annotated[int | None, Index(sorted=True)] = 1
    code: Annotated[Name | None, Unique] = None


class Flash(Signal, kind="signal", ttl=0.1):
    pass


class Lasting(Signal, kind="signal"):
    entity_ttl = None


def put(desk: Desk, *records: Signal) -> None:
    for record in records:
        desk.book.table(type(record)).put(record)


def wait_for_the_end(desk: Desk, *names: str) -> None:
    for name in names:
        wait_until(lambda name=name: not desk.ask("EXISTS", f"%:signal:{name}"), f"{name} expires")


def check_listed(desk: Desk, *names: str, venue: str = "X", strength: int = 1) -> None:
    """Check that each way to list signals finds these, which have equal values, and no other, and verify the book."""
    table, trader, wanted = desk.book.table(Lasting), desk.trader, list(names)
    by_one, by_both = {"venue": venue}, {"venue": venue, "strength": strength}
    assert [one.name for one in table.all(trader)] == wanted
    assert [one.name for one in table.iter(trader)] == wanted
    for values in (by_one, {"strength": strength}, by_both):
        assert [one.name for one in table.by(trader, values)] == wanted
    assert [one.name for one in table.range(trader, "strength")] == wanted
    assert [one.name for one in table.range(trader, "strength", strength, descending=True)] == wanted[::-1]
    assert [one.name for one in table.range(trader, "strength", values=by_one)] == wanted
    numbers = [table.count(trader), *(table.count(trader, values) for values in (by_one, by_both))]
    numbers += [table.count_range(trader, "strength", values=values) for values in (None, by_one)]
    assert numbers == [len(wanted)] * 5
    assert not [one for one in desk.book.audit.verify(trader) if one.is_difference]


def indexes_of(desk: Desk, strength: int = 1) -> list[dict[str, str]]:
    """Return when the records of each index expire, by their names, and check when it expires itself."""
    head = f"{order_text('number', str(strength))}:"
    found = [held(desk, index) for index in ("%:signal_keys", "%:signal_by_venue:X", "%:signal_sorted_strength")]
    return [{member.removeprefix(head): expiry for member, expiry in one.items()} for one in found]


@pytest.mark.parametrize("turn", [1, -1], ids=["first what stays", "last what stays"])
def test_what_has_expired_is_found_no_more_beside_what_stays(desk: Desk, turn: int) -> None:
    trader = desk.trader
    records = [Lasting(trader=trader, name="M"), Flash(trader=trader, name="A"), Flash(trader=trader, name="Z")]
    put(desk, *records[::turn])
    wait_for_the_end(desk, "A", "Z")
    check_listed(desk, "M")
    before = desk.contents()
    assert not [one for one in desk.book.audit.repair(trader) if one.finding.is_difference]
    assert desk.contents() == before
    check_listed(desk, "M")
    put(desk, Lasting(trader=trader, name="B"))
    check_listed(desk, "B", "M")
    assert indexes_of(desk) == [{"B": "", "M": ""}] * 3
    assert desk.ask("KEYS", "%:signal_*@expiry*") == []


@on_one_server
@pytest.mark.parametrize("turn", [1, -1], ids=["first what stays", "last what stays"])
def test_one_unit_writes_what_stays_and_what_expires(desk: Desk, turn: int) -> None:
    trader = desk.trader
    records = [Lasting(trader=trader, name="M"), Flash(trader=trader, name="A"), Flash(trader=trader, name="Z")]
    desk.book.commit([Insert(record) for record in records[::turn]])
    wait_for_the_end(desk, "A", "Z")
    check_listed(desk, "M")
    desk.book.commit([Insert(Flash(trader=trader, name="A")), Update(Lasting, trader, "A", {"code": "C1"})])
    check_listed(desk, "A", "M")
    assert indexes_of(desk) == [{"A": "", "M": ""}] * 3


def test_a_header_says_that_all_stay_until_one_is_given_an_expiry(desk: Desk) -> None:
    trader = desk.trader
    desk.book.commit([Insert(Lasting(trader=trader, name="M", code="C1")), Insert(Lasting(trader=trader, name="N"))])
    assert desk.ask("HGET", "%:book", "stay:signal") == "1"
    with pytest.raises(NotUnique):
        desk.book.table(Signal).insert(Signal(trader=trader, name="A", code="C1"))
    assert desk.ask("HGET", "%:book", "stay:signal") == "1"
    put(desk, Signal(trader=trader, name="N"), Lasting(trader=trader, name="O"))
    assert desk.ask("HGET", "%:book", "stay:signal") == "0"
    assert indexes_of(desk) == [{"M": "", "N": expiry_of(desk, "%:signal:N"), "O": ""}] * 3
    for name in ("M", "N", "O"):
        desk.book.table(Lasting).delete(trader, name)
    put(desk, Lasting(trader=trader, name="P"))
    assert desk.ask("HGET", "%:book", "stay:signal") == "0"


@on_one_server
@pytest.mark.parametrize("lost", ["schema:signal", "stay:signal"])
def test_a_header_that_does_not_say_it_any_more_does_not_say_that_all_stay(desk: Desk, lost: str) -> None:
    trader = desk.trader
    put(desk, Signal(trader=trader, name="A"), Lasting(trader=trader, name="M"))
    desk.book.table(Lasting).delete(trader, "M")
    desk.vandalise("HDEL", "%:book", lost)
    put(desk, Lasting(trader=trader, name="N"))
    assert desk.ask("HGET", "%:book", "stay:signal") != "1"
    assert indexes_of(desk) == [{"A": expiry_of(desk, "%:signal:A"), "N": ""}] * 3
    put(desk, Signal(trader=trader, name="A"))  # all is as it was before
    desk.vandalise("HSET", "%:book", "schema:signal", "1")


@on_one_server
def test_an_expiry_that_was_set_by_hand_is_taken_away_by_a_put(desk: Desk) -> None:
    put(desk, Lasting(trader=desk.trader, name="M"))
    desk.vandalise("PEXPIRE", "%:signal:M", "100000")
    put(desk, Lasting(trader=desk.trader, name="M", strength=2))
    assert desk.ask("PEXPIRETIME", "%:signal:M") == -1
    check_listed(desk, "M", strength=2)


def test_what_expires_takes_the_indexes_with_it_once_what_stays_is_deleted(desk: Desk) -> None:
    trader = desk.trader
    put(desk, Signal(trader=trader, name="A"), Lasting(trader=trader, name="M"))
    ends = expiry_of(desk, "%:signal:A")
    assert indexes_of(desk) == [{"A": ends, "M": ""}] * 3
    desk.book.table(Lasting).delete(trader, "M")
    assert indexes_of(desk) == [{"A": ends}] * 3
    put(
        desk,
        Flash(trader=trader, name="A", code="C1"),
        Flash(trader=trader, name="B"),
        Lasting(trader=trader, name="N"),
    )
    desk.book.table(Lasting).delete(trader, "N")
    wait_for_the_end(desk, "A", "B")
    check_listed(desk)
    assert desk.ask("KEYS", "%:signal*") == desk.ask("KEYS", "%:signal_deleted:*")


def test_what_stays_and_is_deleted_takes_what_has_expired_with_it(desk: Desk) -> None:
    trader = desk.trader
    put(desk, Lasting(trader=trader, name="M"), Flash(trader=trader, name="A"))
    wait_for_the_end(desk, "A")
    desk.book.table(Lasting).delete(trader, "M")
    check_listed(desk)
    assert desk.ask("KEYS", "%:signal_[kbs]*") == []


def test_an_expired_key_that_comes_back_for_good_stays(desk: Desk) -> None:
    trader, table = desk.trader, desk.book.table(Lasting)
    put(desk, Signal(trader=trader, name="L"), Flash(trader=trader, name="A", code="C1"))
    wait_for_the_end(desk, "A")
    assert table.insert(Lasting(trader=trader, name="A", code="C1")).version == 1
    check_listed(desk, "A", "L")
    put(desk, Signal(trader=trader, name="L"))
    check_listed(desk, "A", "L")
    assert indexes_of(desk) == [{"A": "", "L": expiry_of(desk, "%:signal:L")}] * 3
    assert (expiry_of(desk, "%:signal:A"), expiry_of(desk, "%:signal_unique_code:C1")) == ("", "")
    with pytest.raises(NotUnique):
        put(desk, Signal(trader=trader, name="L", code="C1"))


@pytest.mark.parametrize("model", [Lasting, Signal])
def test_an_expired_key_that_comes_back_is_not_found_by_the_values_it_had(desk: Desk, model: type[Signal]) -> None:
    trader, table = desk.trader, desk.book.table(Lasting)
    put(desk, model(trader=trader, name="M"), Flash(trader=trader, name="A"))
    wait_for_the_end(desk, "A")
    put(desk, model(trader=trader, name="A", venue="Y", strength=None))
    for values in ({"venue": "X"}, {"strength": 1}, {"venue": "X", "strength": 1}):
        assert [one.name for one in table.by(trader, values)] == ["M"], values
        assert table.count(trader, values) == 1, values
    for values in ({"venue": "Y", "strength": 1}, {"venue": "Y", "strength": 2}):
        assert table.by(trader, values) == [], values
        assert table.count(trader, values) == 0, values
    assert [one.name for one in table.range(trader, "strength", descending=True)] == ["M"]
    assert [one.name for one in table.range(trader, "strength", 1, values={"venue": "X"})] == ["M"]
    assert (table.range(trader, "strength", values={"venue": "Y"}), table.count_range(trader, "strength")) == ([], 1)
    assert (table.count(trader), [one.name for one in table.all(trader)]) == (2, ["A", "M"])
    assert not [one for one in desk.book.audit.verify(trader) if one.is_difference]
    put(desk, model(trader=trader, name="A"))
    check_listed(desk, "A", "M")
    assert indexes_of(desk) == [{name: expiry_of(desk, f"%:signal:{name}") for name in "AM"}] * 3


@on_one_server
def test_a_page_goes_past_what_has_expired(desk: Desk) -> None:
    trader, table = desk.trader, desk.book.table(Lasting)
    signals = [Signal(trader=trader, name=f"A{number:04}") for number in range(1_200)]
    put(desk, *(Lasting(trader=trader, name=name) for name in ("A0500", "Z1", "Z2")))
    assert all(one.error is None for one in desk.book.table(Signal).put_many(signals))
    let_pass(partial(desk.fleet.ask, f"{{{trader}}}"), trader, "signal", 601)
    put(desk, Lasting(trader=trader, name="A1199", strength=2))  # more have expired than one change takes out
    assert [one.name for one in table.by(trader, {"strength": 1})] == ["Z1", "Z2"]
    assert [one.name for one in table.range(trader, "strength")] == ["Z1", "Z2", "A1199"]
    assert (table.count(trader, {"strength": 1}), table.count_range(trader, "strength")) == (2, 3)
    table.delete(trader, "A1199")
    put(desk, *(Lasting(trader=trader, name=name) for name in ("A0001", "A0600")))
    wanted = ["A0001", "A0600", "Z1", "Z2"]
    check_listed(desk, *wanted)
    for limit in range(1, 5):
        assert [one.name for one in table.by(trader, {"venue": "X"}, limit=limit)] == wanted[:limit]
        assert [one.name for one in table.range(trader, "strength", limit=limit)] == wanted[:limit]
        after = table.get(trader, wanted[limit - 1])
        assert [one.name for one in table.range(trader, "strength", after=after)] == wanted[limit:]


def test_a_renewal_moves_the_end_of_what_expires_and_of_nothing_else(desk: Desk) -> None:
    trader = desk.trader
    put(desk, Lasting(trader=trader, name="M"), Flash(trader=trader, name="A"), Signal(trader=trader, name="A"))
    ends = expiry_of(desk, "%:signal:A")
    assert indexes_of(desk) == [{"A": ends, "M": ""}] * 3
    desk.book.table(Lasting).update(trader, "M", {"code": "C1"})
    assert indexes_of(desk) == [{"A": ends, "M": ""}] * 3
    put(desk, Signal(trader=trader, name="M"))
    both = {"A": ends, "M": expiry_of(desk, "%:signal:M")}
    assert all(both.values())
    assert indexes_of(desk) == [both] * 3
    put(desk, Lasting(trader=trader, name="A"))
    assert indexes_of(desk) == [both | {"A": ""}] * 3
    desk.book.table(Lasting).update(trader, "M", {"venue": "X"})
    assert indexes_of(desk) == [{"A": "", "M": ""}] * 3
    check_listed(desk, "A", "M")
