"""Test the order state change matrices of FIX 4.4: after every report the book says what the standard says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ...support.desk import Desk
from ...support.fix_scenarios import FILE, STATUSES, Translator, codes_of, paths

NOT_IN_4_4 = {"L"}
"""ExecType L, triggered, is FIX 5.0's."""
SUPPORTED = {verb.event.fix for verb in ORDER_VERBS if verb.event} | {"I"}
PATHS = {name: path for name, path in paths().items() if codes_of(path) <= SUPPORTED - NOT_IN_4_4}


@pytest.mark.skipif(not FILE.exists(), reason=f"the matrices are not at {FILE}")
def test_the_matrices_are_there() -> None:
    """Only that of FIX 5.0 is left out; test_fix_reports.py has it as well."""
    assert paths().keys() - PATHS.keys() == {"E.1.f"}
    assert len(PATHS) == 68


@pytest.mark.parametrize("name", PATHS)
def test_scenario(desk: Desk, name: str) -> None:
    translator = Translator(desk.book, desk.trader)
    for row in PATHS[name]:
        if "received" in row:
            translator.receive(row["received"])
        if "sent" not in row:
            continue
        said, before = row["sent"], len(desk.events())
        expected = translator.send(said)
        events = desk.events()
        assert expected is None if len(events) == before else events[-1].type is expected, row
        for found_by in {said.get("cl_ord_id", translator.current), said.get("orig_cl_ord_id")} - {None}:
            order = translator.order(found_by)
            assert order.status is STATUSES[said["ord_status"]], row
            if said["msg"] == "8":
                quantity = said.get("order_qty", order.quantity)
                assert (order.quantity, order.filled_quantity) == (quantity, said["cum_qty"]), row
                is_other = said["exec_type"] == "8" and said["ord_status"] != "8"
                assert is_other or order.open_quantity == said["leaves_qty"], row
                assert "avg_px" not in said or order.average_price == Decimal(said["avg_px"]), row
