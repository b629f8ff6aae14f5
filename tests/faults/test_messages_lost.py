"""Fault "messages lost": pub/sub messages are lost; the gap is seen by its number and filled from the stream.

``SLOTBOOK_EVENTS=100000`` runs it in full size.
"""

from __future__ import annotations

import os
import time

import pytest
from slotbook import Book
from slotbook.topology.embedded import Topology

from ..support.faults.control import wait_until
from ..support.faults.flood import LoopFollower, SyncFollower, Writers, cut_subscribers, kept, traders_of
from ..support.faults.migration import Migration
from .conftest import TOPOLOGIES, Deploy

EVENTS = int(os.environ.get("SLOTBOOK_EVENTS", "4000"))
KILLS = 50 if EVENTS >= 100_000 else 12
WRITERS = 8


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_event_once_and_in_order_whatever_happens_to_subscribers(deploy: Deploy, topology: Topology) -> None:
    control = deploy(topology)
    traders = traders_of(control, WRITERS)
    url = control.url(deadline=30)
    replicas = len(control.replicas(control.primary(f"{{{traders[0]}}}")))
    started = time.monotonic()
    followers = [SyncFollower(url, traders), LoopFollower(url, traders)]
    writers = Writers(url, traders, EVENTS // WRITERS, f"replicated={replicas}" if replicas else "local")
    writers.start()
    cuts = 0
    for cut in range(KILLS):
        writers.allowed = (cut + 2) / (KILLS + 1)  # so that each cut falls between events
        writers.reach(cut / (KILLS + 1))
        wait_until(lambda: cut_subscribers(control) >= 2, "both followers are cut")
        cuts += 1
        if cut == KILLS // 3 and topology != "standalone":
            primary = control.primary(f"{{{traders[0]}}}")
            control.kill(primary)
            control.promoted(primary, f"{{{traders[0]}}}")
            # Without the dead server there is one replica fewer than the writers' durability asks for.
            control.heal()
        if cut == 2 * KILLS // 3 and topology == "cluster":
            migration = Migration(control, f"{{{traders[1]}}}").begin()
            migration.half()
            migration.finish()
    writers.allowed = 1.0
    writers.join(300)
    with Book.open(url) as book:
        there = {trader: kept(book, trader) for trader in traders}
    assert all(len(events) >= EVENTS // WRITERS for events in there.values())
    for follower in followers:
        wait_until(lambda one=follower: one.failure or one.told == there, "the follower has everything", 60)
    for follower in followers:
        follower.stop()
    took = time.monotonic() - started
    for name, one in zip(("threads", "asyncio"), followers, strict=True):
        print(
            f"{topology}, {name}: {EVENTS:,} events of {WRITERS} writers in {took:.1f} s, {cuts} cuts, "
            f"{one.follow.interruptions} channels interrupted, {one.follow.dropped:,} messages dropped, "
            f"{len(one.lost)} losses reported, at most {one.most_waiting:,} waiting"
        )
    for follower in followers:
        assert follower.failure is None
        assert follower.told == there
        assert follower.follow.interruptions >= KILLS
