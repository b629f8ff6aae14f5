"""A place in a pool is never lost and never doubled, also when it comes just as the wait for it ends."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from slotbook.models.errors import PoolExhausted
from slotbook.topology.call import pack
from slotbook.topology.connections.async_places import AsyncPlace, AsyncPlaces
from slotbook.topology.connections.async_pool import CALLS_PER_CONNECTION, AsyncConnectionPool
from slotbook.topology.connections.places import Place, Places
from slotbook.topology.connections.pool import ConnectionPool
from slotbook.topology.error_mapping import Unsent
from slotbook.topology.settings import Target, read

from ...support.interrupts import alarm_handler

PING = pack(("PING",))


class Interrupt(Exception):
    """Raised by a signal handler."""


@pytest.fixture
def interrupt_soon() -> Iterator[Callable[[float], object]]:
    """Return a function that has an exception raised in this thread after some seconds."""

    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupt

    gc.disable()  # what is raised while it calls back is lost
    try:
        with alarm_handler(interrupt):
            yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    finally:
        gc.enable()


def wait_for(places: Places[Place], timeout: float) -> bool:
    """Take a place and leave again; return whether there was one."""
    mine = Place()
    try:
        return places.take(mine, timeout)
    finally:
        places.pop(mine, None)
        places.wake()


def wait_and_sleep(places: Places[Place]) -> None:
    """Wait for a place, and longer, to be interrupted in either."""
    wait_for(places, 30)
    time.sleep(30)


def free(places: Places[Place]) -> int:
    """Return how many places can be taken at once."""
    taken = [Place() for _ in range(10)]
    found = sum(places.take(one, 0) for one in taken)
    for one in taken:
        places.pop(one, None)
    return found


@pytest.fixture
def full() -> tuple[Places[Place], Place]:
    """Return places of which the only one is taken, and its holder."""
    places, holder = Places[Place](1), Place()
    assert places.take(holder, 0)
    return places, holder


def test_who_waits_too_long_leaves_the_queue(full: tuple[Places[Place], Place]) -> None:
    places, holder = full
    assert not wait_for(places, 0.001)
    del places[holder]
    places.wake()
    assert free(places) == 1


def test_who_is_interrupted_leaves_the_queue(
    full: tuple[Places[Place], Place], interrupt_soon: Callable[[float], object]
) -> None:
    places, holder = full
    interrupt_soon(0.02)
    with pytest.raises(Interrupt):
        wait_for(places, 30)
    assert free(places) == 0
    del places[holder]
    places.wake()
    assert free(places) == 1


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_place_that_comes_at_the_last_moment_is_not_lost(
    full: tuple[Places[Place], Place], interrupt_soon: Callable[[float], object], is_interrupted: bool
) -> None:
    """Its holder leaves about when the wait for it ends, again and again."""
    places, holder = full

    def leave() -> None:
        places.pop(holder, None)
        places.wake()

    for number in range(20):
        leaving = threading.Timer(0.002, leave)
        leaving.start()
        if is_interrupted:
            interrupt_soon(0.001 + number / 10_000)
            with pytest.raises(Interrupt):
                wait_and_sleep(places)
        else:
            wait_for(places, 0.001 + number / 10_000)
        leaving.join()
        assert free(places) == 1
        assert places.take(holder, 0)


def test_places_go_to_those_who_have_waited_longest(
    full: tuple[Places[Place], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is woken up: nobody looks for himself meanwhile."""
    monkeypatch.setattr("slotbook.topology.connections.places.LONGEST_SLEEP", 60)
    places, holder = full
    order: list[int] = []

    def wait(number: int) -> None:
        mine = Place()
        assert places.take(mine, 60)
        order.append(number)
        places.pop(mine, None)
        places.wake()

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(4)]
    for number, thread in enumerate(threads, 2):
        thread.start()
        while len(places) < number:
            time.sleep(0.001)
    del places[holder]
    places.wake()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3]
    assert free(places) == 1


def test_all_who_wait_and_come_go_on_when_there_is_nothing_to_share(full: tuple[Places[Place], Place]) -> None:
    places, _ = full
    threads = [threading.Thread(target=wait_for, args=(places, 30)) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(places) < 3:
        time.sleep(0.001)
    places.open_for_all()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert free(places) == 10


async def async_wait_for(places: AsyncPlaces[AsyncPlace], timeout: float) -> bool:
    """Take a place and leave again; return whether there was one."""
    mine = AsyncPlace()
    try:
        return await places.take(mine, timeout)
    finally:
        places.pop(mine, None)
        places.wake()


async def async_free(places: AsyncPlaces[AsyncPlace]) -> int:
    """Return how many places can be taken at once."""
    taken = [AsyncPlace() for _ in range(10)]
    found = sum([await places.take(one, 0) for one in taken])
    for one in taken:
        places.pop(one, None)
    return found


@pytest.mark.parametrize("ending", ["timeout", "cancel first", "leave first"])
def test_a_place_that_comes_in_the_turn_in_which_the_wait_ends_is_not_lost(ending: str) -> None:
    async def run() -> None:
        places, holder = AsyncPlaces[AsyncPlace](1), AsyncPlace()
        assert await places.take(holder, 0)
        waiting = asyncio.create_task(async_wait_for(places, 0.01 if ending == "timeout" else 30))

        def leave() -> None:
            places.pop(holder, None)
            places.wake()

        await asyncio.sleep(0)
        if ending == "timeout":
            asyncio.get_running_loop().call_later(0.005, leave)
            time.sleep(0.02)  # noqa: ASYNC251 (so that both timers are due in one turn of the loop)
        else:
            for act in (waiting.cancel, leave) if ending == "cancel first" else (leave, waiting.cancel):
                act()
        await asyncio.wait([waiting], timeout=10)
        assert waiting.done()
        assert waiting.cancelled() or waiting.result()
        assert await async_free(places) == 1

    asyncio.run(run())


def test_a_place_passes_over_those_who_have_gone() -> None:
    async def run() -> None:
        places, holder = AsyncPlaces[AsyncPlace](1), AsyncPlace()
        assert await places.take(holder, 0)
        gone = [asyncio.create_task(async_wait_for(places, 30)) for _ in range(2)]
        stays = asyncio.create_task(async_wait_for(places, 30))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert not await async_wait_for(places, 0.001)
        del places[holder]
        places.wake()
        assert await asyncio.wait_for(stays, 10)
        assert await async_free(places) == 1

    asyncio.run(run())


def test_the_place_of_a_task_that_never_goes_on_is_taken_from_it() -> None:
    async def run() -> None:
        places = AsyncPlaces[AsyncPlace](1)
        place = AsyncPlace(time.monotonic() + 60)
        assert await places.take(place, 0)
        assert not await async_wait_for(places, 0.002)
        place.ends_at = time.monotonic() + 0.01
        assert await async_wait_for(places, 30)

    asyncio.run(run())


# ------------------------------------------------------------------ pools whose server cannot be reached


@pytest.fixture(params=["silent", "closed"])
def nobody(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Yield the target of a port where connections are made and nothing is answered, or where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        if request.param == "closed":
            listener.close()
        yield read(f"redis://:p@{host}:{port}?pool_size=1&pool_wait=0.01")


def is_unsent(answers: list[object]) -> bool:
    """Return whether a call was not sent, but for want of a place."""
    return all(isinstance(one, Unsent) and not isinstance(one.cause, PoolExhausted) for one in answers)


def test_a_thread_that_gets_no_connection_gives_its_place_back(nobody: Target) -> None:
    pool = ConnectionPool(nobody, nobody.addresses[0])
    for _ in range(3):
        assert is_unsent([*pool.exchange(PING, 1, 0.01)])


@pytest.mark.parametrize("ending", ["timeout", "cancel"])
def test_a_task_that_gets_no_connection_gives_its_place_back(nobody: Target, ending: str) -> None:
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
