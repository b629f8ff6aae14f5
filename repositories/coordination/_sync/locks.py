# Generated from repositories/coordination/_async/locks.py by scripts/generate_sync.py: edit that one.
"""Locks with fencing tokens, for threads."""

from __future__ import annotations

import contextlib
import time
import uuid
from types import TracebackType

from tenacity import Retrying

from ....models.errors import InvalidArgument, LockLost, SlotbookError
from ....topology._sync.backend import Backend
from ..._concurrency.periodic_task import PeriodicTask
from ...changes.fence import Fence
from ...changes.loss_detector import LossDetector
from ...durations import number
from ...orders._sync import OrderRepository
from ...positions._sync import PositionRepository
from ..lock_calls import LockCalls, patience

RENEWALS_PER_LEASE = 3


class AcquiredLock:
    """A lock that was granted: what its holder may do with it."""

    def __init__(
        self,
        backend: Backend,
        calls: LockCalls,
        trader: str | None,
        token: str,
        fence: int,
        lease: float,
        asked_at: float,
        loss_detector: LossDetector,
    ) -> None:
        self._backend = backend
        self._calls = calls
        self._lease = lease
        self._ends_at = asked_at + lease
        self.token = token
        """By which the lock knows its holder."""
        self.fence = fence
        """Greater than that of every grant before. Hand it to whatever the lock protects, to refuse a smaller one."""
        fenced = Fence(calls.key, trader, fence)
        self.orders = OrderRepository(backend, loss_detector, fenced)
        """The book's orders, for changes of this trader only: FenceRefused once the lock is not held any more."""
        self.positions = PositionRepository(backend, loss_detector, fenced)
        """The book's positions, likewise."""

    @property
    def remaining(self) -> float:
        """Seconds left of the lease, as far as this process can tell; the server may end it no sooner. 0 when over."""
        return max(0.0, self._ends_at - time.monotonic())

    def renew(self) -> None:
        """Let the lease begin again now. One round trip. Raises LockLost when it had run out."""
        asked_at = time.monotonic()
        try:
            self._backend.run(self._calls.renew(self.token, self.fence))
        except LockLost:
            self._ends_at = asked_at
            raise
        self._ends_at = asked_at + self._lease

    def release(self) -> None:
        """Give the lock back; to do so again changes nothing. One round trip. Raises LockLost when it had run out."""
        self._ends_at = time.monotonic()
        self._backend.run(self._calls.release(self.token, self.fence))


class Lock:
    """A lock across processes, held for a lease, with a fence that grows with every grant.

    ``with book.lock("rebalance", trader="T001") as held`` waits for it, at most ``wait`` seconds, and releases it
    at the end. ``lease`` is how many seconds a holder has it without a sign of life, by the server's clock: a holder
    that is stopped for longer loses it. ``renew`` gives such signs by itself while the block runs.

    No lock can keep a stopped holder from going on afterwards. What it changes through ``held.orders`` and
    ``held.positions`` is refused then (FenceRefused), in the same atomic step that would have changed it: a fence is
    good as long as its lease runs and nobody else was granted the lock. This needs a lock with a ``trader``, which
    lives in that trader's slot and fences that trader's book.

    What is stored is one small hash per name, for ever: give locks names of a fixed set. A primary that is lost may
    lose a grant with it; a fence that the new primary does not know is refused, and fences grow all the same, unless
    its clock is further behind than the failover took.

    Make one for each ``with``; it can be entered once at a time.
    """

    def __init__(
        self,
        backend: Backend,
        name: str,
        *,
        trader: str | None = None,
        lease: float = 10.0,
        wait: float = 10.0,
        renew: bool = False,
        loss_detector: LossDetector | None = None,
    ) -> None:
        self._backend = backend
        self._calls = LockCalls(backend.settings, name, trader, lease)
        self._trader = trader
        self._lease = lease
        self._wait = number("wait", wait)
        self._renew = renew
        self._loss_detector = loss_detector or LossDetector()
        self._entered = False
        self._held: AcquiredLock | None = None
        self._keeper: PeriodicTask | None = None

    def acquire(self, *, token: str | None = None) -> AcquiredLock:
        """Take the lock; renewing and releasing it is up to you.

        One round trip when it is free, then one each time it is asked for again, some 20 to 40 a second. With the
        ``token`` of an earlier call it returns that call's grant; without one it is made up. Raises LockTimeout after
        ``wait`` seconds, LockLost for a token whose grant is over. After OutcomeUnknown the lock may be held, at most
        until its lease has run out.
        """
        chosen = uuid.uuid4().hex if token is None else token
        return Retrying(**patience(time.monotonic() + self._wait))(self._ask, chosen)

    def __enter__(self) -> AcquiredLock:
        if self._entered:
            raise InvalidArgument(f"{self._calls.key}: this object is entered already; make a lock for each with")
        self._entered = True
        try:
            held = self._held = self.acquire()
        except BaseException:
            self._entered = False
            raise
        if self._renew:
            self._keeper = PeriodicTask(self._keep, self._lease / RENEWALS_PER_LEASE)
        return held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock; raises LockLost when it was lost meanwhile, unless there is an error already."""
        keeper, self._keeper = self._keeper, None
        held, self._held = self._held, None
        self._entered = False
        try:
            if keeper is not None:
                keeper.stop()
        finally:
            if held is not None:
                with contextlib.suppress(*() if error is None else (SlotbookError,)):
                    held.release()

    def _ask(self, token: str) -> AcquiredLock:
        asked_at = time.monotonic()
        fence = self._backend.run(self._calls.acquire(token))
        return AcquiredLock(
            self._backend, self._calls, self._trader, token, fence, self._lease, asked_at, self._loss_detector
        )

    def _keep(self) -> bool:
        """Renew; False when there is nothing left to renew."""
        if self._held is None:
            return False
        try:
            self._held.renew()
        except LockLost:
            return False
        except SlotbookError:  # the next one may get through: the lease is longer than the time between two
            return True
        return True
