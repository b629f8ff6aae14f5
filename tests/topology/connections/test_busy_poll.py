"""Threads look for a reply before they sleep for it, as long as that is worth it."""

from __future__ import annotations

import threading

import pytest
import slotbook
from slotbook.topology.connections.busy_poll import MOST_PASSED_OVER, BusyPoll
from slotbook.topology.connections.connection import Connection

from ...support.fleet import Fleets
from ...support.make import fresh, limit

CALLS = 200

needs_two_processors = pytest.mark.skipif(
    BusyPoll(1.0).seconds == 0, reason="with one processor, or on another system than Linux, nobody looks"
)


def looks(fleets: Fleets, monkeypatch: pytest.MonkeyPatch, busy_poll: float) -> list[bool]:
    """Reads one order after another; every look for a reply, and whether it came meanwhile."""
    found: list[bool] = []
    poll = Connection.poll

    def noted(connection: Connection, seconds: float) -> bool:
        found.append(poll(connection, seconds))
        return found[-1]

    trader = fresh()
    with slotbook.connect(fleets.of("standalone").url({"busy_poll": busy_poll})) as book:
        order = book.orders.place(limit(trader)).order
        monkeypatch.setattr(Connection, "poll", noted)
        for _ in range(CALLS):
            assert book.orders.get(trader, "A1") == order
    return found


@needs_two_processors
def test_a_reply_that_comes_in_time_is_found_by_looking(fleets: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks(fleets, monkeypatch, 0.5)  # on a processor that others want, one does not look for long, and rarely
    assert True in found
    assert len(found) <= CALLS


def test_who_does_not_want_it_does_not_look(fleets: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(fleets, monkeypatch, 0) == []


@needs_two_processors
def test_what_is_looked_for_in_vain_is_looked_for_less_and_less() -> None:
    poll = BusyPoll(0.001)
    looks: list[int] = []
    for reply in range(3 * MOST_PASSED_OVER):
        if poll.begin():
            poll.end(came=False)
            looks.append(reply)
    assert looks[:6] == [0, 2, 6, 14, 30, 62]
    assert len(looks) < 15
    while not poll.begin():
        pass
    poll.end(came=True)
    assert all(poll.begin() and not poll.end(came=True) for _ in range(10)), "one that came, and it is worth it again"


@needs_two_processors
def test_one_thread_looks_at_a_time() -> None:
    ours, theirs, began = BusyPoll(0.001), BusyPoll(0.001), list[bool]()
    assert ours.begin()
    other = threading.Thread(target=lambda: began.append(theirs.begin()))
    other.start()
    other.join()
    assert began == [False]
    ours.end(came=True)
    assert theirs.begin()
    theirs.end(came=True)
