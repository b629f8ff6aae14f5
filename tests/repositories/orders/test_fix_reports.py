"""Test the order state change matrices of FIX 4.4 by reports alone: each brings the order to what the standard says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import ExecutionReport

from ...support.desk import Desk
from ...support.fix_reports import Reporter
from ...support.fix_scenarios import FILE, STATUSES, paths

PATHS = paths()
"""Every path of every scenario, also that of FIX 5.0."""


@pytest.mark.skipif(not FILE.exists(), reason=f"the matrices are not at {FILE}")
def test_the_matrices_are_there() -> None:
    assert len(PATHS) == 69


@pytest.mark.parametrize("name", PATHS)
def test_scenario_by_reports(desk: Desk, name: str) -> None:
    reporter = Reporter(desk.book, desk.trader)
    for row in PATHS[name]:
        if "received" in row:
            reporter.receive(row["received"])
        if "sent" not in row:
            continue
        said, before = row["sent"], len(desk.events())
        expected = reporter.send(said)
        events = desk.events()
        assert expected is None if len(events) == before else events[-1].type is expected, row
        order = reporter.order(said.get("cl_ord_id", reporter.current))
        assert order.status is STATUSES[said["ord_status"]], row
        if said["msg"] == "8":
            quantity = said.get("order_qty", order.quantity)
            assert (order.quantity, order.filled_quantity) == (quantity, said["cum_qty"]), row
            is_other = said["exec_type"] == "8" and said["ord_status"] != "8"
            assert is_other or order.open_quantity == said["leaves_qty"], row
            assert "avg_px" not in said or order.average_price == Decimal(said["avg_px"]), row
        # The same report again, as after a lost reply or from another process, is a repeat with the first result.
        again = desk.book.orders.apply(reporter.reports[-1])
        assert (again.applied, again.order, again.differences) == (False, order, ()), row
        assert len(desk.events()) == len(events), row
    final = len(desk.events())
    for report in reporter.reports:  # and so is each of them at the end
        if isinstance(report, ExecutionReport):
            assert not desk.book.orders.apply(report).applied
    assert len(desk.events()) == final
