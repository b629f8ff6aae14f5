"""Test the bounded queues between connections and one reader, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from operator import methodcaller
from typing import TypeAlias

import pytest
from slotbook.repositories._concurrency.inbox import AsyncInbox, Inbox

from ...support.interrupts import Interrupted, interrupted_at, raising_handler

TIMEOUT = 30.0
AnyInbox: TypeAlias = Inbox[int] | AsyncInbox[int]

both = pytest.mark.parametrize("make", [Inbox[int], AsyncInbox[int]], ids=["sync", "asyncio"])
WAYS = {"take": methodcaller("take"), "close": methodcaller("close")}
every_way_out = pytest.mark.parametrize("make_way", WAYS.values(), ids=WAYS.keys())


@both
def test_it_takes_no_more_than_its_size(make: Callable[[int], AnyInbox]) -> None:
    inbox = make(2)
    assert [inbox.put(number) for number in range(3)] == [True, True, False]
    assert [inbox.take() for _ in range(3)] == [0, 1, None]


@both
def test_once_closed_it_is_empty_and_stays_so(make: Callable[[int], AnyInbox]) -> None:
    inbox = make(2)
    inbox.put(1)
    inbox.close()
    assert (len(inbox), inbox.put(2), inbox.take()) == (0, False, None)


@every_way_out
def test_a_thread_that_waits_for_a_full_one_goes_on(make_way: Callable[[Inbox[int]], object]) -> None:
    waited = [False]
    until = time.monotonic() + TIMEOUT
    while not waited[-1]:  # a thread that comes late finds it not full any more
        assert time.monotonic() < until, "it never said that it was full"
        inbox = Inbox[int](1)
        inbox.put(0)
        thread = threading.Thread(target=_wait, args=(inbox, waited), daemon=True)
        thread.start()
        time.sleep(0.05)
        make_way(inbox)
        thread.join(TIMEOUT)
        assert not thread.is_alive()


def _wait(inbox: Inbox[int], waited: list[bool]) -> None:
    waited.append(inbox.wait_until_not_full())


@every_way_out
def test_a_task_that_waits_for_a_full_one_goes_on(make_way: Callable[[AsyncInbox[int]], object]) -> None:
    async def run() -> None:
        inbox = AsyncInbox[int](1)
        assert not await inbox.wait_until_not_full()
        inbox.put(0)
        waiting = asyncio.create_task(inbox.wait_until_not_full())
        await asyncio.sleep(0)
        assert not waiting.done()
        make_way(inbox)
        assert await asyncio.wait_for(waiting, TIMEOUT)

    asyncio.run(run())


def test_a_reader_who_is_interrupted_at_any_point_holds_up_nobody_who_puts() -> None:
    inbox, passed, more = Inbox[int](5), 0, True
    with raising_handler():
        while more:
            passed += 1
            inbox.put(passed)
            try:
                more = interrupted_at([passed], lambda: (inbox.wait(0.001), inbox.take(), inbox.wait(0.001)))
            except Interrupted:
                more = True
            putting = threading.Thread(target=inbox.put, args=(0,), daemon=True)
            putting.start()
            putting.join(5)
            assert not putting.is_alive(), passed
            while inbox.take() is not None:
                pass
    assert passed > 5
