"""200 callers in 4 processes ask for the same missing key, which is loaded once.

With ``SLOTBOOK_NIGHTLY=1`` on every topology, for threads and for asyncio.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import cast

import pytest
from slotbook.topology.embedded import Topology

from ...support.callers import CALLERS, Caller
from ...support.fleet import Fleets
from ...support.forked import Piped, script
from ...support.make import NIGHTLY, fresh
from ...support.package import ROOT
from .conftest import TOPOLOGIES

PROCESSES, CALLERS_IN_EACH = 4, 50
ALL = list(product(TOPOLOGIES, CALLERS, ("loads", "fails")))
SOME = [("standalone", "sync", "loads"), ("cluster", "asyncio", "loads"), ("standalone", "asyncio", "fails")]


@pytest.mark.parametrize(("topology", "caller", "ending"), ALL if NIGHTLY else SOME)
def test_two_hundred_callers_in_four_processes(
    fleets: Fleets, tmp_path: Path, topology: Topology, caller: Caller, ending: str
) -> None:
    url = fleets.of(topology).url({"prefix": fresh("h") + ":", "deadline": 60})
    counter = tmp_path / "loads"
    path = str(ROOT / "tests/support/caching/herd.py")
    program = script(path, url, str(counter), str(CALLERS_IN_EACH), caller, ending)
    herd = [Piped(program) for _ in range(PROCESSES)]
    for process in herd:
        assert process.stdout.readline() == "ready\n"
    for process in herd:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [answer for process in herd for answer in cast("list[str]", json.loads(process.rest(120)[0]))]
    expected = "SourceFailed True" if ending == "fails" else "symbol='AAPL' name='Apple Inc.'"
    assert len(answers) == PROCESSES * CALLERS_IN_EACH
    assert [answer for answer in answers if not answer.startswith(expected)] == []
    assert counter.stat().st_size == 1
