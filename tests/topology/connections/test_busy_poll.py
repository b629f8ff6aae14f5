"""Threads poll for a reply before they sleep for it, as long as their polls find replies."""

from __future__ import annotations

import threading
import time

import pytest
import slotbook
from slotbook.topology.connections.busy_poll import MAX_SKIPPED, BusyPoll
from slotbook.topology.connections.connection import Connection

from ...support.fleet import Fleets
from ...support.make import fresh, limit

CALLS = 200

needs_two_processors = pytest.mark.skipif(
    BusyPoll(1.0).seconds == 0, reason="with one processor, or on another system than Linux, nothing is polled"
)


def polls(fleets: Fleets, monkeypatch: pytest.MonkeyPatch, busy_poll: float) -> list[bool]:
    """Read one order after another, and return for every poll if it found the reply."""
    found: list[bool] = []
    poll = Connection.poll

    def recorded(connection: Connection, seconds: float) -> bool:
        found.append(poll(connection, seconds))
        return found[-1]

    trader = fresh()
    url = fleets.of("standalone").url({"busy_poll": busy_poll})
    with slotbook.connect(url) as book, monkeypatch.context() as patch:
        order = book.orders.place(limit(trader)).order
        patch.setattr(Connection, "poll", recorded)
        for _ in range(CALLS):
            assert book.orders.get(trader, "A1") == order
    return found


@needs_two_processors
def test_a_reply_that_comes_in_time_is_found_by_polling(fleets: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_at = time.monotonic() + 60
    while True not in (found := polls(fleets, monkeypatch, 0.5)):  # a poll ends early if others use the processor
        assert time.monotonic() < ends_at
    assert len(found) <= CALLS


def test_nothing_is_polled_when_busy_poll_is_0(fleets: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    assert polls(fleets, monkeypatch, 0) == []


@needs_two_processors
def test_polls_that_find_nothing_become_rare() -> None:
    poll = BusyPoll(0.001)
    polled: list[int] = []
    for reply in range(3 * MAX_SKIPPED):
        if poll.begin():
            poll.end(found=False)
            polled.append(reply)
    assert polled[:6] == [0, 2, 6, 14, 30, 62]
    assert len(polled) < 15
    while not poll.begin():
        pass
    poll.end(found=True)
    assert all(poll.begin() and not poll.end(found=True) for _ in range(10)), (
        "a poll that finds its reply is not made rarer"
    )


@needs_two_processors
def test_one_thread_polls_at_a_time() -> None:
    ours, theirs, began = BusyPoll(0.001), BusyPoll(0.001), list[bool]()
    assert ours.begin()
    other = threading.Thread(target=lambda: began.append(theirs.begin()))
    other.start()
    other.join()
    assert began == [False]
    ours.end(found=True)
    assert theirs.begin()
    theirs.end(found=True)
