"""Keep the slot table of a Redis Cluster."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence

from redis.crc import key_slot
from redis.exceptions import RedisError

from ...models.errors import InvalidSettings
from ..address import Address, address_told
from ..call import Reply, pack
from ..error_mapping import Unanswered, Unsent
from ..misreadings import unexpected
from ..shards import Shards
from .discovery import Discovery, DiscoveryError, Questions, note_failure, summary_of

SLOTS = 16_384
"""The hash slots of a cluster (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/)."""


_REDIRECT = re.compile(r"(?:(?:MOVED|ASK) )?([0-9]{1,5}) (\S*):([0-9]{1,5})", re.ASCII).fullmatch


class ClusterLayout:
    """The slot table of a cluster, as its nodes describe it (CLUSTER SLOTS) and correct it (MOVED)."""

    must_be_primary = False  # a replica answers MOVED to every command, reads included
    migrates = True

    def __init__(self, seeds: Sequence[Address]) -> None:
        self._seeds = tuple(seeds)
        self._table: list[Address | None] = [None] * SLOTS
        self._nodes: tuple[Address, ...] = ()
        self._primaries: tuple[Address, ...] = ()
        self._edition = 0
        self._shards: Shards | None = None

    def locate(self, slot: int) -> Address | None:
        """Return the primary of a slot; None when it is not known."""
        return self._table[slot]

    def primaries(self) -> tuple[Address, ...]:
        """Return every primary that serves slots, as of the last discovery."""
        return self._primaries

    def sentinels(self) -> tuple[Address, ...]:
        """Return nothing: there are none."""
        return ()

    def shards(self) -> Shards:
        """Return a hash tag for every primary that serves slots."""
        if self._shards is None:
            table = list(self._table)
            tags: dict[Address, str] = {}
            numbers = map(str, itertools.count())
            while len(tags) < len(set(table) - {None}):
                tag = next(numbers)
                address = table[key_slot(tag.encode())]
                if address is not None:
                    tags.setdefault(address, tag)

            def tag_of(slot: int) -> str | None:
                address = table[slot]
                return tags[address] if address is not None else None

            self._shards = Shards(tuple(sorted(tags.values(), key=int)), self._edition, tag_of)
        return self._shards

    def moved(self, slot: int, address: Address) -> None:
        """Take over from a MOVED reply which node serves a slot."""
        if self._table[slot] != address:
            self._table[slot] = address
            self._edition, self._shards = self._edition + 1, None

    def discover(self) -> Discovery:
        """Yield the question for the slot table to one node after another, until one answers it.

        Raises InvalidSettings for a server that is not part of a cluster, DiscoveryError when no node answers.
        """
        causes: list[Exception] = []
        # Any node's table will do. The nodes are asked in a new order each time, so that one with an old table does not
        # mislead us for long; the seeds are the fallback for a cluster all of whose addresses have changed.
        known = random.sample(self._nodes, len(self._nodes))
        question = pack(("CLUSTER", "SLOTS"))
        for node in dict.fromkeys((*known, *self._seeds)):
            ((answer,),) = yield Questions((node,), question)
            if not isinstance(answer, (Unsent, Unanswered, RedisError)):
                try:
                    if self._adopt(answer, node):
                        return
                    causes.append(InvalidSettings(f"the cluster node at {node} serves no slots yet"))
                except ValueError:
                    causes.append(unexpected(f"asking {node} for the slots", answer))
            elif "cluster support disabled" in str(answer):
                raise InvalidSettings(f"the server at {node} is not part of a cluster: use redis:// in the URL")
            else:
                note_failure(node, answer, causes)
        raise DiscoveryError(causes, summary_of("no cluster node could tell its slots", causes))

    def _adopt(self, answer: Reply, asked: Address) -> bool:
        """Take over the slot table that a node has answered; return False when no primary is in it.

        Raises ValueError for what is no slot table.
        """
        table: list[Address | None] = [None] * SLOTS
        nodes: dict[Address, None] = {}
        primaries: dict[Address, None] = {}
        for row in _list(answer):
            start, end, *servers = _list(row)
            if type(start) is not int or type(end) is not int or not 0 <= start <= end < SLOTS or not servers:
                raise ValueError(row)
            addresses = [_address_of(server, asked) for server in servers]
            nodes.update((found, None) for found in addresses if found is not None)
            primary = addresses[0]
            if primary is None:
                continue
            primaries[primary] = None
            table[start : end + 1] = [primary] * (end + 1 - start)
        if primaries:
            if table != self._table:
                self._edition, self._shards = self._edition + 1, None
            self._table, self._nodes, self._primaries = table, tuple(nodes), tuple(primaries)
        return bool(primaries)


def _address_of(server: Reply, asked: Address) -> Address | None:
    """Return the address of a server in a row of CLUSTER SLOTS; None when the node that was asked gives none.

    Raises ValueError for what is no address.
    """
    host, port, *_ = _list(server)
    if port == 0:  # another node answers at the address that this server had, and its new one is not known yet
        return None
    # A node that does not know its own address names none: it is the one that was asked.
    address = address_told(asked.host if host in (None, "", "?") else host, port)
    if address is None:
        raise ValueError(server)
    return address


def _list(reply: Reply) -> list[Reply]:
    if not isinstance(reply, list):
        raise ValueError(reply)
    return reply


def redirect_target(error: Exception, asked: Address) -> tuple[int, Address] | None:
    """Return the slot and the address of a MOVED or ASK reply; None for one that does not say them.

    An empty host means the host that was asked.

    >>> redirect_target(Exception("MOVED 866 :7002"), Address("10.0.0.1", 7001))
    (866, Address(host='10.0.0.1', port=7002))
    >>> redirect_target(Exception("MOVED x"), Address("10.0.0.1", 7001))
    """
    told = _REDIRECT(str(error))
    address = told and address_told(told[2].strip("[]") or asked.host, told[3])
    return (int(told[1]), address) if told and address and int(told[1]) < SLOTS else None
