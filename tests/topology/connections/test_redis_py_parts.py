"""The parts of a redis-py connection that our own reading and writing relies on."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import redis.asyncio.connection
import redis.connection
from redis.exceptions import BusyLoadingError, ResponseError
from slotbook.topology.address import Address
from slotbook.topology.call import pack
from slotbook.topology.connections.async_pool import AsyncConnectionPool
from slotbook.topology.connections.connection_kwargs import connection_kwargs
from slotbook.topology.connections.pool import ConnectionPool
from slotbook.topology.error_mapping import Unanswered
from slotbook.topology.settings import Target, read

from ...support.fleet import Fleets

PING = pack(("PING",))


def target_of(fleets: Fleets) -> tuple[Target, Address]:
    target = read(fleets.of("standalone").deployment.url)
    return target, target.addresses[0]


def test_a_connection_has_a_socket_and_a_table_of_errors(fleets: Fleets) -> None:
    connection = cast(Any, redis.connection.Connection(**cast(Any, connection_kwargs(*target_of(fleets)))))
    connection.connect()
    assert isinstance(connection._sock, socket.socket)
    assert isinstance(connection._parser.parse_error("LOADING later"), BusyLoadingError)
    assert isinstance(connection._parser.parse_error("WRONGTYPE no"), ResponseError)
    connection.disconnect()


def test_a_connection_of_asyncio_has_a_transport_that_takes_another_protocol(fleets: Fleets) -> None:
    async def scenario() -> None:
        connection = cast(Any, redis.asyncio.connection.Connection(**cast(Any, connection_kwargs(*target_of(fleets)))))
        await connection.connect()
        assert isinstance(connection._writer.transport, asyncio.Transport)
        assert isinstance(connection._parser.parse_error("LOADING later"), BusyLoadingError)
        assert not await connection.can_read()
        await connection.disconnect()

    asyncio.run(scenario())


def test_a_reply_later_than_its_own_timeout_costs_only_its_connection(fleets: Fleets) -> None:
    target, address = target_of(fleets)
    pool = ConnectionPool(target, address)
    assert pool.exchange(PING, 1, 2.0) == ["PONG"]
    (late,) = pool.exchange(pack(("BLPOP", "{nobody}:list", "5")), 1, 0.05)
    assert isinstance(late, Unanswered)
    assert pool.exchange(PING * 3, 3, 1.0) == ["PONG"] * 3  # also with a timeout of its own, on a new connection
    assert pool.exchange(PING, 1, 2.0) == ["PONG"]
    pool.close()


def test_nothing_is_written_while_the_server_reads_nothing(fleets: Fleets) -> None:
    target, address = target_of(fleets)

    async def scenario() -> None:
        pool = AsyncConnectionPool(target, address)
        assert await pool.exchange(PING, 1, 2.0) == ["PONG"]
        connection = pool.connection
        assert connection is not None
        connection.pause_writing()
        waiting = [asyncio.create_task(pool.exchange(PING, 1, 2.0)) for _ in range(3)]
        done, _ = await asyncio.wait(waiting, timeout=0.1)
        assert not done
        connection.resume_writing()
        assert await asyncio.gather(*waiting) == [["PONG"]] * 3
        await pool.close()

    asyncio.run(scenario())


def test_a_timeout_of_its_own_ends_only_that_exchange(fleets: Fleets) -> None:
    target, address = target_of(fleets)

    async def scenario() -> None:
        pool = AsyncConnectionPool(target, address)
        slow = asyncio.create_task(pool.exchange(pack(("BLPOP", "{nobody}:list", "0.3")), 1, 0.05))
        await asyncio.sleep(0)
        patient = asyncio.create_task(pool.exchange(PING, 1, 2.0))
        assert isinstance((await slow)[0], Unanswered)
        assert await patient == ["PONG"]  # the late reply was read and dropped before it
        await pool.close()

    asyncio.run(scenario())
