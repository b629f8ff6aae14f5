"""The reply to the question for the role, as servers of each kind give it."""

from __future__ import annotations

import asyncio

import pytest
from slotbook.topology.address import Address
from slotbook.topology.call import Reply, pack
from slotbook.topology.connections.async_pool import AsyncConnectionPool
from slotbook.topology.connections.role import ROLE_INTERVAL, demotion_told
from slotbook.topology.error_mapping import OutOfStep
from slotbook.topology.settings import read

from ...support.fleet import Fleets
from ...support.running import SERVICE

QUESTION = pack(("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE))
HELLO = ["server", "valkey", "version", "9.1.2", "proto", 2, "id", 7]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["mode", "standalone", "role", "master"], None),
        (["mode", "cluster", "role", "replica"], "not a primary but a replica"),
        (["mode", "standalone", "role", "slave"], "not a primary but a slave"),
        (["mode", "sentinel"], "not a primary but a sentinel"),
    ],
)
def test_who_is_no_primary_is_found_out(words: list[Reply], shown: str | None) -> None:
    found = demotion_told("here", [*HELLO, *words, "modules", []])
    assert found is None if shown is None else shown in str(found)


@pytest.mark.parametrize("words", [["mode", "standalone"], ["mode", "cluster"], [], ["role", "king"]])
def test_what_is_no_reply_to_it_is_out_of_step(words: list[Reply]) -> None:
    with pytest.raises(OutOfStep):
        demotion_told("here", [*HELLO, *words])


def test_a_connection_to_a_sentinel_that_was_idle_is_used_again(fleets: Fleets) -> None:
    fleet = fleets.of("sentinel")
    sentinel = next(server for server in fleet.deployment.servers if server.kind == "sentinel")

    async def ask_twice() -> None:
        target = read(fleet.url({}))
        pool = AsyncConnectionPool(target, Address(sentinel.host, sentinel.port), for_sentinel=True)
        (first,) = await pool.exchange(QUESTION, 1, 5.0)
        assert isinstance(first, list)
        connection = pool.connection
        assert connection is not None
        await asyncio.sleep(ROLE_INTERVAL + 0.1)
        assert await pool.exchange(QUESTION, 1, 5.0) == [first]
        assert pool.connection is connection
        assert not connection.broken
        await pool.close()

    asyncio.run(ask_twice())
