"""200 callers in 4 processes want the same cold key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from ..fleet import Fleets
from ..make import fresh
from .conftest import TOPOLOGIES

PROCESSES, CALLERS = 4, 50


@pytest.mark.parametrize(
    ("topology", "fails"), [*((topology, False) for topology in TOPOLOGIES), ("standalone", True), ("cluster", True)]
)
def test_two_hundred_callers_in_four_processes(fleets: Fleets, tmp_path: Path, topology: str, fails: bool) -> None:
    url = fleets.of(topology).url({"prefix": fresh("h") + ":"})  # type: ignore[arg-type]
    counter = tmp_path / "loads"
    command = [sys.executable, str(Path(__file__).with_name("herd.py")), url, str(counter), str(CALLERS)]
    herd = [
        subprocess.Popen(
            [*command, "fails" if fails else "loads"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for process in herd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in herd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [
        answer for process in herd for answer in cast("list[str]", json.loads(process.communicate(timeout=60)[0]))
    ]
    expected = "SourceFailed True" if fails else "symbol='AAPL' name='Apple Inc.'"
    assert len(answers) == PROCESSES * CALLERS
    assert [answer for answer in answers if not answer.startswith(expected)] == []
    assert counter.stat().st_size == 1
