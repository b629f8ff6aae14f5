"""Import Slotbook and work with it while a signal handler raises once, at a given moment; run as a program by a test.

Arguments: the URL, the trader, ``sync`` or ``asyncio``, the moment in seconds of processor time, and the name of what
is raised. It prints one line of JSON: in which phase that was, how many calls were answered afterwards, and the
errors of all calls.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

LIFE = 150.0
"""Seconds after which the process ends in any case."""
LONGEST_CALL = 5.0
"""Seconds after which a call counts as one that hangs."""
WORK = 100.0
"""Seconds after the start at which it calls no more: a busy machine may need many for a few calls."""
AFTERWARDS = 40
"""Calls that are made after the interrupt."""
STARTED = time.monotonic()


class Stop(BaseException):
    """Raised by a handler to end a piece of work."""


class Alarm(Exception):
    """Raised by a handler as an error."""


RAISED: dict[str, type[BaseException]] = {"KeyboardInterrupt": KeyboardInterrupt, "Stop": Stop, "Alarm": Alarm}


class Life:
    """The course of this process: when it was interrupted, and what its calls came to."""

    def __init__(self, raised: type[BaseException]) -> None:
        self.raised = raised
        self.phase = "start"
        self.interrupted_in = ""
        self.caught = 0
        self.answered = 0
        self.errors: list[str] = []
        self.slowest = 0.0

    def interrupt(self, _: int, __: object) -> None:
        """Raise, once."""
        self.interrupted_in = self.phase
        raise self.raised

    def again(self, phase: str, work: Callable[[], T]) -> T:
        """Do some work until it is not interrupted any more."""
        while True:
            try:
                self.phase = phase
                return work()
            except self.raised:
                self.caught += 1
            except Exception as error:
                if self.has_become(error):
                    self.caught += 1
                    continue
                self.errors.append(f"{phase}: {type(error).__name__}: {error}"[:200])
                if len(self.errors) > 5:
                    raise

    def has_become(self, error: Exception) -> bool:
        """Return whether an error is what the interrupt has become on its way through somebody else's code.

        Python 3.11 wraps what is raised in a ``__set_name__``; pydantic-core makes a SchemaError, without a cause, of
        what is raised while it builds the validator or serializer of a model.
        """
        return isinstance(error.__cause__, self.raised) or type(error).__name__ == "SchemaError"

    def call(self, work: Callable[[], object]) -> None:
        """Make one call, and note what comes of it."""
        began = time.monotonic()
        try:
            work()
            self.answered += bool(self.interrupted_in)
        except self.raised:
            self.caught += 1
        except Exception as error:
            self.errors.append(f"{self.phase}: {type(error).__name__}: {error}"[:200])
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if took > LONGEST_CALL:
            self.errors.append(f"a call took {took:.1f} s")


def calls_of(book: Any, trader: str) -> list[Callable[[], Any]]:
    """Return calls whose answers are looked at, for either form of a book."""
    from slotbook import Fill, Order

    given = {"trader": trader, "symbol": "AAPL", "side": "BUY", "quantity": 10_000, "price": "187.23"}
    numbers = iter(range(10**6))

    def fill() -> Any:
        return book.orders.fill(
            Fill(trader=trader, order_id="A1", exec_id=f"X{next(numbers)}", quantity=1, price="1")  # type: ignore[arg-type]
        )

    return [
        lambda: book.orders.place(Order.model_validate({**given, "order_id": "A1"})),
        lambda: book.orders.get(trader, "A1"),
        lambda: book.orders.get_many([(trader, "A1"), (trader, "none")]),
        fill,
        lambda: book.positions.get(trader, "AAPL"),
        lambda: book.events.history(trader),
        lambda: book.values.get("v"),
        lambda: book.symbols.get("AAPL"),
    ]


def import_slotbook() -> Any:
    """Return the package, with all that a book needs imported."""
    import slotbook

    for name in ("connect", "aconnect", "Fill", "Order"):
        getattr(slotbook, name)
    return slotbook


def threads(life: Life, url: str, trader: str) -> None:
    """Work with a book for threads."""
    connect = life.again("import", import_slotbook).connect
    book = life.again("connect", lambda: connect(url))
    calls = life.again("prepare", lambda: calls_of(book, trader))
    _work(life, calls)
    book.close()


def tasks(life: Life, url: str, trader: str) -> None:
    """Work with a book for asyncio, in one event loop that goes on after an interrupt."""
    connect = life.again("import", import_slotbook).aconnect
    loop = life.again("loop", asyncio.new_event_loop)

    def run(call: Callable[[], Any]) -> Any:
        async def answer() -> Any:
            return await call()

        task = loop.create_task(answer())
        while True:
            try:
                return loop.run_until_complete(task)
            except RuntimeError:  # the run that was interrupted has left word that the loop is to stop
                if task.done():
                    raise

    book = life.again("connect", lambda: run(lambda: connect(url)))
    calls = life.again("prepare", lambda: calls_of(book, trader))
    _work(life, [lambda call=call: run(call) for call in calls])
    loop.run_until_complete(book.close())


def _work(life: Life, calls: list[Callable[[], Any]]) -> None:
    done, left = 0, AFTERWARDS
    life.again("work", calls[0])  # the others need the order
    while left and time.monotonic() - STARTED < WORK:
        try:
            life.phase = "work"
            life.call(calls[done % len(calls)])
            done += 1
            left -= bool(life.interrupted_in)
        except life.raised:  # between two calls
            life.caught += 1


def main() -> None:
    """Live, and say what happened."""
    url, trader, form, moment, raised = sys.argv[1:]
    life = Life(RAISED[raised])
    faulthandler.dump_traceback_later(LIFE, exit=True)  # so that one that hangs says where
    signal.signal(signal.SIGPROF, life.interrupt)
    signal.setitimer(signal.ITIMER_PROF, max(0.001, float(moment)))
    (threads if form == "sync" else tasks)(life, url, trader)
    print(json.dumps({name: value for name, value in vars(life).items() if name != "raised"}))


if __name__ == "__main__":
    main()
