"""Test that no call fails, and each is applied once, while a primary dies or its slot migrates."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from redis.crc import key_slot
from slotbook import AsyncBook, Book
from slotbook.models import Fill
from slotbook.models.errors import StateLost
from slotbook.topology.embedded import Deployment, Server, Topology, start

from ..support.callers import CALLERS, Caller
from ..support.make import execution, limit

TRADERS = [f"T{number}" for number in range(6)]
MANY = 10**9


class Desk:
    """A writer that fills one order of each trader over and over, and keeps what was acknowledged."""

    def __init__(self, deployment: Deployment, caller: Caller) -> None:
        self.deployment = deployment
        self._caller: Caller = caller
        self._url = f"{deployment.url}{'&' if '?' in deployment.url else '?'}deadline=15&replication_wait=10"
        # A fill may be lost, and is told; without its order every later one would be refused. So each replica has it:
        # Sentinels may promote one that is behind, for what they know of the two may be seconds old.
        self._placed = {"standalone": "local", "sentinel": "replicated=2", "cluster": "replicated=1"}[
            deployment.topology
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._sent = 0
        self.done: list[Fill] = []
        self.errors: list[BaseException] = []
        self.losses: list[StateLost] = []

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Work until the block ends; every error that reached the writer fails the test."""
        self._thread.start()
        try:
            self.wait_for(60)
            yield
            self.wait_for(60)
        finally:
            self._stop.set()
            self._thread.join(30)
        assert self.errors == []

    def wait_for(self, more: int) -> None:
        """Wait until some more fills are acknowledged."""
        target, until = len(self.done) + more, time.monotonic() + 30
        while len(self.done) < target and not self.errors:
            assert time.monotonic() < until, f"only {len(self.done)} of {target} fills"
            time.sleep(0.01)

    def check(self) -> None:
        """Send everything once more, and check that each execution has had exactly one effect."""
        with Book.open(self._url) as book:
            outcomes = [outcome.result() for outcome in book.orders.fill_many(self.done)]
            orders = [book.orders.get(trader, "A1") for trader in TRADERS]
            held = [book.positions.get(trader, "AAPL") for trader in TRADERS]
            listed = [[order.order_id for order in book.orders.open(trader)] for trader in TRADERS]
        # A primary may die after its answer to the writer and before the replicas have the change; but not unnoticed.
        lost = {outcome.order.trader for outcome in outcomes if outcome.applied}
        assert lost <= {loss.trader for loss in self.losses}, (
            "an acknowledged fill was lost, and no StateLost was raised"
        )
        for trader, order, position in zip(TRADERS, orders, held, strict=True):
            acknowledged = [fill for fill in self.done if fill.trader == trader]
            total = sum(fill.quantity for fill in acknowledged)
            assert order is not None
            assert (order.filled_quantity, position.quantity, position.version) == (total, total, len(acknowledged))
        assert listed == [["A1"]] * len(TRADERS)

    def _next(self) -> list[Fill]:
        self._sent += 1
        return [execution(trader, f"X{self._sent}", 1 + self._sent % 3, "1") for trader in TRADERS]

    def _work(self) -> None:
        try:
            if self._caller == "sync":
                self._in_threads()
            else:
                asyncio.run(self._in_tasks())
        except BaseException as error:  # of any kind: the test must fail with it
            self.errors.append(error)

    def _in_threads(self) -> None:
        with Book.open(self._url) as book:
            for trader in TRADERS:
                book.orders.place(limit(trader, quantity=MANY), durability=self._placed)
            while not self._stop.is_set():
                for fill in self._next():
                    try:
                        book.orders.fill(fill)
                    except StateLost as loss:
                        self.losses.append(loss)
                    self.done.append(fill)

    async def _in_tasks(self) -> None:
        async with await AsyncBook.open(self._url) as book:
            for trader in TRADERS:
                await book.orders.place(limit(trader, quantity=MANY), durability=self._placed)
            while not self._stop.is_set():
                fills = self._next()
                for outcome in await asyncio.gather(*map(book.orders.fill, fills), return_exceptions=True):
                    if isinstance(outcome, StateLost):
                        self.losses.append(outcome)
                    elif isinstance(outcome, BaseException):
                        raise outcome
                self.done += fills


def desk_on(topology: Topology, caller: Caller) -> Iterator[Desk]:
    with start(topology) as deployment:
        yield Desk(deployment, caller)


@pytest.fixture(params=CALLERS)
def alone(request: pytest.FixtureRequest) -> Iterator[Desk]:
    yield from desk_on("standalone", cast(Caller, request.param))


@pytest.fixture(params=CALLERS)
def behind_sentinel(request: pytest.FixtureRequest) -> Iterator[Desk]:
    yield from desk_on("sentinel", cast(Caller, request.param))


@pytest.fixture(params=CALLERS)
def on_cluster(request: pytest.FixtureRequest) -> Iterator[Desk]:
    yield from desk_on("cluster", cast(Caller, request.param))


def owner_of(deployment: Deployment, key: str) -> Server:
    """Return the primary that serves a key now."""
    slot = key_slot(key.encode())
    rows = cast("list[list[object]]", deployment.primaries()[0].ask("CLUSTER", "SLOTS"))
    (port,) = [cast("list[object]", row[2])[1] for row in rows if cast(int, row[0]) <= slot <= cast(int, row[1])]
    (server,) = [server for server in deployment.servers if server.port == port]
    return server


def test_the_primary_behind_sentinel_dies(behind_sentinel: Desk) -> None:
    with behind_sentinel.at_work():
        (primary,) = behind_sentinel.deployment.primaries()
        primary.kill()
    behind_sentinel.check()


def test_a_primary_of_the_cluster_dies(on_cluster: Desk) -> None:
    with on_cluster.at_work():
        owner_of(on_cluster.deployment, TRADERS[0]).kill()
    on_cluster.check()


def test_the_server_takes_no_writes_for_a_second(alone: Desk) -> None:
    """Make the server a replica of one that does not exist, so that it answers READONLY, and a primary again."""
    (server,) = alone.deployment.servers
    with alone.at_work():
        server.ask("REPLICAOF", "127.0.0.1", 1)
        time.sleep(1)
        refused = str(server.ask("INFO", "errorstats"))
        server.ask("REPLICAOF", "NO", "ONE")
    assert "errorstat_READONLY" in refused
    assert alone.losses == []
    alone.check()


MOVED_FIRST: dict[str, Callable[[list[str]], list[str]]] = {
    "every other key": lambda keys: keys[::2],
    "keys that a fill names": lambda keys: [key for key in keys if key.endswith(NAMED)],
    "keys that a fill does not name": lambda keys: [key for key in keys if not key.endswith(NAMED)],
}
"""The keys of a trader that are moved first. A script names some of its keys and reads the names of others as it runs.
A call that followed an ASK when all of the first kind have moved would find nothing where the others are not yet."""
NAMED = (":book", ":order:A1", ":applied:A1", ":events", ":positions")


@pytest.mark.parametrize("first", MOVED_FIRST)
def test_a_slot_of_the_cluster_moves(on_cluster: Desk, first: str) -> None:
    """Some of a trader's keys are moved and the others held back for a second."""
    deployment = on_cluster.deployment
    source = owner_of(deployment, TRADERS[0])
    target = next(server for server in deployment.primaries() if server is not source)
    slot = key_slot(TRADERS[0].encode())
    source_id, target_id = str(source.ask("CLUSTER", "MYID")), str(target.ask("CLUSTER", "MYID"))

    def migrate(keys: list[str]) -> None:
        source.ask(
            *("MIGRATE", target.host, target.port, "", 0, 5000, "AUTH", deployment.password, "KEYS", *keys),
        )

    with on_cluster.at_work():
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        keys = sorted(cast("list[str]", source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000)))
        assert len(keys) == 8
        migrate(MOVED_FIRST[first](keys))
        time.sleep(1)
        migrate(cast("list[str]", source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000)))
        for server in (target, source, *deployment.primaries()):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)
        on_cluster.wait_for(60)
    assert owner_of(deployment, TRADERS[0]) is target
    assert on_cluster.losses == []
    on_cluster.check()
