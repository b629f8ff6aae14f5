"""Renewing the lease of a lock: by its holder, and in the background while a block runs."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from slotbook import AsyncBook, Book
from slotbook.models.errors import LockLost, LockTimeout

from ...support.desk import Desk

TIMEOUT = 30.0


def test_renewing_begins_the_lease_again(desk: Desk) -> None:
    held = desk.book.lock("L", trader=desk.trader, lease=60).acquire()
    for _ in range(3):
        ends, left = ends_of(desk), held.remaining
        time.sleep(0.02)
        assert left - held.remaining >= 0.02
        held.renew()
        assert ends_of(desk) - ends >= 20
        assert 30 < held.remaining <= 60
    short = desk.book.lock("M", trader=desk.trader, lease=0.01).acquire()
    time.sleep(0.02)
    with pytest.raises(LockLost):
        short.renew()
    assert short.remaining == 0


def test_a_lease_that_was_renewed_for_longer_is_not_taken_for_one_of_another_clock(lone_desk: Desk) -> None:
    """A contender shortens a lease of which more is left than it had from its beginning."""
    lone_desk.book.lock("L", trader=lone_desk.trader, lease=5).acquire(token="mine")  # noqa: S106
    lone_desk.book.lock("L", trader=lone_desk.trader, lease=60).acquire(token="mine").renew()  # noqa: S106
    ends = ends_of(lone_desk)
    with pytest.raises(LockTimeout):
        lone_desk.book.lock("L", trader=lone_desk.trader, wait=0).acquire()
    assert ends_of(lone_desk) == ends


def ends_of(desk: Desk) -> int:
    """Return when the lease of L ends, in milliseconds since the epoch by the server's clock."""
    return int(str(desk.ask("HGET", "%:lock:L", "ends_ms")))


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
def test_a_lease_is_renewed_in_the_background_for_threads(lone_desk: Desk) -> None:
    def renewals() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("slotbook-periodic")]

    with Book.open(lone_desk.fleet.url()) as book:
        with book.lock("L", trader=lone_desk.trader, lease=1.5, renew=True) as held:
            assert renewals()
            for _ in range(2):
                wait_for_a_renewal(lone_desk)
            held.positions.adjust(lone_desk.trader, "AAPL", 1)
        assert not renewals()
        with book.lock("L", trader=lone_desk.trader, lease=0.3, renew=True) as held:
            lone_desk.ask("HSET", "%:lock:L", "owner", "someone", "ends_ms", 0)
            for renewal in renewals():
                renewal.join(TIMEOUT)
            assert held.remaining == 0
        book.lock("L", trader=lone_desk.trader, wait=0).acquire()


def wait_for_a_renewal(desk: Desk) -> None:
    """Wait until the lease of L ends later than it does now."""
    before, until = ends_of(desk), time.monotonic() + TIMEOUT
    while ends_of(desk) == before:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("lone_desk", ["asyncio"], indirect=True)
def test_a_lease_is_renewed_in_the_background_for_asyncio(lone_desk: Desk) -> None:
    async def run() -> None:
        async with await AsyncBook.open(lone_desk.fleet.url()) as book:
            async with book.lock("L", trader=lone_desk.trader, lease=1.5, renew=True) as held:
                for _ in range(2):
                    await asyncio.to_thread(wait_for_a_renewal, lone_desk)
                await held.positions.adjust(lone_desk.trader, "AAPL", 1)
            async with book.lock("L", trader=lone_desk.trader, wait=0):
                assert len(asyncio.all_tasks()) <= 2

    asyncio.run(run())
