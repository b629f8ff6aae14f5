"""An audit waits while its slot migrates to another primary, and takes no book that has moved for a broken one."""

from __future__ import annotations

import threading
import time

from slotbook import Book
from slotbook.repositories.audit.findings import FindingKind, RepairOutcome
from slotbook.topology.embedded import start

from ...support.audit.own_book import Tick
from ...support.faults.control import Control
from ...support.faults.migration import Migration
from ...support.make import execution, limit
from ...support.own_orders import DeskOrder, desk_order

HALF_MIGRATED = 0.7
"""Seconds for which half of the keys are on either primary."""


def test_an_audit_waits_for_a_slot_that_migrates() -> None:
    with (
        start("cluster", replicas=0) as deployment,
        Control(deployment) as control,
        Book.open(deployment.url) as book,
    ):
        for number in range(30):
            book.orders.place(limit("T1", f"A{number}", symbol=f"S{number % 3}"))
            book.orders.fill(execution("T1", order_id=f"A{number}"))
        for damaged in (False, True):
            migration = Migration(control, "{T1}").begin()
            if damaged:
                migration.source.ask("ZREM", "{T1}:orders_by_symbol:S1", "A1")
                migration.source.ask("HSET", "{T1}:position:S2", "quantity", 9)
            migration.half()
            finishing = threading.Timer(HALF_MIGRATED, migration.finish)
            began = time.monotonic()
            finishing.start()
            repairs = book.audit.repair("T1")
            assert time.monotonic() - began >= HALF_MIGRATED, "the audit did not wait"
            finishing.join()
            assert {repair.outcome for repair in repairs} == ({RepairOutcome.REPAIRED} if damaged else set())
            assert len(repairs) == 2 * damaged
            assert book.audit.verify("T1") == []


def test_what_expires_a_little_later_since_its_slot_has_moved_is_no_difference() -> None:
    with (
        start("cluster", replicas=0) as deployment,
        Control(deployment) as control,
        Book.open(deployment.url) as book,
    ):
        orders, ticks = book.orders.of(DeskOrder), book.table(Tick)
        for number in range(20):
            orders.place(desk_order("T1", f"A{number}"))
            orders.fill(execution("T1", f"X{number}", order_id=f"A{number}"))
            orders.cancel("T1", f"A{number}")
            ticks.insert(Tick(trader="T1", symbol=f"S{number}", venue="V", maker=f"M{number % 3}", code=f"C{number}"))
        keys = ("{T1}:order:A0", "{T1}:applied:A0", "{T1}:tick:S0:V")
        before = {key: int(str(control.ask(key, "PEXPIRETIME", key))) for key in keys}
        for _ in range(3):
            migration = Migration(control, "{T1}").begin()
            migration.half()
            migration.finish()
            assert book.audit.verify("T1") == []
        for key in keys:
            control.ask(key, "PEXPIREAT", key, before[key] + 900)  # as after a slow move
        assert book.audit.verify("T1") == []
        tick = keys[2]
        control.ask(tick, "PEXPIREAT", tick, before[tick] + 2_000)
        assert [(one.kind, one.key) for one in book.audit.verify("T1")] == [(FindingKind.EXPIRY, tick)]
