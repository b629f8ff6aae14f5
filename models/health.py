"""Describe how a book's connections and servers are: what ``book.ping()`` and ``book.stats()`` return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodePing:
    """The answer of one primary to a PING."""

    node: str
    """Its address, as ``host:port`` or the path of its socket."""
    seconds: float | None
    """The seconds from the question to the answer, and to open a connection if there was none; None without one."""
    error: str | None = None
    """The reason why there is no answer; None if there is one."""


@dataclass(frozen=True, slots=True)
class Ping:
    """The answers of all primaries of a book.

    ::

        ping = book.ping()
        return Response(status_code=200 if ping.ok else 503)
    """

    nodes: tuple[NodePing, ...]
    """One for each primary that is known, in the order of their addresses."""
    error: str | None = None
    """The reason why the primaries could not be found, or not be asked, such as that the book is closed; else None."""

    @property
    def ok(self) -> bool:
        """True when there are primaries, and each of them has answered."""
        return self.error is None and bool(self.nodes) and all(node.error is None for node in self.nodes)

    @property
    def seconds(self) -> float | None:
        """The seconds that the slowest answer took; None when there is none."""
        return max((node.seconds for node in self.nodes if node.seconds is not None), default=None)


@dataclass(frozen=True, slots=True)
class PoolStats:
    """The connections to one server."""

    node: str
    """Its address, as ``host:port`` or the path of its socket."""
    for_replicas: bool
    """True for the connections of changes that wait for replicas or the disk, which are kept apart."""
    size: int
    """The most connections that may be open: ``pool_size`` for threads, and one for asyncio."""
    in_use: int
    """Open connections that calls wait on."""
    idle: int
    """Open connections that no call waits on."""
    in_flight: int
    """Calls, or parts of batches, that have been sent or are being sent."""
    waiting: int
    """Calls that wait until another one has ended: all places are taken."""


@dataclass(frozen=True, slots=True)
class NearCacheStats:
    """The values of one cache that are kept in this process, counted since ``near`` was called."""

    name: str
    """The name of the cache."""
    size: int
    """The number of values that are kept."""
    maxsize: int
    """The number of values that may be kept."""
    hits: int
    """Reads that were answered without a server."""
    misses: int
    """Reads of one key for which a server was asked."""
    invalidations: int
    """Values that were dropped because they had changed, or because their changes could not be heard of any more."""


@dataclass(frozen=True, slots=True)
class BookStats:
    """The work of a book at this moment, in this process.

    ::

        print(sum(pool.waiting for pool in book.stats().pools))
    """

    pools: tuple[PoolStats, ...]
    """The connections to each server that was called."""
    near_caches: tuple[NearCacheStats, ...]
    """The caches that keep values in this process."""

    @property
    def in_flight(self) -> int:
        """The number of calls, or parts of batches, that are on their way to any server."""
        return sum(pool.in_flight for pool in self.pools)
