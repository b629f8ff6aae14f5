# Generated from topology/_async/inspection.py by scripts/generate_sync.py: edit that one.
"""Ask each server of a deployment by itself, for threads."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..address import Address
from ..call import pack
from ..connections.pool import ConnectionPool
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
from .nodes import Nodes


class Inspection:
    """One look at all servers of a target, on connections of its own; ``close`` it afterwards.

    ::

        inspection = backend.inspection()
        for member in inspection.members():
            (answer,) = inspection.ask(member, [("INFO", "memory")])
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._target = nodes.target
        self._pools: dict[tuple[Address, bool], ConnectionPool] = {}

    def members(self) -> list[Member]:
        """Return every primary that serves slots, every replica that these or Sentinels know of, and every Sentinel.

        Raises a SlotbookError when no server can say who the primaries are.
        """
        primaries = [Member(address, ServerKind.PRIMARY) for address in self._nodes.survey()]
        sentinels = [Member(address, ServerKind.SENTINEL) for address in self._nodes.layout.sentinels()]
        replicas: list[Address] = []
        for primary in primaries:
            (role,) = self.ask(primary, [("ROLE",)])
            replicas += replicas_of_role(role.reply)
            if self._nodes.layout.migrates:
                (nodes,) = self.ask(primary, [("CLUSTER", "NODES")])
                replicas += replicas_of_nodes(nodes.reply)
        for sentinel in sentinels:
            (rows,) = self.ask(sentinel, [("SENTINEL", "REPLICAS", self._target.service)])
            replicas += replicas_of_sentinel(rows.reply)
        others = sorted(set(replicas).difference(self._nodes.layout.primaries()))
        return [*primaries, *(Member(address, ServerKind.REPLICA) for address in others), *sentinels]

    def ask(self, member: Member, commands: Sequence[Sequence[str]]) -> list[Answer]:
        """Send commands to one server, once, and return an answer to each; that takes the socket timeout at most."""
        if not commands:
            return []
        timeout = self._target.settings.socket_timeout
        packed = b"".join(map(pack, commands))
        answers = self._pool(member).exchange(packed, len(commands), timeout, time.monotonic() + 2 * timeout)
        return [answer_of(answer) for answer in answers]

    def read_clock(self, member: Member) -> ClockReading | None:
        """Return the clock of a server that has been asked something before; None when it does not tell."""
        before, began = time.time(), time.monotonic()
        (answer,) = self.ask(member, [("TIME",)])
        ended, after = time.monotonic(), time.time()
        told = time_of(answer)
        return None if told is None else ClockReading(before, told, after, ended - began)

    def close(self) -> None:
        """Close its connections."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, member: Member) -> ConnectionPool:
        """Return the pool of a server, which may be a replica, unlike those of calls."""
        key = (member.address, member.kind is ServerKind.SENTINEL)
        if key not in self._pools:
            self._nodes.require_here()
            self._pools[key] = ConnectionPool(self._target, member.address, for_sentinel=key[1], home=self._nodes.home)
        return self._pools[key]
