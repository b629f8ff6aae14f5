"""Without an observer no statement of it runs in a call, says the interpreter itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import PurePath
from types import FrameType

import pytest
from slotbook import Book

from ...support.callers import CALLERS, Caller, open_book
from ...support.fleet import Fleets
from ...support.make import execution, fresh, limit
from ...support.observed import Kept

OF_OBSERVERS = ("observing", "observed.py")


@contextmanager
def traced() -> Generator[set[str]]:
    """Yield the files of the package of which any line is run in this thread, as it grows."""
    found: set[str] = set()

    def trace(frame: FrameType, event: str, argument: object) -> None:
        found.add(frame.f_code.co_filename)
        # None is returned: the call of a function shows its file; its lines need not be traced

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield found
    finally:
        sys.settrace(before)


def work(book: Book, trader: str) -> None:
    """Make calls of every kind: single ones, batches, reads, and a unit."""
    book.orders.place(limit(trader, "A1", quantity=10))
    book.orders.place_many([limit(trader, f"B{number}", quantity=10) for number in range(3)])
    book.orders.fill(execution(trader, "X1", order_id="A1", quantity=1))
    book.orders.get(trader, "A1")
    book.orders.get_many([(trader, "A1"), (trader, "B1")])
    book.positions.all(trader)
    book.snapshot(trader)
    book.commit([limit(trader, "C1", quantity=5), execution(trader, "X2", order_id="C1", quantity=5)])


def of_observers(files: set[str]) -> set[str]:
    """Return those of the files that are only there for an observer."""
    parts = {file: set(PurePath(file).parts) for file in files}
    return {file for file in files if set(OF_OBSERVERS) & parts[file] and "tests" not in parts[file]}


@pytest.mark.parametrize("caller", CALLERS)
def test_no_statement_runs(fleets: Fleets, caller: Caller, runner: asyncio.Runner) -> None:
    url = fleets.of("standalone").url({})
    kept = Kept()
    plain, observed = (open_book(url, caller, runner, observer) for observer in (None, kept))
    work(plain, fresh())  # connections are open and scripts loaded from here on
    work(observed, fresh())
    with traced() as files:
        work(plain, fresh())
    assert any("orders" in file for file in files), "calls were traced"
    assert of_observers(files) == set()
    kept.calls.clear()
    with traced() as files:
        work(observed, fresh())
    assert {PurePath(file).name for file in of_observers(files)} >= {"observed.py", "recorder.py"}
    assert len(kept.calls) > 8
    plain.close()
    observed.close()
