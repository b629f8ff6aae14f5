# Generated from repositories/coordination/_async/locks.py by scripts/generate_sync.py: edit that one.
"""Locks with fencing tokens, for threads."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterable
from types import TracebackType
from typing import TypeVar

from tenacity import Retrying

from ....models.arguments import several
from ....models.entity import Entity
from ....models.errors import BookClosed, InvalidArgument, LockLost, SlotbookError
from ....models.names import check_name
from ....models.table import table_model
from ....topology._sync.backend import Backend
from ....topology.durability import Durability
from ..._concurrency.periodic_task import PeriodicTask
from ...changes._sync import Changes
from ...changes.fence import Fence
from ...changes.loss_detector import LossDetector
from ...durations import duration, zero_or_more
from ...orders._sync import OrderRepository
from ...positions._sync import PositionRepository
from ...records._sync import Table
from ...units.calls import UnitResult, UnitStep, unit_calls
from ..lock_calls import LockCalls, retry_while_held

E = TypeVar("E", bound=Entity)

RENEWALS_PER_LEASE = 3
"""Renewals during one lease, so that after one that failed there is time for another."""


class AcquiredLock:
    """A lock that was granted to this process, until it is released or its lease ends.

    For example::

        with book.lock("rebalance", trader="T001") as held:
            held.positions.adjust("T001", "AAPL", 100)  # refused if the lock is lost by then
    """

    token: str
    """The identity of the holder, unique for each grant."""
    fence: int
    """The number of the grant, greater than that of every earlier one. Pass it to whatever the lock protects, to refuse
    a smaller one."""
    orders: OrderRepository
    """The orders of the lock's trader; changes raise FenceRefused once the lock is not held any more."""
    positions: PositionRepository
    """The positions of the lock's trader; changes raise FenceRefused once the lock is not held any more."""

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
        self.fence = fence
        self._loss_detector = loss_detector
        fenced = self._fenced = Fence(calls.key, trader, fence)
        self.orders = OrderRepository(backend, loss_detector, fenced)
        self.positions = PositionRepository(backend, loss_detector, fenced)
        self._units = Changes(backend, unit_calls(backend.settings, loss_detector, fenced))

    def table(self, model: type[E]) -> Table[E]:
        """Return the table of a model of your own; changes raise FenceRefused once the lock is not held any more.

        ::

            with book.lock("allocate", trader="T001") as held:
                held.table(Allocation).update("T001", "L1", {"quantity": 40})

        Raises InvalidArgument for a model that has no table, see :meth:`Book.table`.
        """
        return Table(self._backend, table_model(model), self._loss_detector, self._fenced)

    def commit(
        self,
        steps: Iterable[UnitStep],
        *,
        expected_sequence: int | None = None,
        durability: Durability | str | None = None,
    ) -> list[UnitResult]:
        """Make changes of the lock's trader all or nothing, like :meth:`Book.commit`, while the lock is held.

        Raises FenceRefused once the lock is not held any more, and what ``Book.commit`` raises.
        """
        return self._units.commit(several("steps", steps), expected_sequence, durability)

    @property
    def remaining(self) -> float:
        """Seconds left of the lease by this process's clock, 0 when it is over; the server ends it no sooner."""
        return max(0.0, self._ends_at - time.monotonic())

    def renew(self) -> None:
        """Let the lease begin again now, in one round trip. Raises LockLost when it had run out."""
        asked_at = time.monotonic()
        try:
            self._backend.run(self._calls.renew(self.token, self.fence))
        except LockLost:
            self._ends_at = asked_at
            raise
        self._ends_at = asked_at + self._lease

    def release(self) -> None:
        """Release the lock, in one round trip; a second release changes nothing.

        Raises LockLost when the lease had run out, because another caller may have held the lock since.
        """
        self._ends_at = time.monotonic()
        self._backend.run(self._calls.release(self.token, self.fence))


class Lock:
    """A lock across processes, held for a lease, with a fence: a number that grows with every grant.

    For example::

        with book.lock("rebalance", trader="T001", lease=10, wait=5) as held:
            held.orders.cancel("T001", "A1")

    The block waits for the lock and releases it at its end. A holder that is stopped for longer than the lease, by the
    server's clock, loses the lock.

    No lock can keep such a holder from running on afterwards. Its changes through ``held.orders``, ``held.positions``,
    ``held.table(Model)`` and ``held.commit`` are refused then (FenceRefused), in the same atomic step that would have
    made them: a fence is valid while its lease runs and no other caller was granted the lock. This needs a lock with a
    ``trader``, which is stored in that trader's hash slot and fences changes of that trader.

    A grant, its renewal and its release do not wait for replicas, whatever the book's ``durability``: waiting would use
    up the lease, and a grant that a failover loses is refused by its fence. Changes under the lock wait as all do.

    Each name takes one small hash, which never expires: take names from a fixed set. A primary that fails may lose a
    grant with it. A fence that the new primary does not know is refused, and fences grow all the same, unless the
    clock of the new primary is further behind than the failover took.

    Make a lock object for each ``with`` block; one object can be entered once at a time.

    Args:
        backend: The connection to the servers; :meth:`Book.lock` passes the book's.
        name: The name of the lock; with a trader, that trader's lock of this name.
        trader: The trader whose changes the lock fences; by default a lock of the whole desk, which fences nothing.
        lease: Seconds, above 0, for which a holder has the lock without renewing it; default 10.
        wait: Seconds to wait for the lock, 0 for a single attempt; default 10.
        renew: Renew the lease in the background, three times per lease, while the block runs; default False.
        loss_detector: The record of acknowledged changes that the holder's repositories share with the book.

    Raises:
        InvalidArgument: The name, the lease or the wait cannot be used.
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
        self._trader = None if trader is None else check_name("trader", trader)
        self._lease = duration("lease", lease)
        self._wait = zero_or_more("wait", wait)
        self._renew = renew
        self._loss_detector = loss_detector or LossDetector(backend.notices)
        self._entered = False
        self._acquired: AcquiredLock | None = None
        self._renewal: PeriodicTask | None = None

    def acquire(self, *, token: str | None = None) -> AcquiredLock:
        """Take the lock without a ``with`` block; the caller renews and releases it.

        One round trip when it is free. While another caller holds it, this tries again some 20 to 40 times a second,
        each time in one round trip.

        Args:
            token: The identity of the holder, by default a random name. The token of an earlier call returns the grant
                of that call.

        Raises:
            InvalidArgument: The token is no name.
            LockTimeout: Another caller held the lock for ``wait`` seconds.
            LockLost: The grant of this token is over.
            OutcomeUnknown: No reply came in time. The lock may be held, at most until its lease has run out.
        """
        chosen = uuid.uuid4().hex if token is None else check_name("token", token)  # a number becomes its text
        return Retrying(**retry_while_held(time.monotonic() + self._wait))(self._try_acquire, chosen)

    def __enter__(self) -> AcquiredLock:
        """Wait for the lock. Raises LockTimeout, and InvalidArgument when this object is entered already."""
        if self._entered:
            raise InvalidArgument(f"{self._calls.key}: this object is entered already; make a lock for each with")
        self._entered = True
        try:
            acquired = self._acquired = self.acquire()
        except BaseException:
            self._entered = False
            raise
        if self._renew:
            self._renewal = PeriodicTask(self._renew_once, self._lease / RENEWALS_PER_LEASE)
        return acquired

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock. Raises LockLost when it was lost meanwhile, unless the block has raised an error."""
        renewal, self._renewal = self._renewal, None
        acquired, self._acquired = self._acquired, None
        self._entered = False
        try:
            if renewal is not None:
                renewal.stop()
        finally:
            if acquired is not None:
                with contextlib.suppress(*() if error is None else (SlotbookError,)):
                    acquired.release()

    def _try_acquire(self, token: str) -> AcquiredLock:
        asked_at = time.monotonic()
        fence = self._backend.run(self._calls.acquire(token))
        return AcquiredLock(
            self._backend, self._calls, self._trader, token, fence, self._lease, asked_at, self._loss_detector
        )

    def _renew_once(self) -> bool:
        """Renew the lease, and return False when there is none left to renew."""
        if self._acquired is None:
            return False
        try:
            self._acquired.renew()
        except (LockLost, BookClosed):
            return False
        except SlotbookError:  # try again in a third of the lease: until it ends, a later renewal may succeed
            return True
        return True
