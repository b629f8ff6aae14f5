"""A short soak on each topology that fails over; the long ones are run by CI and by hand."""

from __future__ import annotations

import pytest
from slotbook.topology.embedded import Topology

from ..support.faults.soak import soak


@pytest.mark.parametrize(
    ("topology", "durability"), [("sentinel", "replicated=1"), ("cluster", "replicated=1"), ("sentinel", "local")]
)
def test_for_some_seconds(topology: Topology, durability: str) -> None:
    """Nothing is doubled, and nothing is lost that nobody has said: with ``local`` the servers do lose changes."""
    report = soak(topology, 12, seed=11, durability=durability, pace=0.4)
    assert not report.judgement.violations, report.text
    assert sum(report.faults.values()) >= 3
    assert report.judgement.acknowledged > 200
