"""A short soak on each topology that fails over; the long ones are run by CI and by hand."""

from __future__ import annotations

import pytest
from slotbook.topology.embedded import Topology

from .soak import soak


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_for_some_seconds(topology: Topology) -> None:
    report = soak(topology, 12, seed=11, durability="replicated=1", pace=0.4)
    assert not report.judgement.violations, report.text
    assert sum(report.faults.values()) >= 3
    assert report.judgement.acknowledged > 200
