"""An event loop is closed by hand amid connecting or closing: Slotbook's own tasks say nothing, and leave no socket."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from slotbook import AsyncBook
from slotbook.topology.embedded import Topology

from ...support.fleet import Fleets
from ...support.make import fresh, limit

Scenario: TypeAlias = "Callable[[str], Awaitable[None]]"


async def opened(url: str) -> None:
    await AsyncBook.open(url)


async def used(url: str) -> None:
    async with await AsyncBook.open(url) as book:
        await book.orders.place(limit(fresh()))


def open_sockets() -> int:
    """Return the number of sockets that this process has open."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder's own
            found += "socket" in str(descriptor.readlink())
    return found


class Closed:
    """Some work in an event loop that is closed after some turns; what is said of what it has left is added to a list.

    Nothing is collected before its end, so what it has left is young: a look at all objects takes longer than the work.
    The last work of a test, which ends by itself, has that look nevertheless.
    """

    def __init__(
        self,
        turns: int,
        work: Callable[..., Awaitable[None]],
        monkeypatch: pytest.MonkeyPatch,
        said: list[str],
        before: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.said = said
        with warnings.catch_warnings(record=True) as warned, monkeypatch.context() as patch:
            warnings.simplefilter("always")
            patch.setattr(sys, "unraisablehook", self._note)
            gc.disable()
            try:
                self.has_ended = self._run(turns, work, before)
            finally:
                gc.enable()
            gc.collect(2 if self.has_ended else 0)
        self.said += [str(one.message) for one in warned if not issubclass(one.category, ResourceWarning)]

    def _run(
        self, turns: int, work: Callable[..., Awaitable[None]], before: Callable[[], Awaitable[object]] | None
    ) -> bool:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda _, context: self.said.append(str(context)))
        given = [] if before is None else [loop.run_until_complete(before())]
        task = loop.create_task(cast(Any, work(*given)))
        while turns and not task.done():
            turns -= 1
            loop.call_soon(loop.stop)
            loop.run_forever()
        cast(Any, task)._log_destroy_pending = False  # of this one, which is the caller's, asyncio says it
        loop.close()
        return task.done()

    def _note(self, unraisable: Any) -> None:
        self.said.append(f"{unraisable.exc_value!r} in {unraisable.object!r}")


@pytest.mark.parametrize("scenario", [opened, used], ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("topology", ["standalone", "sentinel", "cluster"])
def test_a_loop_is_closed_amid_it(
    fleets: Fleets, topology: Topology, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each number of turns, until it ends before."""
    work = partial(scenario, fleets.of(topology).url())
    before, said = open_sockets(), list[str]()
    for turns in count(1):
        closed = Closed(turns, work, monkeypatch, said)
        assert (turns, said, open_sockets()) == (turns, [], before)
        if closed.has_ended:
            assert turns > 5
            return


def test_a_loop_is_closed_amid_closing_a_book(fleets: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = partial(AsyncBook.open, fleets.of("standalone").url())
    before, said = open_sockets(), list[str]()
    for turns in count(1):
        closed = Closed(turns, AsyncBook.close, monkeypatch, said, opening)
        assert (turns, said, open_sockets()) == (turns, [], before)
        if closed.has_ended:
            assert turns > 1
            return
