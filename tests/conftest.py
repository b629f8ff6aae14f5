"""Shared servers, one set per test process, and the desks that work on them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TypeAlias, cast

import pytest
from hypothesis import settings
from slotbook import Book
from slotbook.topology.embedded import Topology

from .support.callers import COLOURS, Colour, open_book
from .support.desk import Desk
from .support.fleet import Fleets

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")
Books: TypeAlias = dict[tuple[Topology, Colour], Book]

settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell ignores Ctrl-C for what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """What the developer's shell says about Slotbook is no business of the tests, except which server to run."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SLOTBOOK_")}
    if "SLOTBOOK_SERVER" in kept:
        os.environ["SLOTBOOK_SERVER"] = kept["SLOTBOOK_SERVER"]
    yield
    os.environ.update(kept)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--running FILE``: do not start the shared servers, use those that the file tells of (tests/running.py)."""
    parser.addoption("--running", type=Path, default=None, help="use servers that are running already")


@pytest.fixture(scope="session")
def fleets(request: pytest.FixtureRequest, _no_settings_from_outside: None) -> Iterator[Fleets]:
    """The deployments of this test process."""
    started = Fleets(cast("Path | None", request.config.getoption("--running")))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """The loop of everything asyncio."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="session")
def books(fleets: Fleets, runner: asyncio.Runner) -> Iterator[Books]:
    """The books that tests share, by topology and colour."""
    opened: Books = {}
    yield opened
    for book in opened.values():
        book.close()


def _desk(fleets: Fleets, runner: asyncio.Runner, books: Books, topology: Topology, colour: Colour) -> Iterator[Desk]:
    fleet = fleets.of(topology)
    if (topology, colour) not in books:
        books[topology, colour] = open_book(fleet.url(), colour, runner)
    desk = Desk(fleet, colour, runner, books[topology, colour])
    yield desk
    desk.finish()


@pytest.fixture(params=list(product(TOPOLOGIES, COLOURS)), ids="-".join)
def desk(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner, books: Books) -> Iterator[Desk]:
    """A desk on every topology in both colours: what it promises, it promises everywhere."""
    topology, colour = cast("tuple[Topology, Colour]", request.param)
    yield from _desk(fleets, runner, books, topology, colour)


@pytest.fixture(params=COLOURS)
def lone_desk(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner, books: Books) -> Iterator[Desk]:
    """A desk on one server in both colours, for promises that no topology could change."""
    yield from _desk(fleets, runner, books, "standalone", cast(Colour, request.param))
