"""Caches on the shared servers, each with keys of its own, for threads and for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from slotbook.models import SymbolInfo
from slotbook.repositories import AsyncCache, AsyncSymbolInfoRepository, Cache, CachePolicy, SymbolInfoRepository
from slotbook.topology._async.opening import open_async_backend
from slotbook.topology._sync.opening import open_backend
from slotbook.topology.embedded import Topology

from ...support.caching.memory_source import AsyncMemorySource, MemorySource
from ...support.caching.postgres import Postgres
from ...support.callers import CALLERS, Blocking, Caller
from ...support.fleet import Fleet, Fleets
from ...support.make import fresh
from ...support.raw import mapping

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")


def symbol(name: str = "AAPL", **changes: object) -> SymbolInfo:
    """Return a symbol with every field."""
    values = {"name": f"{name} Inc.", "exchange": "XNAS", "lot_size": 100, "tick_size": "0.01", "currency": "USD"}
    return SymbolInfo.model_validate({"symbol": name, **values, **changes})


class FleetAt:
    """The part of a fleet that a cache setup needs, for servers that a test has started itself."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, settings: Mapping[str, object] | None = None) -> str:
        """Return the URL with settings in its query."""
        return self._url + ("&" if "?" in self._url else "?") + urlencode(dict(settings or {}))


class CacheSetup:
    """A database in memory, and the caches in front of it."""

    def __init__(self, fleet: Fleet | FleetAt, caller: Caller, runner: asyncio.Runner) -> None:
        self.fleet = cast(Fleet, fleet)
        self.caller: Caller = caller
        self.runner = runner
        self.prefix = fresh("c") + ":"
        self.database: MemorySource[SymbolInfo] = MemorySource()
        self.source: Any = None
        """Another source than the database in memory, for the setup's kind of caller."""
        self._close: list[Callable[[], object]] = []

    def url(self, **settings: object) -> str:
        return self.fleet.url({"prefix": self.prefix, **settings})

    def symbols(self, *, settings: dict[str, object] | None = None, **policy: float) -> SymbolInfoRepository:
        """Open one more repository, with connections of its own."""
        url, times = self.url(**(settings or {})), CachePolicy.model_validate({"jitter": 0, "early": 0, **policy})
        if self.caller == "sync":
            made = SymbolInfoRepository.from_url(url, self.source or self.database, times)
        else:
            opening = AsyncSymbolInfoRepository.from_url(url, self.source or AsyncMemorySource(self.database), times)
            made = cast(SymbolInfoRepository, Blocking(self.runner.run(opening), self.runner))
        self._close.append(made.close)
        return made

    def cache(self, model: Any, name: str, database: MemorySource[Any] | None = None) -> Cache[Any]:
        """Open a cache of another type."""
        if self.caller == "sync":
            backend = open_backend(self.url())
            self._close.append(backend.close)
            return Cache(backend, model, name, database)
        abackend = self.runner.run(open_async_backend(self.url()))
        self._close.append(lambda: self.runner.run(abackend.close()))
        source = None if database is None else AsyncMemorySource(database)
        return cast("Cache[Any]", Blocking(AsyncCache(abackend, model, name, source), self.runner))

    def key(self, name: str) -> str:
        return f"{self.prefix}symbol:{name}"

    def ask(self, verb: str, name: str, *words: str | int) -> Any:
        """Ask the server of a symbol's hash about it."""
        return self.fleet.ask(self.key(name), verb, self.key(name), *words)

    def load_state(self, name: str) -> dict[str, str]:
        """Return the state of a symbol's loads and writes, which is stored beside its hash."""
        key = f"{{{self.key(name)}}}:load"
        return mapping(self.fleet.ask(key, "HGETALL", key))

    def set_load_state(self, name: str, *words: str | int) -> None:
        """Change the state of a symbol's loads and writes by hand."""
        key = f"{{{self.key(name)}}}:load"
        self.fleet.ask(key, "HSET", key, *words)

    def run_tasks(self, seconds: float = 0.0) -> None:
        """Let the tasks of asyncio run."""
        self.runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        while self._close:
            self._close.pop()()


@pytest.fixture(params=list(product(TOPOLOGIES, CALLERS)), ids="-".join)
def caches(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner) -> Iterator[CacheSetup]:
    """Yield a setup on each topology, for threads and for asyncio."""
    topology, caller = cast("tuple[Topology, Caller]", request.param)
    made = CacheSetup(fleets.of(topology), caller, runner)
    yield made
    made.close()


@pytest.fixture(params=CALLERS)
def standalone(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner) -> Iterator[CacheSetup]:
    """Yield a setup on one server, for threads and for asyncio."""
    made = CacheSetup(fleets.of("standalone"), cast(Caller, request.param), runner)
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Yield a private PostgreSQL."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=("sqlite", "postgresql"))
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return the URLs of one database for threads and for asyncio."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/desk.db", f"sqlite+aiosqlite:///{tmp_path}/desk.db"
    url = cast(Postgres, request.getfixturevalue("postgres")).url
    return url, url
