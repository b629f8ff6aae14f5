"""Keep the servers of one target, for asyncio: the layout of their slots, and a connection pool to each."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...models.errors import BookClosed, Unavailable
from ...models.health import PoolStats
from ..address import Address
from ..call import Piece
from ..concurrency import AsyncTurns
from ..connections.async_places import AsyncPlace
from ..connections.async_pool import CLOSED, Answer, AsyncConnectionPool
from ..connections.async_transfer import AsyncJob, exchange_all
from ..connections.role import Doubt
from ..home import AsyncHome
from ..layouts import DiscoveryError, Layout, Questions, layout_for
from ..observing import NoticeKind, Notices
from ..settings import Target
from ..shards import Shards


class AsyncNodes:
    """The layout of a deployment as it is known now, and the connection pools to its servers."""

    def __init__(self, target: Target, notices: Notices | None = None) -> None:
        self.target = target
        self._notices = notices or Notices()
        self.layout: Layout = layout_for(target)
        self.pools: dict[Address, AsyncConnectionPool] = {}
        self._waiting_pools: dict[Address, AsyncConnectionPool] = {}
        """The pools for calls that wait for replicas: on a shared connection all other calls would wait with them."""
        self._sentinel_pools: dict[Address, AsyncConnectionPool] = {}
        self._doubt = Doubt() if self.layout.must_be_primary else None
        self.home = AsyncHome()
        self.closed = False
        self._discovering = AsyncTurns()
        self._discoveries = 0

    def pool(self, address: Address, *, waits: bool = False) -> AsyncConnectionPool:
        """Return the pool of one server; with ``waits`` the one for calls that wait for replicas."""
        pools = self._waiting_pools if waits else self.pools
        pool = pools.get(address)
        if pool is None:
            pool = pools.setdefault(
                address,
                AsyncConnectionPool(
                    self.target,
                    address,
                    doubt=self._doubt,
                    waits_for_replicas=waits,
                    home=self.home,
                    notices=self._notices,
                ),
            )
            pool.closed = pool.closed or self.closed
        return pool

    def require_here(self) -> None:
        """Raise BookClosed after ``close``, and BelongsElsewhere in another event loop than the connections'."""
        if self.closed:
            raise BookClosed(CLOSED)
        self.home.enter()

    async def discover(self, ends_at: float) -> None:
        """Bring the layout up to date by the monotonic time ``ends_at``; of several callers, one does it for all.

        Raises DiscoveryError, AccessDenied or InvalidSettings.
        """
        seen, turn, turns = self._discoveries, AsyncPlace(ends_at), self._discovering.here()
        try:
            if not await turns.take(turn, max(0.001, ends_at - time.monotonic())) or seen != self._discoveries:
                return
            discovery, before = self.layout.discover(), self.layout.primaries()
            questions = next(discovery, None)
            while questions is not None:
                answers = await self._answers(questions, ends_at)
                try:
                    questions = discovery.send(answers)
                except StopIteration:
                    questions = None
            self._discoveries += 1
            self._note_primaries(before)
        finally:
            turns.pop(turn, None)  # first, see Places
            turns.wake()
        await self._retire_replaced()

    async def survey(self) -> tuple[Address, ...]:
        """Return every primary, asked anew within the socket timeout. Raises a SlotbookError."""
        try:
            await self.discover(time.monotonic() + self.target.settings.socket_timeout)
        except DiscoveryError as error:
            raise Unavailable(str(error)) from error
        return self.layout.primaries()

    async def shards(self, *, fresh: bool = False) -> Shards:
        """Return a hash tag for every primary; with ``fresh`` ask anew where slots can move. Raises Unavailable."""
        if fresh and self.layout.migrates:
            await self.survey()
        return self.layout.shards()

    def pool_stats(self) -> tuple[PoolStats, ...]:
        """Return the state of each pool, but for those of Sentinels."""
        pools = [*self.pools.values(), *self._waiting_pools.values()]
        return tuple(sorted((pool.stats() for pool in pools), key=lambda one: (one.node, one.for_replicas)))

    async def close(self) -> None:
        """Close every connection for good."""
        self.closed = True
        for pool in (*self.pools.values(), *self._waiting_pools.values(), *self._sentinel_pools.values()):
            await pool.close()

    def _note_primaries(self, before: Sequence[Address]) -> None:
        """Tell that other servers are primaries than before."""
        after = self.layout.primaries()
        if before and (gone := set(before).symmetric_difference(after)):
            left, came = [", ".join(str(one) for one in some if one in gone) for some in (before, after)]
            self._notices.tell(NoticeKind.PRIMARY_CHANGED, before=left or "none", after=came or "none")

    async def _answers(self, questions: Questions, ends_at: float) -> list[list[Answer]]:
        """Return the answers of each server that is asked."""
        timeout = min(questions.timeout, self.target.settings.socket_timeout)
        answers: list[list[Answer]] = [[] for _ in questions.addresses]
        jobs = [
            AsyncJob(pool, (Piece(questions.packed, questions.commands),), questions.commands, answer.append)
            for pool, answer in zip(self._pools_for(questions), answers, strict=True)
        ]
        await exchange_all(jobs, timeout, ends_at)
        return answers

    def _pools_for(self, questions: Questions) -> list[AsyncConnectionPool]:
        if not questions.of_sentinels:
            return [self.pool(address) for address in questions.addresses]
        for address in questions.addresses:
            if address not in self._sentinel_pools:
                pool = AsyncConnectionPool(
                    self.target, address, for_sentinel=True, home=self.home, notices=self._notices
                )
                self._sentinel_pools[address] = pool
                pool.closed = pool.closed or self.closed
        return [self._sentinel_pools[address] for address in questions.addresses]

    async def _retire_replaced(self) -> None:
        """Retire the pools of servers that are no longer primaries."""
        primaries = self.layout.primaries()
        for pools in (self.pools, self._waiting_pools):
            for address in set(pools).difference(primaries):
                if (pool := pools.pop(address, None)) is not None:  # unless another thread has done it
                    await pool.retire()
