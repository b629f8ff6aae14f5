"""Behaviour of redis-py that Slotbook must not share, seen in one version; an upgrade must not change it unnoticed.

Each hazard has a number. Most have a test of redis-py's own behaviour and one of ours. Of hazards 2, 4, 11 and 16 only
our side is tested; 6 and 8 are covered by the tests of redirects and of READONLY, and 12 by those of the streams.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

import pytest
import redis
import redis.asyncio
import redis.cluster
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry
from slotbook import AsyncBook, Book
from slotbook.topology.address import Address
from slotbook.topology.connections.connection_kwargs import connection_kwargs
from slotbook.topology.connections.role import ASK_ROLE
from slotbook.topology.settings import read

from ...support.faults.migration import Migration
from ...support.faults.rules import Do, Rule
from ...support.faults.stand import Stand, Stands
from ...support.make import execution, limit

SEEN_IN = "8.1.0"

Client: TypeAlias = Any
"""The type of redis-py's clients; where types-redis is installed, its stubs describe version 4."""

plain = cast("Callable[..., Client]", redis.Redis)
clustered = cast("Callable[..., Client]", redis.cluster.RedisCluster)


@pytest.fixture
def alone(stands: Stands, runner: asyncio.Runner) -> Iterator[Stand]:
    """Yield one server behind a proxy."""
    with Stand(stands.of("standalone"), "sync", runner) as stand:
        yield stand


@pytest.fixture
def many(stands: Stands, runner: asyncio.Runner) -> Iterator[Stand]:
    """Yield a cluster behind proxies."""
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        yield stand


def client_of(stand: Stand, **settings: object) -> Client:
    """Return redis-py's own client, connected through the proxies."""
    proxy = stand.veil.of(stand.control.primary(f"{{{stand.trader}}}"))
    make = clustered if stand.topology == "cluster" else plain
    password = stand.control.deployment.password
    return make(host=proxy.host, port=proxy.port, password=password, decode_responses=True, **settings)


def test_the_version_is_the_one_that_was_read() -> None:
    """Fail for another redis-py than the one whose code was read.

    For a newer one, read its changes, run the tests of this file, and change the version here.
    """
    assert redis.__version__ == SEEN_IN


def test_01_its_cluster_pipeline_applies_a_write_twice(many: Stand) -> None:
    key = f"{{{many.trader}}}:n"
    client = client_of(many, retry=Retry(NoBackoff(), 0))
    many.veil.add(Rule(Do.SWALLOW, frozenset({"INCRBY"})))
    pipeline = client.pipeline()
    pipeline.incrby(key, 5)
    answered = pipeline.execute()
    client.close()
    assert (answered, many.ask("GET", key)) == ([10], "10")


def test_01_our_batch_does_not(many: Stand) -> None:
    many.veil.add(Rule(Do.SWALLOW))
    assert len(many.open().orders.place_many([limit(many.trader, f"A{n}") for n in range(5)])) == 5
    assert many.kinds() == ["NEW"] * 5


def test_02_our_connections_get_no_pushed_messages(alone: Stand) -> None:
    target = read(alone.veil.url())
    assert connection_kwargs(target, target.addresses[0]).get("protocol") == 2
    alone.open()
    requests = alone.veil.data[0].requests
    assert requests["HELLO"]
    assert requests["CLIENT"] == 3, "each connection introduces itself (greeting.py), and asks for no pushes"
    assert ASK_ROLE == b"*1\r\n$5\r\nHELLO\r\n", "without a version it changes no protocol"


def test_03_its_default_retries_apply_a_write_twice(alone: Stand) -> None:
    key = f"{{{alone.trader}}}:n"
    alone.veil.add(Rule(Do.SWALLOW, frozenset({"INCRBY"})))
    client = client_of(alone)
    assert client.incrby(key, 5) == 10
    client.close()


def test_03_ours_has_none() -> None:
    for url in ("redis://h", "redis+sentinel://h/m", "redis+cluster://h"):
        target = read(url)
        for for_sentinel in (False, True):
            connection = cast(Client, redis.connection.Connection)(
                **connection_kwargs(target, Address("h", 1), for_sentinel=for_sentinel)
            )
            assert connection.retry.get_retries() == 0
            connection = cast(Client, redis.asyncio.Connection)(
                **connection_kwargs(target, Address("h", 1), for_sentinel=for_sentinel)
            )
            assert connection.retry.get_retries() == 0


def test_04_we_send_no_transaction(many: Stand) -> None:
    book = many.open()
    book.orders.place(limit(many.trader))
    book.orders.fill_many([execution(many.trader, f"X{n}", 1) for n in range(5)])
    assert not many.veil.requests("MULTI", "EXEC", "WATCH")


def test_05_it_gives_up_on_tryagain_at_once(many: Stand) -> None:
    tag = f"{{{many.trader}}}"
    client = client_of(many)
    client.mset({f"{tag}:a": 1, f"{tag}:b": 2})
    migration = Migration(many.control, tag).begin()
    migration.move([f"{tag}:a"])
    started = time.monotonic()
    with pytest.raises((redis.exceptions.TryAgainError, redis.exceptions.ClusterError)):
        client.eval("return redis.call('MGET', KEYS[1], KEYS[2])", 2, f"{tag}:a", f"{tag}:b")
    assert time.monotonic() - started < 5
    client.close()
    migration.finish()
    migration.back()


def test_07_its_tree_of_errors_is_not_one() -> None:
    errors = cast(Any, redis.exceptions)
    assert not issubclass(errors.RedisClusterException, errors.RedisError)
    for like_a_lost_connection in (errors.AuthenticationError, errors.MaxConnectionsError, errors.BusyLoadingError):
        assert issubclass(like_a_lost_connection, errors.ConnectionError)


def test_09_its_wait_goes_to_one_node_whoever_wrote(many: Stand) -> None:
    client = client_of(many)
    asked = {proxy.port: proxy.requests["WAIT"] for proxy in many.veil.data}
    for number in range(6):
        client.set(f"{{{many.trader}.{number}}}:n", 1)
        client.wait(1, 50)
    client.close()
    grown = [proxy for proxy in many.veil.data if proxy.requests["WAIT"] > asked[proxy.port]]
    assert len(grown) == 1


def test_09_ours_goes_where_the_write_went(many: Stand) -> None:
    book = many.open(durability="replicated=1")
    for number in range(6):
        trader = f"{many.trader}.{number}"
        proxy = many.veil.of(many.control.primary(f"{{{trader}}}"))
        before, all_before = proxy.requests["WAIT"], many.veil.requests("WAIT")
        book.orders.place(limit(trader))
        assert (proxy.requests["WAIT"], many.veil.requests("WAIT")) == (before + 1, all_before + 1)


def test_10_its_cluster_drops_settings() -> None:
    kept = cast(Client, redis.cluster).cleanup_kwargs(health_check_interval=7, ssl_min_version=1, socket_timeout=2)
    assert kept == {"socket_timeout": 2}


def test_10_ours_reach_the_connection() -> None:
    target = read("redis+cluster://u:p@h:1?socket_timeout=1.5&connect_timeout=0.5")
    found = connection_kwargs(target, Address("h", 1))
    assert (found.get("username"), found.get("password")) == ("u", "p")
    assert (found.get("socket_timeout"), found.get("socket_connect_timeout")) == (1.5, 0.5)


def test_11_ours_is_one_request_a_call(many: Stand) -> None:
    book = many.open()
    book.orders.place(limit(many.trader))
    book.orders.fill(execution(many.trader, "X", 1))  # the servers have the script from now on
    before = sum(proxy.requests.total() for proxy in many.veil.data)
    for number in range(10):
        book.orders.fill(execution(many.trader, f"X{number}", 1))
    assert sum(proxy.requests.total() for proxy in many.veil.data) == before + 10


def test_13_its_lock_is_held_and_says_that_it_is_not(alone: Stand) -> None:
    name = f"{{{alone.trader}}}:lock"
    client = client_of(alone)
    alone.veil.add(Rule(Do.SWALLOW, frozenset({"SET"})))
    assert client.lock(name, timeout=30).acquire(blocking=False) is False
    assert alone.ask("EXISTS", name) == 1
    client.close()


def test_14_a_blocking_read_ends_with_the_socket_timeout(alone: Stand) -> None:
    client = client_of(alone, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.exceptions.TimeoutError):
        client.xread({f"{{{alone.trader}}}:stream": "$"}, block=1000)
    client.close()


def test_15_its_asyncio_pool_does_not_look_for_a_fork() -> None:
    assert hasattr(redis.ConnectionPool(), "pid")
    assert not hasattr(redis.asyncio.ConnectionPool(), "pid")


def test_16_calls_of_one_turn_share_one_connection(alone: Stand) -> None:
    async def scenario() -> None:
        book = await AsyncBook.open(alone.veil.url())
        opened = alone.veil.data[0].opened
        await asyncio.gather(*(book.orders.place(limit(alone.trader, f"A{n}")) for n in range(200)))
        assert alone.veil.data[0].opened == opened
        await book.close()

    asyncio.run(scenario())
    with Book.open(alone.veil.url()) as book:
        assert book.orders.count(alone.trader) == 200
