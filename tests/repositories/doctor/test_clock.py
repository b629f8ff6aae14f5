"""A server whose clock is not ours is found, from the second on that it is certainly off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slotbook.repositories.doctor.findings import Verdict
from slotbook.topology.inspection import ClockReading

from ...support.doctor import examine, said, verdicts
from ...support.faults.clocks import LIBRARY, Clocks


@pytest.fixture
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clocks]:
    """Yield a server whose clock can be moved."""
    found = Clocks("standalone", tmp_path_factory.mktemp("clocks"))
    yield found
    found.stop()


@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (Debian: libfaketime)")
def test_a_clock_that_is_off(clocks: Clocks) -> None:
    assert verdicts(examine(clocks.deployment, None), "clock") == {Verdict.GOOD}
    for seconds, verdict, way in (
        (3, Verdict.RISK, "ahead"),
        (-6, Verdict.RISK, "behind"),
        (-120, Verdict.BAD, "behind"),
    ):
        clocks.step(seconds)
        ((found, value),) = said(examine(clocks.deployment, None), "clock")
        assert (found, way in value) == (verdict, True)


def test_a_slow_answer_does_not_make_a_clock_wrong() -> None:
    """Only what is certain counts: it was read between the question and the answer."""
    assert ClockReading(before=100, server=100.5, after=103, seconds=3).ahead == 0
    assert ClockReading(before=100, server=104, after=103, seconds=3).ahead == 1
    assert ClockReading(before=100, server=98, after=103, seconds=3).ahead == -2
