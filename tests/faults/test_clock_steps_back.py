"""Fault "clock steps back": the clock of the servers is set back by an hour."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import Cancel, Expect, OrderStatus, SymbolInfo
from slotbook.models.errors import LockLost, SessionNotFound, Unavailable, UnexpectedReply
from slotbook.topology.embedded import Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.clocks import LIBRARY, Clocks
from ..support.faults.control import Control, wait_until
from ..support.make import execution, fresh, limit
from .conftest import TOPOLOGIES

HOUR = 3_600

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (Debian: libfaketime)")


class Hands:
    """A book on servers whose clocks can be moved."""

    def __init__(self, clocks: Clocks, caller: Caller, runner: asyncio.Runner, stack: ExitStack) -> None:
        self.clocks = clocks
        self.control = stack.enter_context(Control(clocks.deployment))
        self.trader = fresh()
        self._caller: Caller = caller
        self._runner = runner
        self._stack = stack
        self.book = self.open()

    def open(self, **settings: object) -> Book:
        """Open a book on which everything is remembered as short as can be."""
        given = {"deadline": 1, "socket_timeout": 0.5, "order_ttl": 0.1, "request_ttl": 0.1, **settings}
        book = open_book(self.control.url(**given), self._caller, self._runner)
        self._stack.callback(book.close)
        return book

    def there(self, key: str) -> object:
        return self.control.ask(key, "EXISTS", key)

    def hour_back(self) -> None:
        self.clocks.step(-HOUR)


@pytest.fixture(scope="module")
def clocks(
    tmp_path_factory: pytest.TempPathFactory, _no_settings_from_outside: None
) -> Iterator[dict[Topology, Clocks]]:
    """Yield servers with clocks of their own, on each topology; the clocks are only ever set back."""
    started: dict[Topology, Clocks] = {
        topology: Clocks(topology, tmp_path_factory.mktemp(topology)) for topology in TOPOLOGIES
    }
    yield started
    for one in started.values():
        one.stop()


@pytest.fixture(params=list(product(TOPOLOGIES, CALLERS)), ids="-".join)
def hands(request: pytest.FixtureRequest, clocks: dict[Topology, Clocks], runner: asyncio.Runner) -> Iterator[Hands]:
    """Yield a book whose servers' clocks can be moved, on every topology, for threads and for asyncio."""
    topology, caller = cast("tuple[Topology, Caller]", request.param)
    with ExitStack() as stack:
        yield Hands(clocks[topology], caller, runner, stack)


on_one_server = pytest.mark.parametrize("hands", [("standalone", one) for one in CALLERS], ids="-".join, indirect=True)


def test_the_clock_is_moved(hands: Hands) -> None:
    """Else the others would show nothing."""
    hands.hour_back()
    (seconds, _) = cast("list[str]", hands.control.ask("", "TIME"))
    assert int(seconds) < time.time() - HOUR / 2


def test_listings_skip_orders_that_have_expired(hands: Hands) -> None:
    book, trader = hands.book, hands.trader
    for order_id in ("A1", "A2", "A3"):
        book.orders.place(limit(trader, order_id))
    book.orders.fill(execution(trader))
    book.orders.cancel(trader, "A1")
    hands.open(order_ttl=2 * HOUR).orders.cancel(trader, "A3")  # so that no index has expired as a whole
    wait_until(lambda: not hands.there(f"{{{trader}}}:order:A1"), "it has expired")
    hands.hour_back()
    kept = {"A2": OrderStatus.NEW, "A3": OrderStatus.CANCELED}
    assert {order.order_id: order.status for order in book.orders.by_symbol(trader, "AAPL")} == kept
    assert [order.order_id for order in book.orders.by_status(trader, "CANCELED")] == ["A3"]
    assert [order.order_id for order in book.orders.open(trader)] == ["A2"]
    assert {order.order_id for order in book.snapshot(trader).orders} == set(kept)
    assert book.orders.get(trader, "A1") is None
    assert 2 <= book.orders.count(trader, symbol="AAPL") <= 3, "it may be high"
    assert [position.quantity for position in book.positions.all(trader)] == [40]
    # The book goes on: the id is free, and what is left can be changed and deleted.
    assert book.orders.place(limit(trader, "A1")).applied
    book.commit([Expect("A2", 1), execution(trader, "Y1", 100, order_id="A2")])
    assert {order.order_id for order in book.orders.by_symbol(trader, "AAPL")} == {"A1", "A2", "A3"}
    book.orders.delete(trader, "A3")
    assert {order.order_id for order in book.orders.by_symbol(trader, "AAPL")} == {"A1", "A2"}


@on_one_server
def test_more_orders_than_a_page_of_which_many_have_expired(hands: Hands) -> None:
    book, trader = hands.book, hands.trader
    placed = [limit(trader, f"A{number}") for number in range(1_200)]
    long_lived = hands.open(order_ttl=2 * HOUR, deadline=20)
    assert all(one.error is None for one in long_lived.orders.place_many(placed))
    for number in range(0, 1_200, 100):
        long_lived.orders.cancel(trader, f"A{number}")
    short_lived = [order.order_id for order in placed if int(order.order_id[1:]) % 100]
    for begin in range(0, len(short_lived), 100):  # what lives short has a short deadline
        cancels = [Cancel(trader=trader, order_id=order_id) for order_id in short_lived[begin : begin + 100]]
        assert [one.error for one in book.orders.apply_many(cancels) if one.error] == []
    for order_id in short_lived:
        wait_until(lambda key=f"{{{trader}}}:order:{order_id}": not hands.there(key), "it has expired")
    hands.hour_back()
    found = book.orders.by_symbol(trader, "AAPL")
    assert sorted(int(order.order_id[1:]) for order in found) == list(range(0, 1_200, 100))


def test_versions_never_go_down(hands: Hands) -> None:
    values, name = hands.book.values, fresh("v")
    seen = [values.swap(name, 0, "first", ttl=1).version]
    wait_until(lambda: not hands.there(f"{{{name}}}:value"), "it has expired")
    for ttl in (1, None, 1, None):
        hands.hour_back()
        expected = values.get(name).version
        swap = values.swap(name, expected, f"after {len(seen)}", ttl=ttl)
        assert swap.swapped
        assert values.get(name).version == swap.version
        seen.append(swap.version)
        if ttl is not None and len(seen) % 2:
            wait_until(lambda: not hands.there(f"{{{name}}}:value"), "it has expired")
    assert seen == sorted(set(seen))


def test_a_version_outlives_its_value_by_a_day(hands: Hands) -> None:
    name = fresh("v")
    hands.book.values.swap(name, 0, "first", ttl=60)
    left = cast("int", hands.control.ask(f"{{{name}}}", "PTTL", f"{{{name}}}:value:version"))
    assert 24 * HOUR * 1000 < left <= (24 * HOUR + 60) * 1000


def test_an_open_order_that_is_missing_is_told(hands: Hands) -> None:
    """It never expires, so no clock explains that it is gone."""
    book, trader = hands.book, hands.trader
    book.orders.place(limit(trader))
    hands.control.ask(f"{{{trader}}}", "UNLINK", f"{{{trader}}}:order:A1")
    with pytest.raises((UnexpectedReply, Unavailable), match="not here"):
        book.orders.by_symbol(trader, "AAPL")


def test_fences_never_go_down(hands: Hands) -> None:
    name = fresh("l")
    seen: list[int] = []
    for _ in range(3):
        with hands.book.lock(name, lease=30) as held:
            seen.append(held.fence)
        hands.hour_back()
    stuck = hands.book.lock(name, lease=0.5)
    seen.append(stuck.__enter__().fence)
    time.sleep(0.6)
    with pytest.raises(LockLost):
        stuck.__exit__(None, None, None)
    hands.hour_back()
    with hands.book.lock(name, lease=30, wait=30) as held:
        seen.append(held.fence)
    assert seen == sorted(set(seen))


def test_sessions_that_have_expired_are_not_listed(hands: Hands) -> None:
    sessions, trader = hands.book.sessions, hands.trader
    short, long = sessions.create(trader, ttl=0.1), sessions.create(trader, ttl=3 * HOUR)
    assert short.id is not None
    assert long.id is not None
    wait_until(lambda: not hands.there(f"{{{trader}}}:session:{short.digest}"), "it has expired")
    hands.hour_back()
    assert [one.digest for one in sessions.by_trader(trader)] == [long.digest]
    assert sessions.get(short.id) is None
    with pytest.raises(SessionNotFound):
        sessions.touch(short.id)
    assert sessions.touch(long.id).digest == long.digest
    sessions.revoke_all(trader)
    assert sessions.by_trader(trader) == []
    assert sessions.get(long.id) is None


@on_one_server
@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window", "token_bucket"])
def test_a_limit_is_neither_loosened_nor_stuck(hands: Hands, algorithm: str) -> None:
    limiter, name = hands.book.limiter(3, 2.0, algorithm=algorithm), fresh("r")
    assert [limiter.acquire(name).allowed for _ in range(4)] == [True, True, True, False]
    hands.hour_back()
    refused = limiter.acquire(name)
    assert not refused.allowed
    assert refused.retry_after <= 2.0
    time.sleep(refused.retry_after)
    assert limiter.acquire(name).allowed


def test_caches_go_on(hands: Hands) -> None:
    symbols = hands.book.symbols
    info = SymbolInfo(symbol=fresh("S"), name="before", exchange="XNAS")
    symbols.put(info)
    hands.hour_back()
    assert symbols.get(info.symbol) == info
    after = info.model_copy(update={"name": "after"})
    symbols.put(after)
    assert symbols.get(info.symbol) == after
    assert symbols.invalidate(info.symbol)
    assert symbols.get(info.symbol) is None
