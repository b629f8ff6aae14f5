"""A permit is never lost and never doubled, also when it is handed over just as the wait for it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from slotbook.models.errors import PoolExhausted
from slotbook.topology.call import pack
from slotbook.topology.connections.async_pool import CALLS_PER_CONNECTION, AsyncConnectionPool
from slotbook.topology.connections.async_semaphore import AsyncSemaphore
from slotbook.topology.connections.pool import ConnectionPool
from slotbook.topology.connections.semaphore import Semaphore
from slotbook.topology.error_mapping import Unsent
from slotbook.topology.settings import Target, read


class LateSemaphore(Semaphore):
    """A semaphore whose holder returns the permit at the moment at which the wait for it has just ended."""

    __slots__ = ("came_late",)

    def __init__(self) -> None:
        super().__init__(1)
        self.came_late = False
        assert self.acquire(0)

    def _stop_waiting(self, gate: threading.Lock) -> bool:
        if not self.came_late:
            self.came_late = True
            self.release()
        return super()._stop_waiting(gate)


class Interrupt(Exception):
    """Raised by a signal handler."""


@pytest.fixture
def interrupt_soon() -> Iterator[Callable[[], object]]:
    """Return a function that has an exception raised in this thread, soon."""

    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.02)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def permits(semaphore: Semaphore) -> int:
    """Take all permits that are free, and return how many there were."""
    found = 0
    while found < 10 and semaphore.acquire(0):
        found += 1
    return found


def test_a_permit_that_comes_at_the_last_moment_is_taken() -> None:
    semaphore = LateSemaphore()
    assert semaphore.acquire(0.001)
    assert semaphore.came_late
    assert permits(semaphore) == 0


def test_who_waits_too_long_leaves_the_queue() -> None:
    semaphore = Semaphore(1)
    assert semaphore.acquire(0)
    assert not semaphore.acquire(0.001)
    semaphore.release()
    assert permits(semaphore) == 1


def test_who_is_interrupted_leaves_the_queue(interrupt_soon: Callable[[], object]) -> None:
    semaphore = Semaphore(1)
    assert semaphore.acquire(0)
    interrupt_soon()
    with pytest.raises(Interrupt):
        semaphore.acquire(30)
    semaphore.release()
    assert permits(semaphore) == 1


def test_a_permit_that_comes_as_its_taker_is_interrupted_goes_back(interrupt_soon: Callable[[], object]) -> None:
    semaphore = LateSemaphore()
    interrupt_soon()
    with pytest.raises(Interrupt):
        semaphore.acquire(30)
    assert semaphore.came_late
    assert permits(semaphore) == 1


def test_permits_go_to_those_who_have_waited_longest() -> None:
    semaphore, order = Semaphore(1), list[int]()
    assert semaphore.acquire(0)

    def wait(number: int) -> None:
        assert semaphore.acquire(30)
        order.append(number)
        semaphore.release()

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(4)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        while len(semaphore._waiting) < number:  # pyright: ignore[reportPrivateUsage]
            time.sleep(0.001)
    semaphore.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3]
    assert permits(semaphore) == 1


def free(semaphore: AsyncSemaphore) -> int:
    """Take all permits that are free, and return how many there were."""
    found = 0
    while found < 10 and semaphore.try_acquire():
        found += 1
    return found


def test_a_permit_that_comes_with_the_timeout_is_not_lost() -> None:
    async def run() -> None:
        semaphore = AsyncSemaphore(1)
        assert semaphore.try_acquire()
        waiting = asyncio.create_task(semaphore.acquire(0.01))
        asyncio.get_running_loop().call_later(0.005, semaphore.release)
        await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251 (so that both timers are due in one turn of the loop)
        assert await waiting
        assert free(semaphore) == 0

    asyncio.run(run())


@pytest.mark.parametrize("cancel_first", [True, False])
def test_a_permit_that_comes_with_a_cancellation_is_not_lost(*, cancel_first: bool) -> None:
    async def run() -> None:
        semaphore = AsyncSemaphore(1)
        assert semaphore.try_acquire()
        waiting = asyncio.create_task(semaphore.acquire(30))
        await asyncio.sleep(0)
        for act in (waiting.cancel, semaphore.release) if cancel_first else (semaphore.release, waiting.cancel):
            act()
        (outcome,) = await asyncio.gather(waiting, return_exceptions=True)
        assert outcome is True or isinstance(outcome, asyncio.CancelledError)
        assert free(semaphore) == (0 if outcome is True else 1)  # Python 3.11 may return a permit in spite of it

    asyncio.run(run())


def test_a_permit_passes_over_those_who_have_gone() -> None:
    async def run() -> None:
        semaphore = AsyncSemaphore(1)
        assert semaphore.try_acquire()
        gone = [asyncio.create_task(semaphore.acquire(30)) for _ in range(2)]
        stays = asyncio.create_task(semaphore.acquire(30))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert not await semaphore.acquire(0.001)
        semaphore.release()
        assert await stays
        semaphore.release()
        assert free(semaphore) == 1

    asyncio.run(run())


# ------------------------------------------------------------------ pools whose server cannot be reached

PING = pack(("PING",))


@pytest.fixture(params=["silent", "closed"])
def nobody(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Yield the target of a port where connections are made and nothing is answered, or where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        if request.param == "closed":
            listener.close()
        yield read(f"redis://:p@{host}:{port}?pool_size=1&pool_wait=0.01")


def is_unsent(answers: list[object]) -> bool:
    """Return whether a call was not sent, but for want of a permit."""
    return all(isinstance(one, Unsent) and not isinstance(one.cause, PoolExhausted) for one in answers)


def test_a_thread_that_gets_no_connection_gives_its_permit_back(nobody: Target) -> None:
    pool = ConnectionPool(nobody, nobody.addresses[0])
    for _ in range(3):
        assert is_unsent([*pool.exchange(PING, 1, 0.01)])


@pytest.mark.parametrize("ending", ["timeout", "cancel"])
def test_a_task_that_gets_no_connection_gives_its_permit_back(nobody: Target, ending: str) -> None:
    async def run() -> None:
        pool = AsyncConnectionPool(nobody, nobody.addresses[0])
        for _ in range(CALLS_PER_CONNECTION + 2):
            task = asyncio.create_task(pool.exchange(PING, 1, 0.005 if ending == "timeout" else 30))
            if ending == "cancel":
                for _ in range(3):
                    await asyncio.sleep(0)
                task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(outcome, asyncio.CancelledError) or (isinstance(outcome, list) and is_unsent([*outcome]))
        await pool.close()

    asyncio.run(run())
