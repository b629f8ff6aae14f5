"""Test work that is repeated in the background, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import threading
import time

from slotbook.repositories._concurrency.periodic_task import AsyncPeriodicTask, PeriodicTask

TIMEOUT = 30.0


def test_stopping_waits_for_the_end_of_work_that_is_running() -> None:
    begun = threading.Event()
    ended: list[int] = []

    def work() -> bool:
        begun.set()
        time.sleep(0.2)
        ended.append(1)
        return True

    task = PeriodicTask(work, 0.001)
    assert begun.wait(TIMEOUT)
    task.stop()
    times = len(ended)
    assert times
    time.sleep(0.01)
    assert len(ended) == times


def test_stopping_cancels_work_that_is_running_and_waits_for_its_end() -> None:
    async def run() -> None:
        begun = asyncio.Event()
        ended: list[int] = []

        async def work() -> bool:
            begun.set()
            try:
                await asyncio.sleep(TIMEOUT)
            finally:
                await asyncio.sleep(0.05)
                ended.append(1)
            return True

        task = AsyncPeriodicTask(work, 0.001)
        await asyncio.wait_for(begun.wait(), TIMEOUT)
        await asyncio.wait_for(task.stop(), TIMEOUT / 2)
        assert ended == [1]

    asyncio.run(run())
