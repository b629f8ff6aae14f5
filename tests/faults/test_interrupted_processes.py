"""Fault "interrupted": in the first second of a process, while it imports, connects, and makes its first calls.

``SLOTBOOK_PROCESSES=500`` is the whole proof.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..conftest import TOPOLOGIES
from ..support.faults import first_second
from ..support.fleet import Fleets
from ..support.make import fresh

PROCESSES = int(os.environ.get("SLOTBOOK_PROCESSES", "6"))
AT_ONCE = 3
SETTINGS = {"pool_size": 1, "pool_wait": 1, "deadline": 4, "socket_timeout": 1}


def _live(url: str, number: int) -> dict[str, Any] | None:
    """Run one process, and return what it says of itself; None if it ended in lines that are not Slotbook's.

    Some packages cannot be imported any more when their import was interrupted, such as tenacity.
    """
    form, raised = ("sync", "asyncio")[number // 3 % 2], list(first_second.RAISED)[number // 6 % 3]
    moment = random.Random(number).uniform(0.05, 0.75)  # in processor time: other work of the machine counts not
    program = Path(first_second.__file__)
    words = [sys.executable, str(program), url, fresh(), form, str(moment), raised]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    if "partially initialized module" in done.stderr and "slotbook" not in done.stderr.splitlines()[-1]:
        return None
    frames = re.findall(r'^  File "(.+)", line', done.stderr, re.MULTILINE)
    if done.returncode == 1 and set(frames) == {str(program)}:
        return None
    assert done.returncode == 0, f"{form}, {raised} after {moment:.3f} s: {done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def test_processes_that_are_interrupted_in_their_first_second_go_on_as_if_nothing_had_been(fleets: Fleets) -> None:
    urls = [fleets.of(topology).url(SETTINGS) for topology in TOPOLOGIES]

    def live(number: int) -> dict[str, Any] | None:
        return _live(urls[number % 3], number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        ended = list(threads.map(live, range(PROCESSES)))
    lives = [life for life in ended if life is not None]
    assert len(lives) >= PROCESSES * 0.95 - 1
    assert [error for life in lives for error in life["errors"]] == []
    interrupted = [life for life in lives if life["interrupted_in"]]
    assert len(interrupted) > PROCESSES * 0.8
    assert min(life["answered"] for life in interrupted) >= first_second.AFTERWARDS - 2
    if PROCESSES >= 100:  # of a few, all may be interrupted in the same phase on a slow machine
        assert {life["interrupted_in"] for life in interrupted} >= {"import", "work"}
    print(Counter(life["interrupted_in"] for life in lives), sum(life["answered"] for life in lives))
