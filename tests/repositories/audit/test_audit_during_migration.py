"""An audit waits while its slot migrates from one primary to another, and does not take the book for a broken one."""

from __future__ import annotations

import threading
import time

from slotbook import Book
from slotbook.repositories.audit.findings import RepairOutcome
from slotbook.topology.embedded import start

from ...support.faults.control import Control
from ...support.faults.migration import Migration
from ...support.make import execution, limit

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
