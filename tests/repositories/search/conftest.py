"""Servers that search, and books on them with the same orders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

import pytest
from slotbook import Book
from slotbook.repositories import AsyncSearchIndexes, SearchIndexes
from slotbook.topology.embedded import Topology

from ...support.callers import COLOURS, Blocking, Colour, open_book
from ...support.fleet import Fleet
from ...support.make import fresh
from ...support.search.server import SERVER

Fleets: TypeAlias = Callable[[Topology], Fleet]
Opened: TypeAlias = Callable[..., Book]


@pytest.fixture(scope="session")
def search_fleet(_no_settings_from_outside: None) -> Iterator[Fleets]:
    """One deployment of each topology; in the cluster every primary searches its own shard."""
    started: dict[Topology, Fleet] = {}

    def of(topology: Topology) -> Fleet:
        if topology not in started:
            started[topology] = Fleet(topology, SERVER, 0, enable_debug_command="local")
        return started[topology]

    yield of
    for fleet in started.values():
        fleet.stop()


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> Colour:
    return cast(Colour, request.param)


@pytest.fixture(params=("standalone", "cluster"))
def topology(request: pytest.FixtureRequest) -> Topology:
    return cast(Topology, request.param)


@pytest.fixture
def opened(search_fleet: Fleets, runner: asyncio.Runner, topology: Topology, colour: Colour) -> Iterator[Opened]:
    """Open a book of a topology and colour, with settings of its own, whose records are indexed."""
    books: list[Book] = []

    def make(indexed: bool = True, **settings: object) -> Book:
        own = {"prefix": fresh("find") + ":", **settings}
        book = open_book(search_fleet(topology).url(own), colour, runner)
        books.append(book)
        if indexed:
            indexes_of(book, runner).create()
        return book

    yield make
    for book in books:
        indexes_of(book, runner).drop()
        book.close()


def indexes_of(book: Book, runner: asyncio.Runner) -> SearchIndexes:
    """The indexes of a book of either colour."""
    if not isinstance(book, Blocking):
        return SearchIndexes(book.backend)
    backend = object.__getattribute__(book.backend, "_target")
    return cast(SearchIndexes, Blocking(AsyncSearchIndexes(backend), runner))
