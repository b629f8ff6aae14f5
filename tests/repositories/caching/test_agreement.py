"""A database and its cache agree after random steps, although Redis is killed in the middle of some.

``SLOTBOOK_NIGHTLY=1`` takes 10,000 steps.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from pathlib import Path

from slotbook.models import SymbolInfo
from slotbook.models.errors import OutcomeUnknown, Unavailable
from slotbook.repositories import CachePolicy, SymbolInfoRepository
from slotbook.repositories.sql import SqlSource
from slotbook.topology.embedded import start
from slotbook.topology.embedded.server import Server
from sqlalchemy import create_engine, event

from ...support.make import NIGHTLY
from .conftest import symbol

STEPS, OUTAGES = (10_000, 8) if NIGHTLY else (1_500, 3)
WINDOW = 1.0
NAMES = [f"S{number}" for number in range(25)]


class Steps:
    """Random steps of one client, each of which compares the cache with the database."""

    def __init__(self, url: str, source: SqlSource[SymbolInfo], seed: int) -> None:
        self.random = random.Random(seed)
        policy = CachePolicy(ttl=600, write_window=WINDOW, absent_ttl=600, retry_after=0.01)
        self.symbols = SymbolInfoRepository.from_url(f"{url}?deadline=0.3&socket_timeout=0.1", source, policy)
        self.source = source
        self.uncertain: dict[str, float] = {}
        """Symbols whose write was cut off, and until when what they were may be served."""
        self.wrong: list[str] = []
        self.checked = self.excused = 0

    def truth(self, name: str) -> SymbolInfo | None:
        return self.source.load_many([name]).get(name)

    def step(self, number: int) -> None:
        name, began = self.random.choice(NAMES), time.monotonic()
        verb = self.random.choice(("put", "write_through", "write_through", "invalidate", "get", "get", "get_or_load"))
        try:
            if verb == "put":
                known = self.truth(name)
                if known is not None:
                    self.symbols.put(known)
            elif verb == "write_through":
                if not self.symbols.write_through(symbol(name, lot_size=number)):
                    self.uncertain[name] = began + WINDOW
            elif verb == "invalidate":
                self.source.store_many({name: symbol(name, lot_size=number)})  # without telling the cache
                self.uncertain[name] = float("inf")  # until the invalidation is through
                self.symbols.invalidate(name)
                del self.uncertain[name]
            else:
                found = self.symbols.get(name) if verb == "get" else self.symbols.get_or_load(name)
                self.check(name, found, missing_is_fine=verb == "get")
        except (Unavailable, OutcomeUnknown):
            if verb == "write_through":
                self.uncertain[name] = began + WINDOW

    def check(self, name: str, found: SymbolInfo | None, *, missing_is_fine: bool) -> None:
        expected = self.truth(name)
        self.checked += 1
        if found == expected or (found is None and missing_is_fine):
            return
        self.excused += 1
        if time.monotonic() > self.uncertain.get(name, 0.0):
            self.wrong.append(f"{name} is {found}, should be {expected}")


class Outage:
    """A Redis that is killed or frozen right after a commit of the database, before the cache has the value."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.armed: str | None = None
        self.over_at = 0

    def committed(self, _: object) -> None:
        way, self.armed = self.armed, None
        if way == "kill":
            self._server.kill()
        elif way == "freeze":
            self._server.freeze()

    def end(self) -> None:
        self.over_at, self.armed = 0, None
        if self._server.alive:
            self._server.thaw()
        else:
            self._server.restart()


def _without_syncing(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=MEMORY")


def test_thousands_of_random_steps(tmp_path: Path) -> None:
    """Work on a SQLite file as one client, while Redis is killed or frozen several times, right after a commit."""
    engine = create_engine(f"sqlite:///{tmp_path}/desk.db")
    event.listen(engine, "connect", _without_syncing)
    source = SqlSource(engine, SymbolInfo, "symbols", key="symbol")
    source.create()
    with start("standalone") as deployment:
        (server,) = deployment.servers
        outage = Outage(server)
        event.listen(engine, "commit", outage.committed)
        steps = Steps(deployment.url, source, 20_171_208)
        chance = random.Random(7)
        outages = set(range(400, STEPS, (STEPS - 400) // OUTAGES + 1))
        for number in range(1, STEPS + 1):
            if number in outages:
                outage.armed, outage.over_at = chance.choice(("kill", "freeze")), number + 5
            if number == outage.over_at:
                outage.end()
                _repeat_failed_invalidations(steps)
            steps.step(number)
        time.sleep(WINDOW)
        steps.uncertain.clear()
        for name in NAMES:
            steps.check(name, steps.symbols.get(name), missing_is_fine=True)
            steps.check(name, steps.symbols.get_or_load(name), missing_is_fine=False)
        print(f"{STEPS} steps, {len(outages)} outages, {steps.checked} comparisons, {steps.excused} within the bound")
        assert steps.wrong == []
        assert steps.checked > STEPS // 4
        steps.symbols.close()
    engine.dispose()


def _repeat_failed_invalidations(steps: Steps) -> None:
    """Send the invalidations again that have failed, as a caller must who has changed the database elsewhere."""
    for name, until in list(steps.uncertain.items()):
        if until == float("inf"):
            steps.symbols.invalidate(name)
            del steps.uncertain[name]


def test_many_clients_agree_with_the_database_in_the_end(tmp_path: Path) -> None:
    """Write, invalidate and load five symbols in eight threads with connections of their own, and then compare."""
    source = SqlSource[SymbolInfo].from_url(
        f"sqlite:///{tmp_path}/desk.db?timeout=30", SymbolInfo, "symbols", key="symbol"
    )
    source.create()
    with start("standalone") as deployment:
        clients = [
            SymbolInfoRepository.from_url(deployment.url, source, CachePolicy(ttl=600, write_window=WINDOW))
            for _ in range(8)
        ]

        def work(client: SymbolInfoRepository, seed: int) -> None:
            chance = random.Random(seed)
            for number in range(1, 500 if NIGHTLY else 60):
                name = chance.choice(NAMES[:5])
                verb = chance.choice(("write", "change", "load", "load"))
                if verb == "write":
                    client.write_through(symbol(name, lot_size=seed * 1_000 + number))
                elif verb == "change":
                    source.store_many({name: symbol(name, lot_size=seed * 1_000 + number)})
                    client.invalidate(name)
                else:
                    client.get_or_load(name)

        threads = [threading.Thread(target=work, args=(client, seed)) for seed, client in enumerate(clients, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in NAMES[:5]:
            assert clients[0].get(name) in (None, source.load_many([name]).get(name))
            assert clients[0].get_or_load(name) == source.load_many([name]).get(name)
        for client in clients:
            client.close()
    source.close()
