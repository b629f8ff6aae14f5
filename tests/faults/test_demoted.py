"""Fault "demoted": a name or a balancer leads to the new primary, while the old one lives on as a replica."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from slotbook import Book
from slotbook.models import Cancel, Order, OrderStatus, SymbolInfo
from slotbook.models.errors import Unavailable
from slotbook.testing.failover import in_step_with
from slotbook.topology.connections.role import ROLE_INTERVAL
from slotbook.topology.embedded import Server, Topology, start

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control, info, wait_until
from ..support.faults.proxy import Proxy
from ..support.make import execution, fresh, limit
from .conftest import Deploy


def tell_role(server: Server, host: str, port: str | int) -> None:
    """Have a server follow another, or with "NO", "ONE" none; one that loads what it was sent before cannot yet."""
    wait_until(lambda: server.ask("REPLICAOF", host, port), f"{server.name} takes its role")


class Pair:
    """Two servers, of which one is the primary, behind a balancer, and a book that knows only the balancer."""

    def __init__(self, control: Control, caller: Caller, runner: asyncio.Runner) -> None:
        self.old, self.new, self.third = control.data
        tell_role(self.old, "NO", "ONE")
        for other in (self.new, self.third):
            tell_role(other, self.old.host, self.old.port)
        self.wait_until_in_step()
        self.balancer = Proxy(self.old.host, self.old.port)
        self._password = control.deployment.password
        self._caller: Caller = caller
        self._runner = runner
        self._books: list[Book] = []

    def open(self, server: Server | None = None, **settings: object) -> Book:
        """Open a book by way of the balancer, or on one server."""
        port = self.balancer.port if server is None else server.port
        words = "&".join(f"{name}={value}" for name, value in settings.items())
        url = f"redis://:{self._password}@127.0.0.1:{port}?{words}"
        self._books.append(open_book(url, self._caller, self._runner))
        return self._books[-1]

    def swap_roles(self, *, linked: bool = True) -> None:
        """Promote the other server; the old primary follows it, or with ``linked`` false nothing at all."""
        self.wait_until_in_step()
        tell_role(self.new, "NO", "ONE")
        tell_role(self.third, self.new.host, self.new.port)
        tell_role(self.old, "127.0.0.1", self.new.port if linked else 1)
        wait_until(lambda: info(self.third).get("master_link_status") == "up", "the third server follows")

    @property
    def evaluated(self) -> int:
        """The scripts that were sent by way of the balancer."""
        return self.balancer.requests["EVALSHA"] + self.balancer.requests["EVAL"]

    def wait_until_in_step(self) -> None:
        """Wait until the other servers have all that the primary has."""
        others = [self.new, self.third]
        wait_until(lambda: in_step_with(self.old, others) == others, "the replicas are in step")

    def move(self) -> None:
        """Lead new connections to the new primary."""
        self.balancer.lead_to(self.new.host, self.new.port)

    def close(self) -> None:
        for book in self._books:
            book.close()
        self.balancer.close()


@pytest.fixture(scope="module")
def unwatched() -> Iterator[Control]:
    """Yield three servers of the module's own, without the Sentinels, which would undo what a test does to them."""
    with start("sentinel") as deployment, Control(deployment) as control:
        for sentinel in control.sentinels:
            control.kill(sentinel)
        yield control


@pytest.fixture(params=CALLERS)
def pair(unwatched: Control, request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Pair]:
    """Yield two servers behind a balancer, for threads and for asyncio."""
    found = Pair(unwatched, request.param, runner)
    yield found
    found.close()


def status_of(book: Book, trader: str, order_id: str = "A1") -> OrderStatus | None:
    order = book.orders.get(trader, order_id)
    return order.status if order else None


def many(traders: list[str], order_id: str) -> list[Order]:
    """Return orders that make a batch of several calls and pieces."""
    return [limit(trader, f"{order_id}.{number}") for trader in traders for number in range(40)]


@pytest.mark.parametrize("durability", ["local", "replicated=1"])
def test_a_change_leaves_the_old_primary(pair: Pair, durability: str) -> None:
    """It does so at once, and takes the book's other connections along."""
    trader, book = fresh(), pair.open(durability=durability, deadline=60, replication_wait=30)
    book.orders.place(limit(trader))
    pair.wait_until_in_step()
    time.sleep(ROLE_INTERVAL)
    assert status_of(book, trader) is OrderStatus.NEW  # this connection's server has just said that it is a primary
    assert not book.orders.place(limit(trader)).applied  # and that of changes, if it is another
    pair.swap_roles(linked=False)
    pair.move()
    sent = pair.evaluated
    started = time.monotonic()
    assert book.orders.fill(execution(trader)).applied
    assert book.positions.get(trader, "AAPL").quantity == 40
    assert time.monotonic() - started < 30  # and not the deadline
    assert pair.evaluated - sent <= 10, "it has not been sent again and again"
    events = pair.open(pair.new).events.history(trader)
    assert [event.type for event in events] == ["NEW", "TRADE"]


@pytest.mark.parametrize("late", [False, True], ids=["at once", "after a while"])
def test_a_batch_leaves_the_old_primary(pair: Pair, late: bool) -> None:
    traders, book = [fresh() for _ in range(30)], pair.open(deadline=20)
    assert all(outcome.error is None for outcome in book.orders.place_many(many(traders, "A")))
    pair.swap_roles()
    pair.move()
    if late:
        time.sleep(ROLE_INTERVAL)
    outcomes = book.orders.apply_many(
        [*many(traders, "B"), *(Cancel(trader=trader, order_id="A.1", request_id="C1") for trader in traders)]
    )
    assert [outcome.result().applied for outcome in outcomes] == [True] * (41 * len(traders))
    direct = pair.open(pair.new)
    for trader in traders:
        assert book.orders.count(trader) == 80
        assert status_of(direct, trader, "A.1") is OrderStatus.CANCELED


def test_a_change_waits_for_the_name_to_move(pair: Pair) -> None:
    trader, book, hurried = fresh(), pair.open(), pair.open(deadline=0.8)
    book.orders.place(limit(trader))
    pair.swap_roles()
    for change in (lambda: hurried.orders.cancel(trader, "A1"), lambda: hurried.orders.place(limit(trader, "A2"))):
        with pytest.raises(Unavailable, match="not applied"):
            change()
    pair.move()
    assert book.orders.cancel(trader, "A1").applied


@pytest.mark.parametrize("idle", [False, True], ids=["in use", "idle"])
def test_reads_leave_the_old_primary_within_a_second(pair: Pair, idle: bool) -> None:
    trader, book = fresh(), pair.open()
    book.orders.place(limit(trader))
    demoted = time.monotonic()
    pair.swap_roles(linked=False)
    pair.move()
    pair.open(pair.new).orders.cancel(trader, "A1")
    while time.monotonic() < demoted + ROLE_INTERVAL:
        if not idle:
            book.orders.get(trader, "A1")  # a connection that is in use all the time
        time.sleep(0.02)
    reads: list[Callable[[], OrderStatus | None]] = [
        lambda: status_of(book, trader),
        lambda: book.orders.by_symbol(trader, "AAPL")[0].status,
        lambda: book.snapshot(trader).orders[0].status,
        lambda: book.events.history(trader)[-1].status,
    ]
    assert [read() for read in reads] == [OrderStatus.CANCELED] * len(reads)


def refusal_of(read: Callable[[], object]) -> str:
    """Return why something is refused; on a busy machine the deadline may be over before the server has said it."""
    said = ""
    for _ in range(5):
        with pytest.raises(Unavailable) as refused:
            read()
        said = str(refused.value)
        if "did not answer" not in said and "Timeout" not in said:
            break
    return said


@pytest.mark.parametrize("idle", [False, True], ids=["in use", "idle"])
def test_where_only_a_replica_is_left_reads_are_refused(pair: Pair, idle: bool) -> None:
    """They would be old, for as long as the name leads to the replica."""
    trader, book = fresh(), pair.open(deadline=0.8)
    book.orders.place(limit(trader))
    pair.swap_roles(linked=False)
    until = time.monotonic() + ROLE_INTERVAL
    while time.monotonic() < until:
        time.sleep(ROLE_INTERVAL if idle else 0.02)
        if not idle:
            with contextlib.suppress(Unavailable):
                book.orders.get(trader, "A1")
    for read in (
        lambda: book.orders.get(trader, "A1"),
        lambda: book.orders.open(trader),
        lambda: [outcome.result() for outcome in book.orders.get_many([(trader, "A1"), (trader, "A2")])],
        lambda: book.positions.all(trader),
        book.positions.totals,
        lambda: book.snapshot(trader),
    ):
        assert "not a primary but a" in refusal_of(read)
    assert "not a primary but a" in refusal_of(lambda: pair.open(pair.old, deadline=0.5))
    pair.move()
    assert status_of(book, trader) is OrderStatus.NEW


def test_followers_leave_the_old_primary(pair: Pair) -> None:
    trader, book = fresh(), pair.open(publish="traders,order_events", watchdog=1)
    subscription = book.events.subscribe("order_events").start()
    follow = book.events.follow(trader).start()
    book.orders.place(limit(trader))
    first = follow.get(30)
    assert first is not None
    assert first.sequence == 1
    pair.swap_roles()
    pair.move()
    while not (subscription.interruptions and subscription.connected):
        subscription.get(0.02)
    book.orders.fill(execution(trader))
    heard = subscription.get(30)
    while heard is not None and heard.event.sequence == 1:
        heard = subscription.get(30)
    assert heard is not None
    assert heard.event.sequence == 2
    second = follow.get(30)
    assert second is not None
    assert second.sequence == 2


def test_consumers_leave_the_old_primary(pair: Pair) -> None:
    trader, book = fresh(), pair.open()
    book.orders.place(limit(trader))
    with book.events.consume("risk", "one", trader, since=0) as consumer:
        for sequence in (1, 2):
            delivery = consumer.get(30)
            assert delivery is not None
            assert delivery.event.sequence == sequence
            if sequence == 1:
                pair.swap_roles()
                pair.move()
            assert delivery.acknowledge()
            book.orders.place(limit(trader, f"B{sequence}"))


def test_near_caches_leave_the_old_primary(pair: Pair) -> None:
    symbols = pair.open().symbols.near(bound=0.5)
    symbols.put(SymbolInfo(symbol="AAPL", name="Apple", exchange="XNAS"))
    before = symbols.get("AAPL")
    assert before is not None
    assert before.exchange == "XNAS"
    pair.swap_roles(linked=False)
    pair.move()
    pair.open(pair.new).symbols.put(SymbolInfo(symbol="AAPL", name="Apple", exchange="XNYS"))
    time.sleep(ROLE_INTERVAL + 0.5)
    after = symbols.get("AAPL")
    assert after is not None
    assert after.exchange == "XNYS"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_where_sentinels_or_nodes_tell_the_primary(
    deploy: Deploy, topology: Topology, caller: Caller, runner: asyncio.Runner
) -> None:
    """The old primary answers as a replica, and nobody has closed the connections to it."""
    control, trader = deploy(topology), fresh()
    book = open_book(control.url(deadline=0.8), caller, runner)
    book.orders.place(limit(trader))
    if topology == "sentinel":
        for sentinel in control.sentinels:
            control.freeze(sentinel)
        control.data[0].ask("REPLICAOF", "127.0.0.1", 1)
        time.sleep(ROLE_INTERVAL)
        with pytest.raises(Unavailable):
            book.orders.get(trader, "A1")
    else:
        control.cluster_failover(f"{{{trader}}}")
        assert status_of(book, trader) is OrderStatus.NEW
    book.close()
