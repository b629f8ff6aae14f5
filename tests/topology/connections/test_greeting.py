"""A connection says whose it is, without a round trip of its own, and without an error where names are refused."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from time import monotonic

import pytest
from slotbook.topology.address import Address
from slotbook.topology.call import pack
from slotbook.topology.connections.async_pool import AsyncConnectionPool
from slotbook.topology.connections.connection import Connection
from slotbook.topology.connections.connection_kwargs import connection_kwargs
from slotbook.topology.connections.greeting import client_name
from slotbook.topology.connections.opening import connection_class
from slotbook.topology.embedded import Topology, start
from slotbook.topology.settings import read

from ...support.callers import CALLERS, Caller, open_book
from ...support.desk import Desk
from ...support.make import fresh, limit
from ...support.raw import Raw
from ...support.running import HOST

CALL = pack(("GET", "the first call"))


def clients(raw: Raw) -> list[dict[str, str]]:
    """Return what CLIENT LIST says of each client."""
    lines = str(raw.ask("CLIENT", "LIST")).splitlines()
    return [{name: value for name, _, value in (word.partition("=") for word in line.split(" "))} for line in lines]


def test_every_connection_has_a_name_and_its_library(desk: Desk) -> None:
    book = desk.open()
    book.orders.place(limit(desk.trader, "A1"))
    with book.events.follow(desk.trader, since=0) as follow:
        assert follow.get(30)
        found = [client for raw in desk.fleet.raws.values() for client in clients(raw)]
        ours = [client for client in found if client["user"] == "slotbook"]
        assert len(ours) >= 2
        assert {client["name"].rpartition(":")[2] for client in ours} == {str(os.getpid())}
        assert {client["name"].partition(":")[0] for client in ours} == {"slotbook"}
        assert {client.get("lib-name", "slotbook") for client in ours} == {"slotbook"}, "servers from 7.2 tell it"
    book.close()


def test_names_are_ones_that_a_server_takes() -> None:
    assert client_name("/srv/mein desk/händler.py", 7) == "slotbook:h_ndler.py:7"
    assert client_name("x" * 300, 7) == f"slotbook:{'x' * 40}:7"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["standalone", "cluster"])
def test_a_server_that_refuses_the_names_is_used_all_the_same(
    topology: Topology, caller: Caller, runner: asyncio.Runner
) -> None:
    """Refuse them like one before 7.2 does SETINFO, and any server for a user without the permission."""
    with start(topology, replicas=0) as deployment:
        for server in deployment.primaries():
            raw = Raw(server.host, server.port, deployment.password)
            raw.ask("ACL", "SETUSER", "default", "-client")
            raw.close()
        book = open_book(deployment.url, caller, runner)
        for _ in range(4):
            trader = fresh()
            assert book.orders.place(limit(trader, "A1")).applied
            assert [order.order_id for order in book.orders.open(trader)] == ["A1"]
        book.close()


def test_for_threads_nothing_is_waited_for_before_the_first_call() -> None:
    with socket.create_server((HOST, 0)) as listening:
        address = Address(HOST, listening.getsockname()[1])
        target = read(f"redis+cluster://{address}")
        arguments = dict(connection_kwargs(target, address))
        ends_at = monotonic() + 5
        connection = Connection(connection_class(address, tls=False), arguments, ends_at)
        connection.log_in(arguments, ends_at)
        connection.send(CALL, ends_at)
        assert received(listening) == 4
        connection.close()


def test_for_asyncio_nothing_is_waited_for_before_the_first_call() -> None:
    async def call(address: Address, listening: socket.socket) -> int:
        pool = AsyncConnectionPool(read(f"redis+cluster://{address}"), address)
        asking = asyncio.create_task(pool.exchange(CALL, 1, 5.0))
        found = await asyncio.to_thread(received, listening)
        await pool.close()
        await asking
        return found

    with socket.create_server((HOST, 0)) as listening:
        assert asyncio.run(call(Address(HOST, listening.getsockname()[1]), listening)) == 4


def received(listening: socket.socket) -> int:
    """Return how many commands come on one connection that nobody answers; the last of them is the call's."""
    accepted, _ = listening.accept()
    accepted.settimeout(5)
    data = b""
    while not data.endswith(CALL):
        data += accepted.recv(65_536)
    accepted.close()
    return len(re.findall(rb"\*\d+\r\n", data))
