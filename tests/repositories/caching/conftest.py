"""Caches on the shared servers, each with keys of its own, in both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from slotbook.models import SymbolInfo
from slotbook.repositories import AsyncCache, AsyncSymbolInfoRepository, Cache, CachePolicy, SymbolInfoRepository
from slotbook.topology._async.backend import open_async_backend
from slotbook.topology._sync.backend import open_backend
from slotbook.topology.embedded import Topology

from ...support.caching.places import AsyncRows, Rows
from ...support.callers import COLOURS, Blocking, Colour
from ...support.fleet import Fleet, Fleets
from ...support.make import fresh
from ...support.raw import mapping

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")


def symbol(name: str = "AAPL", **changes: object) -> SymbolInfo:
    """A symbol with every field."""
    values = {"name": f"{name} Inc.", "exchange": "XNAS", "lot_size": 100, "tick_size": "0.01", "currency": "USD"}
    return SymbolInfo.model_validate({"symbol": name, **values, **changes})


class FleetOf:
    """As much of a fleet as a shelf needs, for servers of a test's own."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, settings: Mapping[str, object] | None = None) -> str:
        """The URL with settings in its query."""
        return self._url + ("&" if "?" in self._url else "?") + urlencode(dict(settings or {}))


class Shelf:
    """A database and the caches in front of it."""

    def __init__(self, fleet: Fleet | FleetOf, colour: Colour, runner: asyncio.Runner) -> None:
        self.fleet = cast(Fleet, fleet)
        self.colour: Colour = colour
        self.runner = runner
        self.prefix = fresh("c") + ":"
        self.rows: Rows[SymbolInfo] = Rows()
        self.source: Any = None
        """Another source than the rows, of the shelf's colour."""
        self._close: list[Callable[[], object]] = []

    def url(self, **settings: object) -> str:
        return self.fleet.url({"prefix": self.prefix, **settings})

    def symbols(self, *, settings: dict[str, object] | None = None, **policy: float) -> SymbolInfoRepository:
        """One more repository with connections of its own."""
        url, times = self.url(**(settings or {})), CachePolicy.model_validate({"jitter": 0, "early": 0, **policy})
        if self.colour == "sync":
            made = SymbolInfoRepository.from_url(url, self.source or self.rows, times)
        else:
            opening = AsyncSymbolInfoRepository.from_url(url, self.source or AsyncRows(self.rows), times)
            made = cast(SymbolInfoRepository, Blocking(self.runner.run(opening), self.runner))
        self._close.append(made.close)
        return made

    def cache(self, model: Any, name: str, rows: Rows[Any] | None = None) -> Cache[Any]:
        """A cache of another type."""
        if self.colour == "sync":
            backend = open_backend(self.url())
            self._close.append(backend.close)
            return Cache(backend, model, name, rows)
        abackend = self.runner.run(open_async_backend(self.url()))
        self._close.append(lambda: self.runner.run(abackend.close()))
        source = None if rows is None else AsyncRows(rows)
        return cast("Cache[Any]", Blocking(AsyncCache(abackend, model, name, source), self.runner))

    def key(self, name: str) -> str:
        return f"{self.prefix}symbol:{name}"

    def ask(self, verb: str, name: str, *words: str | int) -> Any:
        """Ask the server of a symbol's hash about it."""
        return self.fleet.ask(self.key(name), verb, self.key(name), *words)

    def notes(self, name: str) -> dict[str, str]:
        """What is noted beside a symbol's hash."""
        key = f"{{{self.key(name)}}}:load"
        return mapping(self.fleet.ask(key, "HGETALL", key))

    def note(self, name: str, *words: str | int) -> None:
        """Note something beside a symbol's hash, by hand."""
        key = f"{{{self.key(name)}}}:load"
        self.fleet.ask(key, "HSET", key, *words)

    def idle(self, seconds: float = 0.0) -> None:
        """Let the asyncio colour's tasks go on."""
        self.runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        while self._close:
            self._close.pop()()


@pytest.fixture(params=list(product(TOPOLOGIES, COLOURS)), ids="-".join)
def shelf(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner) -> Iterator[Shelf]:
    """A shelf on every topology in both colours."""
    topology, colour = cast("tuple[Topology, Colour]", request.param)
    made = Shelf(fleets.of(topology), colour, runner)
    yield made
    made.close()


@pytest.fixture(params=COLOURS)
def lone_shelf(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner) -> Iterator[Shelf]:
    """A shelf on one server in both colours."""
    made = Shelf(fleets.of("standalone"), cast(Colour, request.param), runner)
    yield made
    made.close()
