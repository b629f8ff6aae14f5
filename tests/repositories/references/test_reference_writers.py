"""Test that many writers of one record lose no update, and that one of many inserts and puts of a version wins."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from slotbook import Book
from slotbook.models.errors import DuplicateRecord, RecordNotFound, Refused, SchemaTooNew, VersionConflict

from ...support.desk import Desk
from .conftest import Kind, Venue, kind_of, remove

on_servers = pytest.mark.parametrize("desk", [("standalone", "sync"), ("cluster", "sync")], ids="-".join, indirect=True)


@on_servers
def test_eight_writers_lose_no_update(desk: Desk) -> None:
    kind = kind_of(desk)
    kind.table.insert(kind.make(lots=100))
    books: list[Book] = [desk.open(pool_size=2) for _ in range(8)]

    def update(book: Book) -> int:
        table, done = book.reference(kind.model), 0
        while done < 25:
            held: Venue | None = table.get("XNAS")
            assert held is not None
            try:
                table.update("XNAS", {"lots": held.lots + 1}, expected_version=held.version)
                done += 1
            except VersionConflict:
                pass
        return done

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(update, books)) == 200
    found = kind.table.get("XNAS")
    assert (found.lots, found.version) == (300, 201)
    remove(kind)


@on_servers
def test_of_many_inserts_and_puts_of_one_version_one_wins(desk: Desk) -> None:
    kind = kind_of(desk)

    def won(attempt: Callable[[], object]) -> bool:
        try:
            attempt()
        except Refused:
            return False
        return True

    def insert(number: int) -> bool:
        return won(lambda: kind.table.insert(kind.make(lots=number)))

    def put(number: int) -> bool:
        return won(lambda: kind.table.put(kind.make(lots=number), expected_version=1))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(insert, range(1, 17))).count(True) == 1
        assert list(pool.map(put, range(1, 17))).count(True) == 1
    assert kind.table.get("XNAS").version == 2
    remove(kind)


def test_errors_keep_what_they_say_when_they_are_pickled(lone_venues: Kind) -> None:
    table, make = lone_venues.table, lone_venues.make
    table.insert(make())
    attempts: dict[type[Refused], Callable[[], object]] = {
        DuplicateRecord: lambda: table.insert(make(lots=2)),
        RecordNotFound: lambda: table.update("XLON", {"lots": 2}),
        VersionConflict: lambda: table.delete("XNAS", expected_version=7),
    }
    for kind, attempt in attempts.items():
        with pytest.raises(kind) as caught:
            attempt()
        error = caught.value
        if isinstance(error, DuplicateRecord):
            assert error.record == table.get("XNAS")
            error.record = None  # its class was made in this test
        again = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (type(again), again.args, vars(again)) == (kind, error.args, vars(error))
    lone_venues.ask("HSET", "XNAS", "@schema", "7")
    with pytest.raises(SchemaTooNew) as newer:
        table.get("XNAS")
    again = pickle.loads(pickle.dumps(newer.value))  # noqa: S301
    assert (again.kind, again.found, again.known) == (lone_venues.name, 7, 1)
