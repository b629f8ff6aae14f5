"""Fault "primary killed", and "writes lost", while eight processes race at the limits of four traders.

``SLOTBOOK_NIGHTLY=1`` lets them race for 60 s, and on a cluster as well, as
``python -m tests.support.faults.limit_race`` does.
"""

from __future__ import annotations

import pytest

from ..support.faults.limit_race import Raced, race
from ..support.make import NIGHTLY

SECONDS = 60 if NIGHTLY else 8
TOPOLOGIES: tuple[Raced, ...] = ("sentinel", "cluster") if NIGHTLY else ("sentinel",)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("durability", ["replicated=2", "local"])
def test_no_limit_is_passed_and_nothing_that_reduces_is_refused(durability: str, topology: Raced) -> None:
    """With ``replicated=2`` nothing acknowledged is lost; with ``local`` changes are, and each loss is reported."""
    found = race(SECONDS, durability, topology, pause=0 if NIGHTLY else 0.01)
    assert not found.problems, found.text
    assert found.events > 100
    assert found.lost == 0 or durability == "local", found.text
    assert found.refusals["refused for max_position"] > 10
    assert found.calls["trading acknowledged"] > 2
    assert found.judged > 10 or found.lost
    assert found.accounts > 4
