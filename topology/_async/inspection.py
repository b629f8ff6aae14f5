"""Ask each server of a deployment by itself, for asyncio."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..address import Address
from ..call import pack
from ..connections.async_pool import AsyncConnectionPool
from ..inspection import (
    Answer,
    ClockReading,
    Member,
    ServerKind,
    answer_of,
    replicas_of_nodes,
    replicas_of_role,
    replicas_of_sentinel,
    time_of,
)
from .nodes import AsyncNodes


class AsyncInspection:
    """One look at all servers of a target, on connections of its own; ``close`` it afterwards.

    ::

        inspection = backend.inspection()
        for member in await inspection.members():
            (answer,) = await inspection.ask(member, [("INFO", "memory")])
    """

    def __init__(self, nodes: AsyncNodes) -> None:
        self._nodes = nodes
        self._target = nodes.target
        self._pools: dict[tuple[Address, bool], AsyncConnectionPool] = {}

    async def members(self) -> list[Member]:
        """Return every primary that serves slots, every replica that these or Sentinels know of, and every Sentinel.

        Raises a SlotbookError when no server can say who the primaries are.
        """
        primaries = [Member(address, ServerKind.PRIMARY) for address in await self._nodes.survey()]
        sentinels = [Member(address, ServerKind.SENTINEL) for address in self._nodes.layout.sentinels()]
        replicas: list[Address] = []
        for primary in primaries:
            (role,) = await self.ask(primary, [("ROLE",)])
            replicas += replicas_of_role(role.reply)
            if self._nodes.layout.migrates:
                (nodes,) = await self.ask(primary, [("CLUSTER", "NODES")])
                replicas += replicas_of_nodes(nodes.reply)
        for sentinel in sentinels:
            (rows,) = await self.ask(sentinel, [("SENTINEL", "REPLICAS", self._target.service)])
            replicas += replicas_of_sentinel(rows.reply)
        others = sorted(set(replicas).difference(self._nodes.layout.primaries()))
        return [*primaries, *(Member(address, ServerKind.REPLICA) for address in others), *sentinels]

    async def ask(self, member: Member, commands: Sequence[Sequence[str]]) -> list[Answer]:
        """Send commands to one server, once, and return an answer to each; that takes the socket timeout at most."""
        if not commands:
            return []
        timeout = self._target.settings.socket_timeout
        packed = b"".join(map(pack, commands))
        answers = await self._pool(member).exchange(packed, len(commands), timeout, time.monotonic() + 2 * timeout)
        return [answer_of(answer) for answer in answers]

    async def read_clock(self, member: Member) -> ClockReading | None:
        """Return the clock of a server that has been asked something before; None when it does not tell."""
        before, began = time.time(), time.monotonic()
        (answer,) = await self.ask(member, [("TIME",)])
        ended, after = time.monotonic(), time.time()
        told = time_of(answer)
        return None if told is None else ClockReading(before, told, after, ended - began)

    async def close(self) -> None:
        """Close its connections."""
        for pool in self._pools.values():
            await pool.close()

    def _pool(self, member: Member) -> AsyncConnectionPool:
        """Return the pool of a server, which may be a replica, unlike those of calls."""
        key = (member.address, member.kind is ServerKind.SENTINEL)
        if key not in self._pools:
            self._nodes.require_here()
            self._pools[key] = AsyncConnectionPool(
                self._target, member.address, for_sentinel=key[1], home=self._nodes.home
            )
        return self._pools[key]
