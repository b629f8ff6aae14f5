"""Replays of the real order flow from the command line, and the check of their result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import cast

import pytest

from .package import ROOT

DATA = ROOT.parent / "shared" / "data"
REAL = DATA / "orderflow-es.csv.gz"
needs_data = pytest.mark.skipif(not REAL.exists(), reason=f"the real order flow is not at {REAL}")

Report = dict[str, object]


def begin_replay(url: str, *options: str) -> subprocess.Popen[str]:
    """Start a replay of the real order flow in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "slotbook", "replay", str(REAL), "--json", *options],
        env={**os.environ, "SLOTBOOK_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_replay(process: subprocess.Popen[str], timeout: float = 300) -> Report:
    """Wait for a replay, check its result, and return its report; ``timeout`` is in seconds."""
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, err
    report = cast(Report, json.loads(out))
    ends_as_expected(report)
    return report


def ends_as_expected(report: Mapping[str, object]) -> None:
    """Assert that a report's state is the one that was computed independently."""
    expected = json.loads((DATA / "orderflow-es.expected.json").read_text(encoding="utf-8"))
    for name in ("rows", "orders_by_status", "open_orders"):
        assert report[name] == expected[name], name
    held = cast("dict[str, dict[str, object]]", expected["positions"])
    # The file has whole quantities as numbers; a report has every decimal as a string.
    said = {trader: {name: str(value) for name, value in of.items()} for trader, of in held.items()}
    assert report["positions"] == said
    assert report["refused"] == 0


@contextmanager
def replaying(url: Callable[[str], str], *options: str) -> Generator[list[Report], None, None]:
    """Replay the day again and again, each time with another prefix, from the beginning of the block to its end."""
    reports: list[Report] = []
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            reports.append(end_replay(begin_replay(url(f"replay{len(reports)}:"), *options)))

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            yield reports
        finally:
            enough.set()
            working.result()
