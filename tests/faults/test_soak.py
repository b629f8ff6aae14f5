"""A short soak on each topology that fails over; the long ones are run by CI and by hand."""

from __future__ import annotations

import pytest
from slotbook import Book
from slotbook.topology.embedded import Topology

from ..support.faults.checker import judge
from ..support.faults.history import History, Operation
from ..support.faults.soak import soak
from ..support.make import execution, fresh, limit
from .conftest import Deploy


@pytest.mark.parametrize(
    ("topology", "durability"), [("sentinel", "replicated=1"), ("cluster", "replicated=1"), ("sentinel", "local")]
)
def test_for_some_seconds(topology: Topology, durability: str) -> None:
    """Nothing is doubled, and nothing is lost that nobody has said: with ``local`` the servers do lose changes."""
    report = soak(topology, 6, seed=11, durability=durability, pace=0.4, pause=0.02)
    assert not report.judgement.violations, report.text
    assert sum(report.faults.values()) >= 2
    assert report.judgement.acknowledged > 100


def test_the_judgement_sees_half_a_unit_and_what_nobody_has_reported(deploy: Deploy) -> None:
    control, trader, history = deploy("standalone"), fresh(), History()
    placed, filled = Operation("place", trader, "A1", unit="U"), Operation("fill", trader, "X1", unit="U")
    with Book.open(control.url()) as book:
        for operation in (placed, filled):
            history.begin(operation)
        with history.attempt(placed, filled):
            book.orders.place(limit(trader))
        lost, half = judge(control, history).violations
        assert lost.startswith(f"lost: {trader} fill X1")
        assert half == f"{trader} unit U: of 2 changes only ['A1'] are there"
        book.orders.fill(execution(trader))
        assert judge(control, history).violations == []
