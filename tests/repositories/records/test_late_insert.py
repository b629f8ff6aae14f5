"""Test what comes long after its time: the bytes of an insert whose record was deleted meanwhile."""

from __future__ import annotations

from slotbook.models import Insert
from slotbook.models.table import table_model
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.records.calls import TableCalls
from slotbook.topology.settings import Settings

from ...support.desk import Desk
from .conftest import Allocation


def test_a_late_resend_of_an_insert_does_not_bring_a_deleted_record_back_within_request_ttl(desk: Desk) -> None:
    settings, trader, table = Settings(), desk.trader, desk.book.table(Allocation)
    record = Allocation(trader=trader, allocation_id="L1", reference="R1")
    call = TableCalls(table_model(Allocation), settings, LossDetector()).change(Insert(record))
    first = desk.book.backend.run(call)
    assert (first.applied, first.version) == (True, 1)
    table.update(trader, "L1", {"quantity": 5})
    assert table.delete(trader, "L1").applied
    remembered = int(str(desk.ask("PTTL", "%:allocation_deleted:L1")))
    assert 0 < remembered <= settings.request_ttl * 1_000 < remembered + 60_000
    before = desk.contents()
    late = desk.book.backend.run(call)
    assert (late.applied, late.record, late.version) == (False, None, 1)
    assert desk.contents() == before
    assert table.all(trader) == []
    desk.ask("DEL", "%:allocation_deleted:L1")  # as after request_ttl
    assert desk.book.backend.run(call).applied
