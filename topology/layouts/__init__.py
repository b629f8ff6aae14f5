"""Who is in charge of a hash slot: one small map for each topology, filled by questions that anyone may carry.

A layout does no I/O. ``discover`` is a generator: it yields :class:`Questions`, is sent what each server answered (a
reply or an exception for every command) and ends when the map is good. It raises :class:`DiscoveryError` when no one could
tell.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol, TypeAlias

from redis.crc import key_slot
from redis.exceptions import AuthenticationError, RedisError

from ...models.errors import AccessDenied, InvalidSettings, PoolExhausted
from ..address import Address
from ..call import Reply, pack
from ..error_mapping import Failure, RetryAction, Unanswered, Unsent, report, retry_action
from ..sentinel_view import SentinelView, names_primary, sentinel_queries, sentinel_view
from ..settings import Target, TopologyKind
from ..shards import Shards

SLOTS = 16_384
SENTINEL_TIMEOUT = 0.25
"""Seconds that a Sentinel has to answer in, when another could."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The same commands for some servers, asked side by side."""

    addresses: Sequence[Address]
    packed: bytes
    commands: int = 1
    of_sentinels: bool = False
    timeout: float = math.inf
    """Seconds to wait for an answer; never more than the socket timeout."""


Answers: TypeAlias = "Sequence[Sequence[Reply | Failure]]"
Discovery: TypeAlias = Generator[Questions, Answers, None]


class DiscoveryError(Exception):
    """No server could tell who is in charge; ``causes`` has one exception for each that was asked."""

    def __init__(self, causes: Sequence[Exception], summary: str) -> None:
        super().__init__(summary)
        self.causes = tuple(causes)


class Layout(Protocol):
    """The map of one topology."""

    must_be_primary: bool
    """Whether a new connection must first be views by the server that it is a primary."""
    migrates: bool
    """Whether a slot can be on its way from one server to another."""

    def locate(self, slot: int) -> Address | None:
        """Who is in charge of the slot; None when that must be found out first."""
        ...

    def primaries(self) -> tuple[Address, ...]:
        """Everyone who is in charge of any slot."""
        ...

    def shards(self) -> Shards:
        """A hash tag for each of them."""
        ...

    def moved(self, slot: int, address: Address) -> None:
        """Learn from a MOVED reply; raises InvalidSettings where there should be none."""
        ...

    def discover(self) -> Discovery:
        """Fill the map."""
        ...


def _no_cluster_expected(scheme: str) -> InvalidSettings:
    return InvalidSettings(f"the server belongs to a cluster: use redis+cluster:// in place of {scheme}:// in the URL")


def _failed(address: Address, failure: Failure, causes: list[Exception]) -> None:
    """Remember why one server could not tell; raise at once when no other server would be of more help."""
    if retry_action(failure) is RetryAction.REPORT:
        error = report(f"asking {address} who is in charge", failure)
        if isinstance(error, (AccessDenied, InvalidSettings, PoolExhausted)):
            raise error
        causes.append(error)
    else:
        causes.append(failure.cause if isinstance(failure, (Unsent, Unanswered)) else failure)


def _is_curable(error: RedisError) -> bool:
    return retry_action(error) is not RetryAction.REPORT or isinstance(error, AuthenticationError)


def _summary(what: str, causes: Sequence[Exception]) -> str:
    shown = "; ".join(dict.fromkeys(str(cause).rstrip(".") for cause in causes))
    return f"{what}: {shown}"


class StandaloneLayout:
    """One server, always in charge."""

    must_be_primary = False
    migrates = False

    def __init__(self, address: Address) -> None:
        self._address = address

    def locate(self, slot: int) -> Address | None:
        return self._address

    def primaries(self) -> tuple[Address, ...]:
        return (self._address,)

    def shards(self) -> Shards:
        return Shards(("0",))

    def moved(self, slot: int, address: Address) -> None:
        raise _no_cluster_expected("redis")

    def discover(self) -> Discovery:
        # Any server will say whether it is part of a cluster, if only by refusing the question.
        ((answer,),) = yield Questions((self._address,), pack(("CLUSTER", "SLOTS")))
        if isinstance(answer, list):
            raise _no_cluster_expected("redis")
        if isinstance(answer, (Unsent, Unanswered)) or (isinstance(answer, RedisError) and _is_curable(answer)):
            causes: list[Exception] = []
            _failed(self._address, answer, causes)
            raise DiscoveryError(causes, _summary(f"{self._address} does not serve", causes))


class SentinelLayout:
    """The primary that a quorum of Sentinels has agreed on (https://redis.io/docs/reference/sentinel-clients/).

    The Sentinel that leads a failover marks the replica that it promotes at once, names it when it has seen that it
    serves, and tells the others, which takes seconds. Until then the others still name the old primary, and that may
    come back. So all are asked, and who knows of the latest failover is believed.
    """

    must_be_primary = True  # a primary that was deposed while it was frozen comes back as one for a moment
    migrates = False

    def __init__(self, sentinels: Sequence[Address], service: str) -> None:
        self._sentinels = tuple(sentinels)
        self._service = service
        self._primary: Address | None = None

    def locate(self, slot: int) -> Address | None:
        return self._primary

    def primaries(self) -> tuple[Address, ...]:
        return (self._primary,) if self._primary else ()

    def shards(self) -> Shards:
        return Shards(("0",))

    def moved(self, slot: int, address: Address) -> None:
        raise _no_cluster_expected("redis+sentinel")

    def discover(self) -> Discovery:
        answers: Answers = ()
        views: list[SentinelView] = []
        for timeout in (SENTINEL_TIMEOUT, math.inf):
            answers = yield Questions(
                self._sentinels, sentinel_queries(self._service), commands=3, of_sentinels=True, timeout=timeout
            )
            if views := [sentinel_view(*three) for three in answers if names_primary(three[0])]:
                break
        if not views:
            self._nobody_told([first for first, *_ in answers])
        latest = max(views, key=lambda one: (one.epoch, one.promoted is not None))
        if latest.promoted is not None and latest.promoted != latest.primary:
            ((answer,),) = yield Questions((latest.promoted,), pack(("PING",)), timeout=SENTINEL_TIMEOUT)
            if not isinstance(answer, (Unsent, Unanswered, RedisError)):  # it says itself that it is a primary by now
                self._primary = latest.promoted
                return
        self._primary = latest.primary

    def _nobody_told(self, answers: Sequence[Reply | Failure]) -> NoReturn:
        causes: list[Exception] = []
        for sentinel, answer in zip(self._sentinels, answers, strict=True):
            if answer is None:
                causes.append(InvalidSettings(f"the Sentinel at {sentinel} does not know {self._service!r}"))
            elif isinstance(answer, (int, str, list)):
                causes.append(InvalidSettings(f"the Sentinel at {sentinel} answered {answer!r}"))
            elif "unknown command" in str(answer):
                causes.append(InvalidSettings(f"the server at {sentinel} is not a Sentinel"))
            else:
                _failed(sentinel, answer, causes)
        if all(isinstance(cause, InvalidSettings) for cause in causes):
            raise InvalidSettings(
                _summary("no primary found", causes) + "; check the URL's hosts, ports and service name"
            )
        raise DiscoveryError(causes, _summary("no Sentinel could tell the primary", causes))


class ClusterLayout:
    """The slot table of a Redis Cluster, as its nodes tell it (CLUSTER SLOTS) and correct it (MOVED)."""

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
        return self._table[slot]

    def primaries(self) -> tuple[Address, ...]:
        return self._primaries

    def shards(self) -> Shards:
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
        if self._table[slot] != address:
            self._table[slot] = address
            self._edition, self._shards = self._edition + 1, None

    def discover(self) -> Discovery:
        causes: list[Exception] = []
        # Any node's view will do, and asking them in a new order each time keeps one with an old view from misleading
        # us for long; the seeds are the fallback for a cluster that moved house.
        known = random.sample(self._nodes, len(self._nodes))
        question = pack(("CLUSTER", "SLOTS"))
        for node in dict.fromkeys((*known, *self._seeds)):
            ((answer,),) = yield Questions((node,), question)
            if isinstance(answer, list):
                if self._adopt(answer, node):
                    return
                causes.append(InvalidSettings(f"the cluster node at {node} serves no slots yet"))
            elif isinstance(answer, (int, str)) or answer is None:
                causes.append(InvalidSettings(f"the server at {node} answered {answer!r}"))
            elif "cluster support disabled" in str(answer):
                raise InvalidSettings(f"the server at {node} is not part of a cluster: use redis:// in the URL")
            else:
                _failed(node, answer, causes)
        raise DiscoveryError(causes, _summary("no cluster node could tell its slots", causes))

    def _adopt(self, answer: list[Reply], asked: Address) -> bool:
        table: list[Address | None] = [None] * SLOTS
        nodes: dict[Address, None] = {}
        primaries: dict[Address, None] = {}
        for row in answer:
            if not isinstance(row, list) or len(row) < 3:
                raise InvalidSettings(f"the server at {asked} answered CLUSTER SLOTS with {row!r}")
            first, last, *servers = row
            addresses = [_address_of(server, asked) for server in servers]
            nodes.update((found, None) for found in addresses if found is not None)
            primary = addresses[0]
            if primary is None:
                continue
            primaries[primary] = None
            start, end = int(str(first)), int(str(last))
            table[start : end + 1] = [primary] * (end + 1 - start)
        if primaries:
            if table != self._table:
                self._edition, self._shards = self._edition + 1, None
            self._table, self._nodes, self._primaries = table, tuple(nodes), tuple(primaries)
        return bool(primaries)


def _address_of(server: Reply, asked: Address) -> Address | None:
    if not isinstance(server, list) or len(server) < 2:
        return None
    host, port = str(server[0] or ""), int(str(server[1]))
    if port == 0:  # someone else answers at the address that this node was known by, and it has views no other yet
        return None
    # A node that does not know its own address names none: it is the one that was asked.
    return Address(host if host and host != "?" else asked.host, port)


def moved_to(error: Exception, asked: Address) -> tuple[int, Address]:
    """The slot and address of a MOVED or ASK reply; an empty host means the one that was asked."""
    slot, _, place = str(error).rpartition(" ")
    host, _, port = place.rpartition(":")
    return int(slot.split()[-1]), Address(host.strip("[]") or asked.host, int(port))


def layout_for(target: Target) -> Layout:
    """The empty map of a target."""
    match target.kind:
        case TopologyKind.STANDALONE:
            return StandaloneLayout(target.addresses[0])
        case TopologyKind.SENTINEL:
            return SentinelLayout(target.addresses, target.service)
        case TopologyKind.CLUSTER:
            return ClusterLayout(target.addresses)
