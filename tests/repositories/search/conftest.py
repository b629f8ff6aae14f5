"""Books on servers that search, for threads and for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

import pytest
from slotbook import Book
from slotbook.topology.embedded import Topology

from ...support.callers import CALLERS, Caller, open_book
from ...support.make import fresh
from ...support.search import fixtures
from ...support.search.fixtures import SearchFleets

OpenBook: TypeAlias = Callable[..., Book]

search_fleet = fixtures.search_fleet
topology = fixtures.topology


@pytest.fixture(params=CALLERS)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Return each way to call a book in turn, from threads and from asyncio."""
    return cast(Caller, request.param)


@pytest.fixture
def opened(
    search_fleet: SearchFleets, runner: asyncio.Runner, topology: Topology, caller: Caller
) -> Iterator[OpenBook]:
    """Yield a function that opens a book with settings of its own, whose records are indexed if wanted."""
    books: list[Book] = []

    def open_indexed(*, indexed: bool = True, **settings: object) -> Book:
        own = {"prefix": fresh("find") + ":", **settings}
        book = open_book(search_fleet(topology).url(own), caller, runner)
        books.append(book)
        if indexed:
            book.indexes.create()
        return book

    yield open_indexed
    for book in books:
        book.indexes.drop()
        book.close()
