"""Fault "reply cut": a change of a record without a trader has one effect and its own result, also with an upgrade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

import pytest
from slotbook import Book
from slotbook.models import Entity, Key, RecordResult
from slotbook.models.errors import OutOfMemory
from slotbook.models.types import Name

from ..support.faults.control import info
from ..support.faults.permissions import forget
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand


class Site(Entity, kind="site_cut"):
    site_id: Annotated[Name, Key]
    city: str = "Oslo"
    lots: int = 1


class Place(Entity, kind="site_cut", schema=2, upgrade={1: lambda fields: {**fields, "country": "NO"}}):
    site_id: Annotated[Name, Key]
    city: str
    country: str
    lots: int = 1


CALLS: dict[str, Callable[[Book, str], RecordResult[Site] | RecordResult[Place]]] = {
    "insert": lambda book, key: book.reference(Site).insert(Site(site_id=f"{key}.new")),
    "put": lambda book, key: book.reference(Site).put(Site(site_id=key, lots=2), expected_version=1, request_id="Q1"),
    "update": lambda book, key: book.reference(Site).update(key, {"lots": 2}, expected_version=1, request_id="Q1"),
    "delete": lambda book, key: book.reference(Site).delete(key, expected_version=1, request_id="Q1"),
    "upgrade": lambda book, key: book.reference(Place).update(key, {"lots": 2}, expected_version=1, request_id="Q1"),
}


@pytest.fixture
def sites(lone_stand: Stand) -> Iterator[Stand]:
    """Yield a stand whose records are removed at the end."""
    yield lone_stand
    forget(lone_stand, f"*site_cut:{lone_stand.trader}*")


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET], ids=["closed", "reset"])
@pytest.mark.parametrize("name", CALLS)
def test_one_effect_and_the_first_result(sites: Stand, name: str, do: Do) -> None:
    call, book = CALLS[name], sites.open(pool_size=1)
    at, sizes = 0, [1]
    while at < max(sizes):
        key = f"{sites.trader}.{at}"
        book.reference(Site).insert(Site(site_id=key))
        sites.veil.add(Rule(do, at=at))
        first = call(book, key)
        sizes += [sites.veil.plan.size]
        assert sites.veil.plan.idle
        again = call(book, key)
        assert (again.record, again.version, again.applied) == (first.record, first.version, False), at
        assert first.version == (1 if name == "insert" else 2), at
        at += 1 if do is Do.CUT else 7
    assert at > 20


def test_a_delete_of_nothing_whose_reply_is_lost_removes_nothing_later(sites: Stand) -> None:
    """It has found nothing; what is inserted before it comes again stays."""
    book, other, key = sites.open(), sites.open(), sites.trader
    assert book.reference(Site).delete(key, request_id="Q1").applied is False
    assert other.reference(Site).insert(Site(site_id=key)).applied
    again = book.reference(Site).delete(key, request_id="Q1")
    assert (again.applied, again.version, again.record) == (False, 0, other.reference(Site).get(key))


def test_out_of_memory_is_refused_before_anything_is_written(sites: Stand) -> None:
    book, base = sites.open(), sites.trader
    table, applied, number = book.reference(Site), 0, 0
    try:
        for spare in range(-200_000, 200_000, 10_000):
            number += 1
            used = int(info(sites.control.data[0], "memory")["used_memory"])
            sites.ask("CONFIG", "SET", "maxmemory", used + spare)
            try:
                table.put(Site(site_id=f"{base}.{number}", city="x" * 1_000), request_id="Q1")
                applied += 1
            except OutOfMemory:
                pass
            sites.ask("CONFIG", "SET", "maxmemory", "0")
            there = [key for key in range(1, number + 1) if table.exists(f"{base}.{key}")]
            keys = [f"{{site_cut:{base}.{key}}}:record_request:Q1" for key in range(1, number + 1)]
            assert len(there) == sites.control.ask("", "EXISTS", *keys) == applied
    finally:
        sites.ask("CONFIG", "SET", "maxmemory", "0")
    assert 0 < applied < number
