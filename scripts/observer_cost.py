"""Measure what an observer that counts costs a get: client CPU and time, in turns, on a private server.

    .venv/bin/python scripts/observer_cost.py            # two minutes, on a machine that does nothing else
    .venv/bin/python scripts/observer_cost.py --rounds 10

In each round every book makes the same number of gets, another one first each time; its ratio is that to the first
book of the same round. A second book without an observer is the floor: what it differs by is chance. Printed are the
medians of the rounds, with their quartiles.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import median, quantiles
from time import perf_counter, process_time

import slotbook
from slotbook import AsyncBook, Book, Order, Side
from slotbook.topology.embedded import start
from slotbook.topology.observing import Notice, ObservedCall

GETS = 1_500
"""The gets of one book in one round."""
NAMES = ("plain", "plain again", "observed")


class Counting:
    """An observer that does the least that is of use."""

    def __init__(self) -> None:
        self.calls = 0

    def calls_ended(self, calls: Sequence[ObservedCall]) -> None:
        """Count calls."""
        self.calls += len(calls)

    def noticed(self, notice: Notice) -> None:
        """Take a notice."""


def measured(gets: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of this process's CPU that some gets take, and those of the clock."""
    cpu, clock = process_time(), perf_counter()
    gets()
    return process_time() - cpu, perf_counter() - clock


def rounds_of(jobs: Sequence[Callable[[], object]], rounds: int) -> list[list[tuple[float, float]]]:
    """Return for each round what every job takes, in the order of the jobs; each is run once before."""
    for job in jobs:
        job()
    found: list[list[tuple[float, float]]] = []
    for number in range(rounds):
        turn = [(number + place) % len(jobs) for place in range(len(jobs))]
        seconds = {place: measured(jobs[place]) for place in turn}
        found.append([seconds[place] for place in range(len(jobs))])
    return found


def report(caller: str, found: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Print the ratios of every book to the first one."""
    for of, kind in ((0, "CPU"), (1, "time")):
        first = median(one[0][of] for one in found)
        print(f"{caller}, {kind} of a get: {first / GETS * 1e6:.1f} µs without an observer")
        for place, name in enumerate(NAMES[1:], 1):
            low, middle, high = quantiles([one[place][of] / one[0][of] for one in found], n=4)
            print(f"  {name:<12} {middle:.3f}  ({low:.3f} to {high:.3f})")


def check(observer: Counting, rounds: int) -> None:
    """Raise RuntimeError unless an observer was told of all that was measured, and of what went before."""
    if observer.calls != (rounds + 1) * GETS:
        raise RuntimeError(f"the observer was told of {observer.calls} calls, not {(rounds + 1) * GETS}")


def with_threads(url: str, rounds: int) -> None:
    """Measure books for threads, in this one."""
    observer = Counting()
    with slotbook.connect(url) as one, slotbook.connect(url) as other, slotbook.connect(url, observer=observer) as seen:

        def gets(book: Book) -> Callable[[], object]:
            get = book.orders.get
            return lambda: [get("T001", "A1") for _ in range(GETS)]

        report("threads", rounds_of([gets(book) for book in (one, other, seen)], rounds))
    check(observer, rounds)


def with_asyncio(url: str, rounds: int) -> None:
    """Measure books for asyncio, one get after the other."""
    observer = Counting()
    with asyncio.Runner() as runner:
        books = [runner.run(slotbook.aconnect(url, observer=one).__aenter__()) for one in (None, None, observer)]

        async def gets(book: AsyncBook) -> None:
            get = book.orders.get
            for _ in range(GETS):
                await get("T001", "A1")

        report("asyncio", rounds_of([lambda book=book: runner.run(gets(book)) for book in books], rounds))
        for book in books:
            runner.run(book.close())
    check(observer, rounds)


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=80, help="rounds for each caller")
    rounds = parser.parse_args().rounds
    with start("standalone") as deployment:
        with slotbook.connect(deployment.url) as book:
            book.orders.place(
                Order(trader="T001", order_id="A1", symbol="AAPL", side=Side.BUY, quantity=100, price=Decimal("187.23"))
            )
        with_threads(deployment.url, rounds)
        with_asyncio(deployment.url, rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
