"""Fault "slow subscriber": slow readers drop messages and read the stream; silent servers are noticed in time.

``SLOTBOOK_SLEEP=30`` makes the sleeper sleep that long.
"""

from __future__ import annotations

import asyncio
import os
import resource
import threading
import time

import pytest
from slotbook import Book
from slotbook.repositories.events.overflow import FollowOverflow

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import info, wait_until
from ..support.faults.flood import SyncFollower, kept
from ..support.make import fresh, limit
from .conftest import Deploy

SLEEP = float(os.environ.get("SLOTBOOK_SLEEP", "1.5"))
WATCHDOG = 1.0


@pytest.mark.parametrize("when_full", ["resync", "block"])
def test_a_sleeper_ends_without_a_gap_in_bounded_memory(deploy: Deploy, when_full: FollowOverflow) -> None:
    control, traders = deploy("standalone"), [fresh(), fresh()]
    (server,) = control.data
    server.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 64kb 32kb 1")
    asleep, awake = threading.Event(), threading.Event()

    def pause() -> None:
        if not awake.is_set():
            asleep.set()
            awake.wait()

    follower = SyncFollower(control.url(), traders, pause, maxsize=1_000, when_full=when_full)

    def is_full() -> bool:
        if when_full == "resync":
            return follower.follow.dropped > 0
        return not server.ask("CLIENT", "LIST", "TYPE", "pubsub")

    over = threading.Event()
    written = [0, 0]

    def write(number: int) -> None:
        with Book.open(control.url()) as book:
            while not over.is_set():
                at = written[number]
                book.orders.place_many([limit(traders[number], f"A{n}", text="x" * 200) for n in range(at, at + 50)])
                written[number] += 50

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    assert asleep.wait(30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    until = time.monotonic() + SLEEP
    most_buffered = 0
    while time.monotonic() < until or not is_full():
        assert time.monotonic() < until + 60, "nothing is dropped, and the server does not cut it off"
        most_buffered = max(most_buffered, int(info(server, "memory")["mem_clients_normal"]))
        time.sleep(0.1)
    over.set()
    for writer in writers:
        writer.join(60)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert follower.follow.waiting <= 1_000 + 1_000  # what may wait, and a page of the stream
    awake.set()
    with Book.open(control.url()) as book:
        there = {trader: kept(book, trader) for trader in traders}
    wait_until(lambda: follower.failure or follower.told == there, "the sleeper has caught up", 60)
    follower.stop()
    print(
        f"{when_full}: slept {SLEEP:g} s through {sum(written):,} events; {follower.follow.dropped:,} dropped, "
        f"{follower.follow.interruptions} channels cut off, this process grew by {grown / 1024:.1f} MB, "
        f"clients' buffers in the server at most {most_buffered / 1024:.0f} KB"
    )
    assert (follower.failure, follower.told) == (None, there)
    assert follower.follow.interruptions > 0 or when_full == "resync"
    assert grown < 64 * 1024


@pytest.mark.parametrize("caller", CALLERS)
def test_a_frozen_server_is_noticed_within_the_watchdog(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone"), fresh()
    url = control.url(watchdog=WATCHDOG, socket_timeout=0.3, deadline=5, publish="order_events,traders")
    book = open_book(url, caller, runner)
    subscription = book.events.subscribe("order_events").start()
    follow = book.events.follow(trader).start()
    (server,) = control.data
    for _ in range(3):
        assert subscription.connected
        control.freeze(server)
        frozen_at = time.monotonic()
        while subscription.connected:
            assert time.monotonic() - frozen_at < WATCHDOG + 0.5, "not noticed"
            assert subscription.get(0.02) is None
        noticed = time.monotonic() - frozen_at
        control.thaw(server)
        print(f"{caller}: noticed after {noticed:.2f} s of at most {WATCHDOG:g} s")
        while not subscription.connected:
            subscription.get(0.02)
        book.orders.place(limit(trader, f"A{subscription.interruptions}"))
        message = subscription.get(30)
        assert message is not None
        event = follow.get(30)
        assert event is not None
        assert message.event == event
    book.close()
